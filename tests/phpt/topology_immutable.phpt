--TEST--
A Topology cannot be made by hand, cloned, serialised or changed
--EXTENSIONS--
aegir_scale
--FILE--
<?php
require __DIR__ . '/show.inc';

use Aegir\Scale\Topology;

$t = two_servers();
show(fn () => new Topology());
show(fn () => clone $t);
show(fn () => serialize($t));
show(fn () => unserialize('O:20:"Aegir\Scale\Topology":0:{}'));
show(fn () => $t->x = 1);
show(fn () => (new ReflectionClass($t))->newInstanceWithoutConstructor());
show(fn () => $t == two_servers());
?>
--EXPECT--
Error: Call to private Aegir\Scale\Topology::__construct() from global scope
Error: Trying to clone an uncloneable object of class Aegir\Scale\Topology
Exception: Serialization of 'Aegir\Scale\Topology' is not allowed
Exception: Unserialization of 'Aegir\Scale\Topology' is not allowed
Error: Cannot create dynamic property Aegir\Scale\Topology::$x
ReflectionException: Class Aegir\Scale\Topology is an internal class marked as final that cannot be instantiated without invoking its constructor
bool(false)
