<?php

/**
 * Three servers at once come to harm in the same phase, each in its own way, and the first one never does. With room for three failures it
 * is as the source afterwards; without, it serves what it served before. When they are mended the same call ends in step everywhere.
 */

require __DIR__ . '/lib.php';
require __DIR__ . '/faults.php';

use Aegir\Scale\Outcome;
use Aegir\Scale\Phase;
use Aegir\Scale\Topology;

const WELL = NAMES[0];

/** A phase that lasts for as long as the servers need: they are stopped while staged, and go on when it has come. */
function in_phase(Phase $phase, array $acts, array &$done, bool $thaw): callable
{
    if ($phase !== Phase::Commit) {
        return each_at_phase($phase, $acts, $done);
    }
    $stopped = [];
    $stop = each_at_phase(Phase::Staged, array_map(fn () => fn ($server) => fleet('freeze', $server), $acts), $stopped);
    $act = each_at_phase(Phase::Commit, array_map(fn ($act) => function ($server) use ($act, $thaw) {
        $act($server);
        if ($thaw) {
            fleet('thaw', $server);
        }
    }, $acts), $done);
    return function ($p) use ($stop, $act) {
        $stop($p);
        $act($p);
    };
}

/**
 * Pushes version 2 with $acts in $phase. Before the switch no failure is allowed for, so that nobody may switch; later that would be
 * too late, and so would it be for those who cannot even connect: there three may fail. $errors has a word of each one's error, null for a
 * server that ends well and '' for one that may do either.
 */
function harm(Phase $phase, array $acts, array $errors, bool $thaw, Topology $t): void
{
    $before = served_now();
    if ($phase === Phase::Connect) {
        Aegir\Scale\pool_close();
    }
    $done = [];
    $none_may = $phase === Phase::List || $phase === Phase::Transfer;
    $report = push(['max_failures' => $none_may ? 0 : 3], in_phase($phase, $acts, $done, $thaw), SOURCE, $t);
    sort($done);
    same($done, array_keys($acts), "the servers that came to phase $phase->value");
    foreach ($errors as $server => $word) {
        if ($word === null || ($word === '' && $report->servers[$server]->outcome === Outcome::Synced)) {
            outcome($report, $server, Outcome::Synced);
        } else {
            failed($report, $server, $word);
        }
    }
    same($report->committed, !$none_may, 'committed');
    outcome($report, WELL, $none_may ? Outcome::Staged : Outcome::Synced);
    if ($none_may) {
        same(served_now() === $before, true, '"everyone serves what it served before"');
    } else {
        in_step([WELL, ...array_keys(array_filter($errors, fn ($word) => $word === null))]);
    }
}

function in_step_again(): void
{
    pushed();
    in_step();
}

foreach ([Phase::Connect, Phase::List, Phase::Transfer, Phase::Staged, Phase::Commit, Phase::Delete] as $phase) {
    test("servers that hang, come up again or are gone in phase $phase->value", function () use ($phase) {
        needs_namespaces();
        two_large_versions();
        if ($phase !== Phase::Connect) {
            // Connections are there already.
            check(Aegir\Scale\cluster_run(topology(), 'live', ['true'])->ok, 'the servers do not answer');
        }
        harm($phase, [
            'web2' => fn ($server) => fleet('freeze', $server),
            'web3' => function ($server) {
                fleet('kill', $server);
                fleet('revive', $server);
            },
            'web4' => fn ($server) => fleet('kill', $server),
        ], [
            'web2' => $phase === Phase::Connect ? 'no answer' : 'no ',
            // One that is up again before it is needed does its work.
            'web3' => match ($phase) {
                Phase::Connect => null,
                Phase::Delete => '',
                default => 'connection',
            },
            'web4' => 'connect',
        ], thaw: false, t: topology(function (&$spec) {
            $spec['servers']['web2']['timeout'] = $spec['servers']['web2']['connect_timeout'] = 3;
        }));
        if ($phase === Phase::Staged) {
            check(on('web3', 'find ' . SOURCE . " -path '*/.~tmp~/*'") !== '', 'the server that came up again has no staged files left');
        }
        fleet('thaw', 'web2');
        fleet('revive', 'web4');
        in_step_again();
    });
}

/** The server's /var/aegir on a disk of its own, which is mounted a second time, for reading only. */
function small_disk(string $server, string $options): void
{
    $same = same_disk($server);
    on($server, "mount -t tmpfs -o $options disk /var/aegir && mkdir $same && mount --bind /var/aegir $same && mount -o remount,ro,bind $same");
    afterwards($server, "while grep -q '^disk /var/aegir ' /proc/mounts; do umount -l /var/aegir; done; umount -l $same; rmdir $same");
}

function same_disk(string $server): string
{
    return FLEET . "/servers/$server/same-disk";
}

foreach ([Phase::Connect, Phase::List, Phase::Transfer, Phase::Staged, Phase::Commit, Phase::Delete] as $phase) {
    test("disks that are full, have no inodes left or cannot be written in phase $phase->value", function () use ($phase) {
        needs_namespaces();
        small_disk('web2', 'size=16m');
        small_disk('web3', 'nr_inodes=2000');
        small_disk('web4', 'size=16m');
        two_large_versions();
        // What is staged needs no more room to be renamed, and what is deleted even less.
        $space = in_array($phase, [Phase::Connect, Phase::List, Phase::Transfer], true) ? 'no space left on device' : null;
        harm($phase, [
            'web2' => fn ($server) => on($server, 'head -c 16M /dev/zero >/var/aegir/filler || true'),
            'web3' => fn ($server) => on($server, 'i=0; while : >/var/aegir/filler.$((++i)); do :; done 2>/dev/null; true'),
            // Over the pushed path itself, so that an rsync that is in the directory above it sees it, too.
            'web4' => fn ($server) => on($server, 'mount --bind ' . same_disk($server) . substr(SOURCE, strlen(HUB)) . ' ' . SOURCE),
        ], ['web2' => $space, 'web3' => $space, 'web4' => 'read-only file system'], thaw: true, t: topology());
        on('web2', 'rm /var/aegir/filler');
        on('web3', 'rm /var/aegir/filler.*');
        on('web4', 'umount -l ' . SOURCE);
        in_step_again();
    });
}

finish();
