--TEST--
A callback cannot suspend a fiber while the call runs
--EXTENSIONS--
aegir_scale
--SKIPIF--
<?php require __DIR__ . "/skip_server.inc"; ?>
--FILE--
<?php
require __DIR__ . '/server.inc';

use function Aegir\Scale\cluster_run;

$server = new Server(1);
$t = $server->topology();
$fiber = new Fiber(fn () => cluster_run($t, 'live', ['true'], [], fn () => Fiber::suspend()));
show(fn () => $fiber->start());
$fiber = new Fiber(function () use ($t) {
    Fiber::suspend(cluster_run($t, 'live', ['true'])->ok);
});
show(fn () => $fiber->start());
?>
--EXPECT--
FiberError: Cannot switch fibers in current execution context
bool(true)
