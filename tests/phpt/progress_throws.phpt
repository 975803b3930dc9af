--TEST--
What a callback throws ends the call and reaches the caller as it is
--EXTENSIONS--
aegir_scale
--SKIPIF--
<?php require __DIR__ . "/skip_server.inc"; ?>
--FILE--
<?php
require __DIR__ . '/server.inc';

use function Aegir\Scale\{cluster_run, pool_stats};

$server = new Server();
$t = $server->topology();
$calls = 0;
show(function () use ($t, &$calls) {
    return cluster_run($t, 'live', ['sleep', '20'], [], function () use (&$calls) {
        $calls++;
        throw new DomainException('mine');
    });
});
var_dump($calls, pool_stats()['in_use']);
var_dump(cluster_run($t, 'live', ['true'])->ok);
?>
--EXPECT--
DomainException: mine
int(1)
int(0)
bool(true)
