--TEST--
An unknown group is a ScaleException that names the nearest one
--EXTENSIONS--
aegir_scale
--FILE--
<?php
require __DIR__ . '/show.inc';

use function Aegir\Scale\{cluster_run, cluster_sync};

$t = two_servers();
show(fn () => cluster_sync($t, 'lives', __DIR__));
show(fn () => cluster_run($t, 'web3', ['true']));
show(fn () => cluster_run($t, 'live', ['true'], ['servers' => ['web9']]));
?>
--EXPECTF--
Aegir\Scale\ScaleException: no cluster, pack or server "lives", did you mean "live"?
Aegir\Scale\ScaleException: no cluster, pack or server "web3", did you mean "web%d"?
%s: %s"web9"%s
