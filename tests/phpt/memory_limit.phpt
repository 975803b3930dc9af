--TEST--
Running out of memory in a callback waits until the engine has returned
--EXTENSIONS--
aegir_scale
--SKIPIF--
<?php
require __DIR__ . "/skip_server.inc";
if (getenv('USE_ZEND_ALLOC') === '0') {
    die('skip the memory limit is that of the Zend allocator');
}
?>
--FILE--
<?php
require __DIR__ . '/server.inc';

use function Aegir\Scale\{cluster_run, pool_stats};

$server = new Server();
register_shutdown_function(fn () => var_dump(pool_stats()['in_use']));
ini_set('memory_limit', '16M');
cluster_run($server->topology(), 'live', ['sleep', '20'], [], fn () => str_repeat('x', 64 << 20));
echo "never\n";
?>
--EXPECTF--
Fatal error: Allowed memory size of %d bytes exhausted%s in %s on line %d
int(0)
