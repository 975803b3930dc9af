--TEST--
A topology file that cannot be read is a ScaleException with its path
--EXTENSIONS--
aegir_scale
--FILE--
<?php
use Aegir\Scale\{ScaleException, Topology};

foreach (['fromFile', 'problems'] as $method) {
    try {
        Topology::$method('/nonexistent/cluster.yml');
    } catch (ScaleException $e) {
        echo get_class($e), ': ', $e->getMessage(), "\n";
        var_dump($e->path, $e->server);
    }
}
?>
--EXPECT--
Aegir\Scale\ScaleException: cannot open /nonexistent/cluster.yml: No such file or directory
string(24) "/nonexistent/cluster.yml"
NULL
Aegir\Scale\ScaleException: cannot open /nonexistent/cluster.yml: No such file or directory
string(24) "/nonexistent/cluster.yml"
NULL
