--TEST--
problems() lists every complaint of a file with line and column
--EXTENSIONS--
aegir_scale
--FILE--
<?php
require __DIR__ . '/show.inc';

use Aegir\Scale\Topology;

$file = __DIR__ . '/topology_file_problems.yml';
file_put_contents($file, <<<'YAML'
version: 1
servers:
  web1: { port: ssh }
  web2: { hots: 192.0.2.2 }
clusters:
  live: { servers: [web1, web3] }
YAML);
foreach (Topology::problems($file) as $p) {
    echo $p->line, ' ', $p->column, ' ', $p->where, ' | ', $p->message, "\n";
}
echo basename((string) $p), "\n";
echo json_encode(Topology::problems($file)[0], JSON_UNESCAPED_SLASHES), "\n";
show(fn () => Topology::fromFile($file));
file_put_contents($file, "version: 1\nservers: { web1: {} }\n");
var_dump(Topology::problems($file), Topology::fromFile($file)->toArray()['servers']['web1']['host']);
?>
--CLEAN--
<?php @unlink(__DIR__ . '/topology_file_problems.yml'); ?>
--EXPECTF--
3 17 servers.web1.port | port is "ssh", want a number from 1 to 65535
4 11 servers.web2.hots | unknown key "hots", did you mean "host"?
6 27 clusters.live.servers | no server "web3", did you mean "web%d"?
topology_file_problems.yml:6:27: no server "web3", did you mean "web%d"?
{"file":"%stopology_file_problems.yml","line":3,"column":17,"where":"servers.web1.port","message":"port is \"ssh\", want a number from 1 to 65535"}
Aegir\Scale\TopologyException: %stopology_file_problems.yml:3:17: port is "ssh", want a number from 1 to 65535 (and 2 more problems)
array(0) {
}
string(4) "web1"
