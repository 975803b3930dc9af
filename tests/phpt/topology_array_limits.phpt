--TEST--
An array that holds itself or too much is a problem
--EXTENSIONS--
aegir_scale
--FILE--
<?php
require __DIR__ . '/show.inc';

use Aegir\Scale\Topology;

$spec = ['version' => 1, 'servers' => []];
$spec['servers'] = &$spec;
show(fn () => Topology::fromArray($spec));
$deep = [];
for ($i = 0; $i < 100; $i++) {
    $deep = ['a' => $deep];
}
show(fn () => Topology::fromArray($deep));
show(fn () => Topology::fromArray(['servers' => array_fill(0, 200000, 'x')]));
$wide = array_fill(0, 1000, 'x');
show(fn () => Topology::fromArray(['servers' => array_fill(0, 1000, $wide)]));
?>
--EXPECT--
Aegir\Scale\TopologyException: servers.servers.servers.servers.servers.servers.servers.servers.servers.servers.servers.servers.servers.servers.servers.servers: servers is nested more than 16 levels deep
Aegir\Scale\TopologyException: a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a: a is nested more than 16 levels deep
Aegir\Scale\TopologyException: the topology has more than 100000 values, which is the limit of a topology
Aegir\Scale\TopologyException: the topology has more than 100000 values, which is the limit of a topology
