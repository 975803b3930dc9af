--TEST--
A callback cannot begin another call
--EXTENSIONS--
aegir_scale
--SKIPIF--
<?php require __DIR__ . "/skip_server.inc"; ?>
--FILE--
<?php
require __DIR__ . '/server.inc';

use Aegir\Scale\ScaleException;
use function Aegir\Scale\{cluster_run, pool_close, pool_stats};

$server = new Server(1);
$t = $server->topology();
$seen = [];
$report = cluster_run($t, 'live', ['true'], [], function () use ($t, &$seen) {
    foreach ([fn () => cluster_run($t, 'live', ['true']), fn () => pool_close()] as $call) {
        try {
            $call();
        } catch (ScaleException $e) {
            $seen[$e->getMessage()] = $e->server;
        }
    }
    pool_stats();
});
var_dump($report->ok, $seen);
?>
--EXPECT--
bool(true)
array(1) {
  ["another call is running: its callback or a signal handler cannot begin one"]=>
  NULL
}
