--TEST--
Names of releases, counts and options are checked before any server is asked
--EXTENSIONS--
aegir_scale
--FILE--
<?php
require __DIR__ . '/show.inc';

use function Aegir\Scale\cluster_sync;
use function Aegir\Scale\release_list;
use function Aegir\Scale\release_prune;
use function Aegir\Scale\release_switch;

$t = two_servers();
show(fn () => cluster_sync($t, 'live', '/etc', ['release' => true]));
show(fn () => cluster_sync($t, 'live', '/etc', ['release' => '../x']));
show(fn () => cluster_sync($t, 'live', '/etc', ['release' => 'r1', 'update' => true]));
show(fn () => cluster_sync($t, 'live', ['/etc', '/usr'], ['release' => 'r1']));
show(fn () => cluster_sync($t, 'live', '/', ['release' => 'r1']));
show(fn () => release_switch($t, 'live', '/etc', '.hidden'));
show(fn () => release_switch($t, 'live', '/etc', 'r1', ['delete' => true]));
show(fn () => release_prune($t, 'live', '/etc', -1));
show(fn () => release_list($t, 'live', 'etc'));
show(fn () => release_list($t, 'nobody', '/etc'));
?>
--EXPECT--
ValueError: Aegir\Scale\cluster_sync(): Argument #4 ($options) is wrong: option release is true, want a string that is not empty and holds no NUL byte
ValueError: release is "../x", want at most 64 letters, digits, dots, dashes and underscores, the first a letter or a digit
ValueError: update does not go together with release, want one of them
ValueError: 2 paths are given, want one: a release is one directory
ValueError: path is /, want a directory that is yours to replace on the servers
ValueError: release is ".hidden", want at most 64 letters, digits, dots, dashes and underscores, the first a letter or a digit
ValueError: Aegir\Scale\release_switch(): Argument #5 ($options) is wrong: option "delete" is not one of this function
ValueError: Aegir\Scale\release_prune(): Argument #4 ($keep) must be between 0 and 1000000
ValueError: Aegir\Scale\release_list(): Argument #3 ($path) is wrong: path is "etc", want an absolute one without ".." and NUL bytes
Aegir\Scale\ScaleException: no cluster, pack or server "nobody"