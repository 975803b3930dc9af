--TEST--
A callback through __call() works every time
--EXTENSIONS--
aegir_scale
--SKIPIF--
<?php require __DIR__ . "/skip_server.inc"; ?>
--FILE--
<?php
require __DIR__ . '/server.inc';

use function Aegir\Scale\cluster_run;

final class Magic
{
    public int $calls = 0;

    public function __call(string $name, array $arguments)
    {
        $this->calls += $name === 'see' && $arguments[0] instanceof Aegir\Scale\Progress;
    }
}

$server = new Server();
$magic = new Magic();
var_dump(cluster_run($server->topology(), 'live', ['true'], [], [$magic, 'see'])->ok, $magic->calls > 1);
?>
--EXPECT--
bool(true)
bool(true)
