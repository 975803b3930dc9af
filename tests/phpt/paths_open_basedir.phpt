--TEST--
open_basedir holds for paths and topology files
--EXTENSIONS--
aegir_scale
--FILE--
<?php
require __DIR__ . '/show.inc';

use function Aegir\Scale\cluster_sync;

$t = two_servers();
ini_set('open_basedir', __DIR__);
show(fn () => cluster_sync($t, 'live', [__DIR__, '/etc']));
show(fn () => Aegir\Scale\Topology::fromFile('/etc/passwd'));
?>
--EXPECT--
ValueError: Aegir\Scale\cluster_sync(): Argument #3 ($paths) is wrong: path is "/etc", which open_basedir does not allow
Aegir\Scale\ScaleException: cannot read /etc/passwd: open_basedir does not allow it
