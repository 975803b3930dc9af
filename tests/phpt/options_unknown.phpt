--TEST--
An unknown option is refused, and the nearest known one named
--EXTENSIONS--
aegir_scale
--FILE--
<?php
require __DIR__ . '/show.inc';

use function Aegir\Scale\{cluster_run, cluster_status, cluster_sync};

$t = two_servers();
show(fn () => cluster_sync($t, 'live', '/etc', ['exlude' => 'x']));
show(fn () => cluster_sync($t, 'live', '/etc', ['max-failures' => 1]));
show(fn () => cluster_sync($t, 'live', '/etc', ['quite_something_else' => 1]));
show(fn () => cluster_sync($t, 'live', '/etc', ["a\x1b[31m\0b" => 1]));
show(fn () => cluster_sync($t, 'live', '/etc', ['delete']));
show(fn () => cluster_status($t, 'live', '/etc', ['commit' => 'each']));
show(fn () => cluster_run($t, 'live', ['true'], ['delete' => false]));
show(fn () => cluster_run($t, 'live', ['true'], ['inptu' => '']));
?>
--EXPECT--
ValueError: Aegir\Scale\cluster_sync(): Argument #4 ($options) is wrong: unknown option "exlude", did you mean "exclude"?
ValueError: Aegir\Scale\cluster_sync(): Argument #4 ($options) is wrong: unknown option "max-failures", did you mean "max_failures"?
ValueError: Aegir\Scale\cluster_sync(): Argument #4 ($options) is wrong: unknown option "quite_something_else"
ValueError: Aegir\Scale\cluster_sync(): Argument #4 ($options) is wrong: unknown option "a\x1b[31m\x00b"
ValueError: Aegir\Scale\cluster_sync(): Argument #4 ($options) must have the names of options as keys
ValueError: Aegir\Scale\cluster_status(): Argument #4 ($options) is wrong: option "commit" is not one of this function
ValueError: Aegir\Scale\cluster_run(): Argument #4 ($options) is wrong: option "delete" is not one of this function
ValueError: Aegir\Scale\cluster_run(): Argument #4 ($options) is wrong: unknown option "inptu", did you mean "input"?
