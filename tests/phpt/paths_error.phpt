--TEST--
Paths must be absolute and honest
--EXTENSIONS--
aegir_scale
--FILE--
<?php
require __DIR__ . '/show.inc';

use function Aegir\Scale\cluster_sync;

$t = two_servers();
foreach ([[], '', 'etc', '/etc/../root', '/..', "/etc\0/x", ['/etc', 5], '/' . str_repeat('x', 4096)] as $paths) {
    show(fn () => cluster_sync($t, 'live', $paths));
}
show(fn () => cluster_sync($t, "li\0ve", '/etc'));
?>
--EXPECTF--
ValueError: Aegir\Scale\cluster_sync(): Argument #3 ($paths) must hold at least one path
ValueError: Aegir\Scale\cluster_sync(): Argument #3 ($paths) is wrong: path is "", want an absolute one without ".." and NUL bytes
ValueError: Aegir\Scale\cluster_sync(): Argument #3 ($paths) is wrong: path is "etc", want an absolute one without ".." and NUL bytes
ValueError: Aegir\Scale\cluster_sync(): Argument #3 ($paths) is wrong: path is "/etc/../root", want an absolute one without ".." and NUL bytes
ValueError: Aegir\Scale\cluster_sync(): Argument #3 ($paths) is wrong: path is "/..", want an absolute one without ".." and NUL bytes
ValueError: Aegir\Scale\cluster_sync(): Argument #3 ($paths) is wrong: path is "/etc\x00/x", want an absolute one without ".." and NUL bytes
ValueError: Aegir\Scale\cluster_sync(): Argument #3 ($paths) is wrong: path is 5, want an absolute one without ".." and NUL bytes
ValueError: Aegir\Scale\cluster_sync(): Argument #3 ($paths) is wrong: path "/xxx%sxxx" has 4097 bytes, want less than 4096
ValueError: Aegir\Scale\cluster_sync(): Argument #2 ($group) must not contain any null bytes
