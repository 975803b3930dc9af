--TEST--
fromArray() fills the defaults in and takes its own toArray() back
--EXTENSIONS--
aegir_scale
--FILE--
<?php
use Aegir\Scale\Topology;

$spec = ['version' => 1, 'servers' => ['web1' => ['host' => '192.0.2.1'], '10' => ['host' => '192.0.2.10']], 'clusters' => ['live' => ['servers' => ['web1', '10']]]];
$port = 2222;
$spec['servers']['web1']['port'] = &$port;
$t = Topology::fromArray($spec);
$port = 1;
$all = $t->toArray();
var_dump($all['servers']['web1']['port'], $all['servers'][10]['host'], $all['servers'][10]['user'], $all['clusters']['live']['servers']);
var_dump(Topology::fromArray($all)->toArray() === $all);
?>
--EXPECT--
int(2222)
string(10) "192.0.2.10"
string(5) "aegir"
array(2) {
  [0]=>
  string(4) "web1"
  [1]=>
  string(2) "10"
}
bool(true)
