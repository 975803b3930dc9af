--TEST--
A time limit that passes in a callback waits until the engine has returned
--EXTENSIONS--
aegir_scale
--SKIPIF--
<?php require __DIR__ . "/skip_server.inc"; ?>
--FILE--
<?php
require __DIR__ . '/server.inc';

use function Aegir\Scale\{cluster_run, pool_stats};

$server = new Server();
$t = $server->topology();
register_shutdown_function(fn () => var_dump(pool_stats()['in_use']));
set_time_limit(1);
cluster_run($t, 'live', ['sleep', '20'], [], function () {
    while (true) {
    }
});
echo "never\n";
?>
--EXPECTF--
Fatal error: Maximum execution time of 1 second exceeded in %s on line %d
int(0)
