--TEST--
A command that fails or is killed is a result
--EXTENSIONS--
aegir_scale
--SKIPIF--
<?php require __DIR__ . "/skip_server.inc"; ?>
--FILE--
<?php
require __DIR__ . '/server.inc';

use function Aegir\Scale\cluster_run;

$server = new Server(1);
foreach (['echo oops >&2; exit 3', 'kill -TERM $$'] as $script) {
    $report = cluster_run($server->topology(), 'live', ['sh', '-c', $script]);
    $result = $report->servers['web1'];
    var_dump($report->ok, $result->outcome, $result->exitStatus, $result->signal, $result->stderr);
}
?>
--EXPECT--
bool(false)
enum(Aegir\Scale\Outcome::Failed)
int(3)
NULL
string(5) "oops
"
bool(false)
enum(Aegir\Scale\Outcome::Failed)
NULL
string(4) "TERM"
string(0) ""
