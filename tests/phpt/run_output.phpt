--TEST--
Input and output are bytes; JSON keeps lines and writes the rest as \xHH
--EXTENSIONS--
aegir_scale
--SKIPIF--
<?php require __DIR__ . "/skip_server.inc"; ?>
--FILE--
<?php
require __DIR__ . '/server.inc';

use function Aegir\Scale\cluster_run;

$server = new Server(1);
$bytes = "one\ntwo\0\xfe\x1b[0m\n";
$result = cluster_run($server->topology(), 'live', ['cat'], ['input' => $bytes])->servers['web1'];
var_dump($result->stdout === $bytes);
echo json_encode($result->jsonSerialize()['stdout']), "\n";
?>
--EXPECT--
bool(true)
"one\ntwo\\x00\\xfe\\x1b[0m\n"
