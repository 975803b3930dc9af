--TEST--
cluster_sync() copies a tree to every server and says so
--EXTENSIONS--
aegir_scale
--SKIPIF--
<?php require __DIR__ . "/skip_server.inc"; ?>
--FILE--
<?php
require __DIR__ . '/server.inc';

use function Aegir\Scale\cluster_sync;

$server = new Server();
$source = $server->source(['a.txt' => 'alpha', 'b/c.txt' => 'gamma']);
$report = cluster_sync($server->topology(), 'live', $source);
var_dump($report->ok, $report->committed, $report->bytes, array_keys($report->servers), $report->warnings);
foreach ($report->servers as $name => $result) {
    var_dump($result->server === $name, $result->outcome, $result->phase, $result->files, $result->error);
    var_dump($server->pushed($name, "$source/a.txt"), $server->pushed($name, "$source/b/c.txt"));
}
$again = cluster_sync($server->topology(), 'live', [$source]);
var_dump($again->ok, $again->servers['web2']->outcome, $again->servers['web2']->files);
?>
--EXPECT--
bool(true)
bool(true)
int(10)
array(2) {
  [0]=>
  string(4) "web1"
  [1]=>
  string(4) "web2"
}
array(0) {
}
bool(true)
enum(Aegir\Scale\Outcome::Synced)
enum(Aegir\Scale\Phase::Done)
int(2)
NULL
string(5) "alpha"
string(5) "gamma"
bool(true)
enum(Aegir\Scale\Outcome::Synced)
enum(Aegir\Scale\Phase::Done)
int(2)
NULL
string(5) "alpha"
string(5) "gamma"
bool(true)
enum(Aegir\Scale\Outcome::Unchanged)
int(0)
