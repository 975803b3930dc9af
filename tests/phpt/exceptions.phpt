--TEST--
An exception that userland makes has all properties, and nobody can change them
--EXTENSIONS--
aegir_scale
--FILE--
<?php
require __DIR__ . '/show.inc';

use Aegir\Scale\{CancelledException, ScaleException, TopologyException};

class Mine extends ScaleException
{
}

var_dump((new Mine('x'))->server, (new Mine('x'))->getMessage(), (new ScaleException())->path);
var_dump((new TopologyException())->problems, (new CancelledException('y', 3))->report);
$scale = new ScaleException();
$cancelled = new CancelledException();
show(fn () => $scale->server = 'web1');
show(fn () => $cancelled->report = null);
?>
--EXPECT--
NULL
string(1) "x"
NULL
array(0) {
}
NULL
Error: Cannot modify readonly property Aegir\Scale\ScaleException::$server
Error: Cannot modify readonly property Aegir\Scale\CancelledException::$report
