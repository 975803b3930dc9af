--TEST--
Values that no topology can hold are problems, all of them at once
--EXTENSIONS--
aegir_scale
--FILE--
<?php
use Aegir\Scale\{Topology, TopologyException};

try {
    Topology::fromArray([
        'version' => 1,
        'servers' => [
            'web1' => ['port' => 22.5, 'user' => "a\0b", 'host' => new stdClass(), 'root' => "\xff", "b\0d" => 1],
        ],
        'clusters' => ['live' => ['servers' => ['web1', STDIN]]],
    ]);
} catch (TopologyException $e) {
    echo $e->getMessage(), "\n";
    var_dump($e->server, $e->path, count($e->problems));
    foreach ($e->problems as $problem) {
        echo $problem, "\n";
    }
}
?>
--EXPECT--
servers.web1.port: port is a number with a fraction, want a whole number (and 5 more problems)
NULL
NULL
int(6)
servers.web1.port: port is a number with a fraction, want a whole number
servers.web1.user: user is not UTF-8 or holds a NUL byte
servers.web1.host: host is an object or a resource, want a string, a whole number, true, false, null or an array
servers.web1.root: root is not UTF-8 or holds a NUL byte
servers.web1: web1 has a key that is not UTF-8 or holds a NUL byte
clusters.live.servers: servers[1] is an object or a resource, want a string, a whole number, true, false, null or an array
