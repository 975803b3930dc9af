--TEST--
An option that is planned says that it is not built yet
--EXTENSIONS--
aegir_scale
--FILE--
<?php
require __DIR__ . '/show.inc';

use function Aegir\Scale\cluster_sync;

$t = two_servers();
$planned = ['guard'];
foreach ($planned as $option) {
    show(fn () => cluster_sync($t, 'live', '/etc', [$option => true]));
}
?>
--EXPECT--
ValueError: Aegir\Scale\cluster_sync(): Argument #4 ($options) is wrong: option "guard" is not built yet
