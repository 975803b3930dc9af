--TEST--
A server that cannot be reached is a result; the others do not switch unless told so
--EXTENSIONS--
aegir_scale
--SKIPIF--
<?php require __DIR__ . "/skip_server.inc"; ?>
--FILE--
<?php
require __DIR__ . '/server.inc';

use function Aegir\Scale\cluster_sync;

$server = new Server();
$source = $server->source(['a.txt' => 'alpha']);
$t = $server->topology(['web2' => ['port' => Server::freePort()]]);
foreach ([0, 1] as $allowed) {
    $report = cluster_sync($t, 'live', $source, ['max_failures' => $allowed]);
    var_dump($report->ok, $report->committed, $report->servers['web1']->outcome, $report->servers['web2']->outcome);
    var_dump($report->servers['web2']->phase, is_string($report->servers['web2']->error), $server->pushed('web1', "$source/a.txt"));
}
?>
--EXPECT--
bool(false)
bool(false)
enum(Aegir\Scale\Outcome::Staged)
enum(Aegir\Scale\Outcome::Failed)
enum(Aegir\Scale\Phase::Connect)
bool(true)
NULL
bool(false)
bool(true)
enum(Aegir\Scale\Outcome::Synced)
enum(Aegir\Scale\Outcome::Failed)
enum(Aegir\Scale\Phase::Connect)
bool(true)
string(5) "alpha"
