--TEST--
A signal handler runs during the call, which goes on
--EXTENSIONS--
aegir_scale
--SKIPIF--
<?php require __DIR__ . "/skip_server.inc"; ?>
--FILE--
<?php
require __DIR__ . '/server.inc';

use function Aegir\Scale\cluster_run;

$server = new Server();
$t = $server->topology();
$begin = microtime(true);
pcntl_async_signals(true);
pcntl_signal(SIGALRM, function () use (&$at, &$begin) {
    $at = microtime(true) - $begin;
});
pcntl_alarm(1);
$report = cluster_run($t, 'live', ['sleep', '5']);
var_dump($report->ok, $at < 4, microtime(true) - $begin > 4.9);
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
