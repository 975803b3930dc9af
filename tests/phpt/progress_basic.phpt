--TEST--
The callback sees every server pass its phases in order
--EXTENSIONS--
aegir_scale
--SKIPIF--
<?php require __DIR__ . "/skip_server.inc"; ?>
--FILE--
<?php
require __DIR__ . '/server.inc';

use Aegir\Scale\{Phase, Progress};
use function Aegir\Scale\cluster_sync;

$server = new Server();
$source = $server->source(['a.txt' => str_repeat('alpha', 1000)]);
$order = array_flip(array_map(fn ($phase) => $phase->name, Phase::cases()));
$last = [];
cluster_sync($server->topology(), 'live', $source, [], function (Progress $p) use (&$last, $order) {
    if (isset($last[$p->server]) && $order[$p->phase->name] < $order[$last[$p->server]->phase->name]) {
        echo "back to {$p->phase->name}\n";
    }
    $last[$p->server] = $p;
});
ksort($last);
foreach ($last as $name => $p) {
    var_dump($name, $p->phase->name, $p->filesDone === $p->filesTotal, $p->bytesTotal);
}
?>
--EXPECT--
string(4) "web1"
string(4) "Done"
bool(true)
int(5000)
string(4) "web2"
string(4) "Done"
bool(true)
int(5000)
