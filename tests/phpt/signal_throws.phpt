--TEST--
What a signal handler throws ends the call
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
pcntl_async_signals(true);
pcntl_signal(SIGALRM, fn () => throw new DomainException('enough'));
pcntl_alarm(1);
$begin = microtime(true);
show(fn () => cluster_run($t, 'live', ['sleep', '20']));
var_dump(microtime(true) - $begin < 15, pool_stats()['in_use']);
?>
--EXPECT--
DomainException: enough
bool(true)
int(0)
