--TEST--
A source that is missing is a ScaleException, not an empty push
--EXTENSIONS--
aegir_scale
--SKIPIF--
<?php require __DIR__ . "/skip_server.inc"; ?>
--FILE--
<?php
require __DIR__ . '/server.inc';

use Aegir\Scale\ScaleException;
use function Aegir\Scale\cluster_sync;

$server = new Server(1);
try {
    cluster_sync($server->topology(), 'live', "$server->dir/nothing");
} catch (ScaleException $e) {
    var_dump(get_class($e), str_contains($e->getMessage(), 'nothing'), $e->path === "$server->dir/nothing");
}
?>
--EXPECT--
string(26) "Aegir\Scale\ScaleException"
bool(true)
bool(true)
