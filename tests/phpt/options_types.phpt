--TEST--
An option of the wrong type or range says what is wanted
--EXTENSIONS--
aegir_scale
--FILE--
<?php
require __DIR__ . '/show.inc';

use function Aegir\Scale\{cluster_run, cluster_sync};

$t = two_servers();
$wrong = [
    ['delete' => 1], ['checksum' => null], ['timeout' => 'x'], ['timeout' => 0], ['connect_timeout' => 86401],
    ['timeout' => 1.5], ['parallel' => 0], ['parallel' => 33], ['max_failures' => -1], ['compress' => 'gzip'],
    ['compress' => true], ['commit' => 'both'], ['exclude' => 5], ['exclude' => ['a', ['b']]], ['filter' => ''],
    ['max_delete' => -1], ['protect' => ["a\0b"]], ['servers' => new stdClass()],
];
foreach ($wrong as $options) {
    try {
        cluster_sync($t, 'live', '/etc', $options);
    } catch (ValueError $e) {
        echo substr($e->getMessage(), strlen('Aegir\Scale\cluster_sync(): Argument #4 ($options) is wrong: ')), "\n";
    }
}
show(fn () => cluster_run($t, 'live', ['true'], ['input' => ['x']]));
?>
--EXPECT--
option delete is 1, want true or false
option checksum is null, want true or false
option timeout is "x", want a number of seconds from 1 to 86400
option timeout is 0, want a number of seconds from 1 to 86400
option connect_timeout is 86401, want a number of seconds from 1 to 86400
option timeout is 1.5, want a number of seconds from 1 to 86400
option parallel is 0, want a number from 1 to 32
option parallel is 33, want a number from 1 to 32
option max_failures is -1, want a number from 0 to 1024
option compress is "gzip", want auto, none, zstd, zlib or lz4
option compress is true, want auto, none, zstd, zlib or lz4
option commit is "both", want together or each
option exclude is 5, want a string or a list of strings
option exclude[1] is an array, want a string that is not empty and holds no NUL byte
option filter[0] is "", want a string that is not empty and holds no NUL byte
option max_delete is -1, want a number from 0 to 2147483647
option protect[0] is "a\x00b", want a string that is not empty and holds no NUL byte
option servers is of type stdClass, want a string or a list of strings
ValueError: Aegir\Scale\cluster_run(): Argument #4 ($options) is wrong: option input is an array, want a string
