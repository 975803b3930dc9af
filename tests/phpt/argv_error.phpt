--TEST--
A command is a list of strings
--EXTENSIONS--
aegir_scale
--FILE--
<?php
require __DIR__ . '/show.inc';

use function Aegir\Scale\cluster_run;

$t = two_servers();
foreach ([[], [''], ['echo', 5], ['echo', "a\0b"]] as $argv) {
    show(fn () => cluster_run($t, 'live', $argv));
}
?>
--EXPECT--
ValueError: Aegir\Scale\cluster_run(): Argument #3 ($argv) must begin with the name of a command
ValueError: Aegir\Scale\cluster_run(): Argument #3 ($argv) must begin with the name of a command
ValueError: Aegir\Scale\cluster_run(): Argument #3 ($argv) is wrong: word 1 is 5, want a string without NUL bytes
ValueError: Aegir\Scale\cluster_run(): Argument #3 ($argv) is wrong: word 1 is "a\x00b", want a string without NUL bytes
