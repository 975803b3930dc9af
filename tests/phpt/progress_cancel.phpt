--TEST--
A callback that returns false cancels; the exception holds the report
--EXTENSIONS--
aegir_scale
--SKIPIF--
<?php require __DIR__ . "/skip_server.inc"; ?>
--FILE--
<?php
require __DIR__ . '/server.inc';

use Aegir\Scale\{CancelledException, Outcome, Progress};
use function Aegir\Scale\{cluster_run, cluster_sync};

$server = new Server();
$t = $server->topology();
$source = $server->source(['a.txt' => 'alpha']);
try {
    cluster_sync($t, 'live', $source, [], fn (Progress $p) => false);
} catch (CancelledException $e) {
    var_dump(get_class($e->report), $e->report->ok, $e->report->committed, array_keys($e->report->servers));
    var_dump($server->pushed('web1', "$source/a.txt"));
}
try {
    $begin = microtime(true);
    cluster_run($t, 'live', ['sleep', '20'], [], fn (Progress $p) => false);
} catch (CancelledException $e) {
    var_dump(get_class($e->report), microtime(true) - $begin < 10);
}
foreach ([null, 0, ''] as $harmless) {
    var_dump(cluster_run($t, 'live', ['true'], [], fn () => $harmless)->ok);
}
?>
--EXPECT--
string(22) "Aegir\Scale\SyncReport"
bool(false)
bool(false)
array(2) {
  [0]=>
  string(4) "web1"
  [1]=>
  string(4) "web2"
}
NULL
string(21) "Aegir\Scale\RunReport"
bool(true)
bool(true)
bool(true)
bool(true)
