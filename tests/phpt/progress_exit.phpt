--TEST--
exit() in a callback ends the script in good order
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
try {
    cluster_run($server->topology(), 'live', ['sleep', '20'], [], fn () => exit("bye\n"));
} finally {
    echo "never\n";
}
?>
--EXPECT--
bye
int(0)
