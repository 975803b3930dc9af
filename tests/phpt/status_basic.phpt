--TEST--
cluster_status() itemises what differs and changes nothing
--EXTENSIONS--
aegir_scale
--SKIPIF--
<?php require __DIR__ . "/skip_server.inc"; ?>
--FILE--
<?php
require __DIR__ . '/server.inc';

use function Aegir\Scale\{cluster_status, cluster_sync};

$server = new Server();
$source = $server->source(['a.txt' => 'alpha']);
$t = $server->topology();
cluster_sync($t, 'web1', $source);
$report = cluster_status($t, 'live', $source);
var_dump($report->ok, $report->servers['web1']->outcome, $report->servers['web2']->outcome);
var_dump(count($report->servers['web1']->changes), $server->pushed('web2', "$source/a.txt"));
foreach ($report->servers['web2']->changes as $change) {
    if ($change->path === "$source/a.txt") {
        echo $change->code, "\n";
    }
}
cluster_sync($t, 'live', $source);
var_dump(cluster_status($t, 'live', $source)->ok);
?>
--EXPECT--
bool(false)
enum(Aegir\Scale\Outcome::Unchanged)
enum(Aegir\Scale\Outcome::Differs)
int(0)
NULL
<f+++++++++
bool(true)
