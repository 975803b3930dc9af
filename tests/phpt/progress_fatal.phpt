--TEST--
A fatal error in a callback waits until the engine has returned
--EXTENSIONS--
aegir_scale
--SKIPIF--
<?php require __DIR__ . "/skip_server.inc"; ?>
--FILE--
<?php
require __DIR__ . '/server.inc';

use function Aegir\Scale\{cluster_run, pool_stats};

$server = new Server();
register_shutdown_function(fn () => var_dump(pool_stats()['in_use']));
cluster_run($server->topology(), 'live', ['sleep', '20'], [], function () {
    trigger_error('the end', E_USER_ERROR);
});
echo "never\n";
?>
--EXPECTF--
Fatal error: the end in %s on line %d
int(0)
