--TEST--
A child process leaves its parent's connections alone
--EXTENSIONS--
aegir_scale
--SKIPIF--
<?php require __DIR__ . "/skip_server.inc"; ?>
--FILE--
<?php
require __DIR__ . '/server.inc';

use function Aegir\Scale\{cluster_run, pool_stats};

$server = new Server(1);
$t = $server->topology();
cluster_run($t, 'live', ['true']);
$child = pcntl_fork();
if ($child === 0) {
    exit(cluster_run($t, 'live', ['true'])->ok ? 7 : 1);
}
pcntl_waitpid($child, $status);
var_dump(pcntl_wexitstatus($status), cluster_run($t, 'live', ['true'])->ok, pool_stats()['opened'], pool_stats()['reused']);
?>
--EXPECT--
int(7)
bool(true)
int(1)
int(1)
