--TEST--
A report in JSON has the names of its properties and is always UTF-8
--EXTENSIONS--
aegir_scale
--SKIPIF--
<?php require __DIR__ . "/skip_server.inc"; ?>
--FILE--
<?php
require __DIR__ . '/server.inc';

use function Aegir\Scale\cluster_sync;

$server = new Server(1);
$source = $server->source(["a\xff.txt" => 'alpha']);
$report = cluster_sync($server->topology(), 'live', $source, ['itemize' => true, 'relative' => false]);
$json = json_decode(json_encode($report), true);
echo implode(' ', array_keys($json)), "\n", implode(' ', array_keys($json['servers']['web1'])), "\n";
var_dump($json['servers']['web1']['outcome'], $json['servers']['web1']['phase']);
foreach ($report->servers['web1']->changes as $i => $change) {
    if (str_contains($change->path, '.txt')) {
        var_dump(basename($change->path) === "a\xff.txt");
        echo json_encode($change, JSON_UNESCAPED_SLASHES), "\n";
    }
}
?>
--EXPECT--
ok committed seconds files bytes servers warnings
server outcome phase files deleted bytesSent bytesMatched seconds error path changes
string(6) "synced"
string(4) "done"
bool(true)
{"path":"/source/a\\xff.txt","code":"<f+++++++++"}
