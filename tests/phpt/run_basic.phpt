--TEST--
cluster_run() runs a command without a shell on every server
--EXTENSIONS--
aegir_scale
--SKIPIF--
<?php require __DIR__ . "/skip_server.inc"; ?>
--FILE--
<?php
require __DIR__ . '/server.inc';

use function Aegir\Scale\cluster_run;

$server = new Server();
$report = cluster_run($server->topology(), 'live', ['printf', '%s|', '$HOME', "a'b", 'c d']);
var_dump($report->ok, $report->servers['web1']);
?>
--EXPECTF--
bool(true)
object(Aegir\Scale\RunResult)#%d (9) {
  ["server"]=>
  string(4) "web1"
  ["outcome"]=>
  enum(Aegir\Scale\Outcome::Synced)
  ["exitStatus"]=>
  int(0)
  ["signal"]=>
  NULL
  ["stdout"]=>
  string(14) "$HOME|a'b|c d|"
  ["stderr"]=>
  string(0) ""
  ["truncated"]=>
  bool(false)
  ["seconds"]=>
  float(%f)
  ["error"]=>
  NULL
}
