--TEST--
A callback that changes the options by reference does no harm
--EXTENSIONS--
aegir_scale
--SKIPIF--
<?php require __DIR__ . "/skip_server.inc"; ?>
--FILE--
<?php
require __DIR__ . '/server.inc';

use function Aegir\Scale\cluster_sync;

$server = new Server();
$paths = [$server->source(['a.txt' => 'alpha', 'b.log' => 'beta'])];
$exclude = ['*.l' . 'og'];
$options = ['exclude' => &$exclude];
$report = cluster_sync($server->topology(), 'live', $paths, $options, function () use (&$exclude, &$paths, &$options) {
    $exclude = null;
    $paths = null;
    $options = null;
});
var_dump($report->ok, $server->pushed('web1', "$server->dir/source/a.txt"), $server->pushed('web1', "$server->dir/source/b.log"));
?>
--EXPECT--
bool(true)
string(5) "alpha"
NULL
