--TEST--
Connections are kept for the next call and closed on demand
--EXTENSIONS--
aegir_scale
--SKIPIF--
<?php require __DIR__ . "/skip_server.inc"; ?>
--FILE--
<?php
require __DIR__ . '/server.inc';

use function Aegir\Scale\{cluster_run, pool_close, pool_stats};

$server = new Server();
$t = $server->topology();
function totals(): string
{
    $s = pool_stats();
    return "opened {$s['opened']} reused {$s['reused']} idle {$s['idle']} in use {$s['in_use']} sessions " . count($s['sessions']);
}
echo totals(), "\n";
cluster_run($t, 'live', ['true']);
cluster_run($t, 'live', ['true']);
echo totals(), "\n";
$session = array_column(pool_stats()['sessions'], null, 'server')['web1'];
echo implode(' ', array_keys($session)), "\n";
var_dump($session['host'], $session['port'] === $server->ports['web1'], $session['commands'] > 0, is_float($session['seconds']));
pool_close();
echo totals(), "\n";
var_dump(cluster_run($t, 'live', ['true'])->ok);
?>
--EXPECT--
opened 0 reused 0 idle 0 in use 0 sessions 0
opened 2 reused 2 idle 2 in use 0 sessions 2
server host port user state transport reason host_key cipher commands bytes_sent bytes_received seconds
string(9) "127.0.0.1"
bool(true)
bool(true)
bool(true)
opened 2 reused 2 idle 0 in use 0 sessions 0
bool(true)
