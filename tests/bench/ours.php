<?php

/**
 * The extension's side of the bench: reads one call per line and answers with what it cost, so that calls of one process, with
 * its connections kept, can be measured. php ours.php TOPOLOGY
 *
 *   sync PATH {"compress":"none"}     run true {}     close
 */

use function Aegir\Scale\cluster_run;
use function Aegir\Scale\cluster_sync;
use function Aegir\Scale\pool_close;

$topology = Aegir\Scale\Topology::fromFile($argv[1]);

function cpu(): float
{
    $usage = getrusage();
    return $usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec'] + ($usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec']) / 1e6;
}

while (($line = fgets(STDIN)) !== false) {
    [$verb, $what, $options] = explode(' ', trim($line), 3) + ['', '', '{}'];
    $options = json_decode($options ?: '{}', true);
    $begun = microtime(true);
    $cpu = cpu();
    $error = null;
    if ($verb === 'close') {
        pool_close();
    } else {
        $report = $verb === 'sync' ? cluster_sync($topology, 'live', $what, $options) : cluster_run($topology, 'live', [$what], $options);
        foreach ($report->servers as $server) {
            $error ??= $server->error === null ? null : "$server->server: $server->error";
        }
    }
    echo json_encode(['seconds' => round(microtime(true) - $begun, 4), 'cpu' => round(cpu() - $cpu, 4), 'error' => $error], JSON_INVALID_UTF8_SUBSTITUTE), "\n";
}
