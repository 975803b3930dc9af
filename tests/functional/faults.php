<?php

/** What the tests of faults share: two versions of a tree, who serves which, and what is done to a server. */

use Aegir\Scale\Outcome;
use Aegir\Scale\Phase;
use Aegir\Scale\ServerResult;
use Aegir\Scale\SyncReport;
use Aegir\Scale\Topology;

const VICTIM = NAMES[1];

// --- trees -----------------------------------------------------------------------------------------------------------

/** Version 1 is on every server, version 2 at the hub. */
function two_versions(int $files = 60, int $size = 20000): void
{
    foreach ([1, 2] as $version) {
        $tree = [];
        for ($i = 0; $i < $files; $i++) {
            $tree[sprintf('dir%02d/file%04d', $i % 20, $i)] = noise($size, $i + 10000 * $version);
        }
        source($tree + ($version === 1 ? ['gone-in-2' => 'x'] : []));
        $version === 1 ? pushed() : unlink(SOURCE . '/gone-in-2');
    }
}

/** The same, large enough for rounds of its own: a hundred files of 30 KB change among a thousand, and fifty go. */
function two_large_versions(): void
{
    source(array_fill_keys(array_map(fn ($i) => "same/file$i", range(1, 1000)), 'same'));
    foreach ([1, 2] as $version) {
        $tree = [];
        for ($i = 0; $i < 100; $i++) {
            $tree[sprintf('dir%02d/file%04d', $i % 20, $i)] = noise(30000, $i + 10000 * $version);
        }
        source($tree);
        if ($version === 1) {
            source(array_fill_keys(array_map(fn ($i) => "gone/file$i", range(1, 50)), 'x'));
            foreach (NAMES as $name) {
                on($name, 'mkdir -p ' . PLATFORMS . ' && cp -a ' . seen_by_servers(SOURCE) . ' ' . PLATFORMS);
            }
            run_here('rm', '-r', SOURCE . '/gone');
        }
    }
}

/** Where a process in a server's namespaces finds what the hub calls $path. */
function seen_by_servers(string $path): string
{
    return FLEET . '/hub/aegir' . substr($path, strlen(HUB));
}

/** Says no when stock rsync, on the server itself, finds anything to do there, below each root: also where a disk of its own is mounted. */
function in_step(array $servers = NAMES, array|string $roots = ''): void
{
    $line = '';
    foreach ((array) $roots as $root) {
        $there = $root . SOURCE;
        $line .= 'rsync -anc --delete --itemize-changes ' . seen_by_servers(SOURCE) . "/ $there/ && find $there -name '.~tmp~' || exit; ";
    }
    foreach ($servers as $name) {
        $left = on($name, $line);
        check($left === '', "rsync would still change on $name, or staged files are left: " . substr($left, 0, 600));
    }
}

/** The files that each server serves, as it sees them itself. */
function served_now(): array
{
    return array_map(fn ($name) => on($name, 'cd ' . SOURCE . ' && find . -name ".~tmp~" -prune -o -type f ! -name ".*" -print0 | sort -z | xargs -0r md5sum'),
        array_combine(NAMES, NAMES));
}

function others(): array
{
    return array_values(array_diff(NAMES, [VICTIM]));
}

/** The files of every server, all at one version. */
function held(array $before, array $servers): void
{
    foreach ($servers as $name) {
        same(contents(server_path($name, SOURCE)) === $before[$name], true, "\"$name serves what it served before\"");
    }
}

function now(): array
{
    return array_map(fn ($name) => contents(server_path($name, SOURCE)), array_combine(NAMES, NAMES));
}

// --- results ---------------------------------------------------------------------------------------------------------

function together_or_not_at_all(SyncReport $report, array $before): void
{
    outcome($report, VICTIM, Outcome::Failed);
    check(!$report->ok, 'the report is ok');
    foreach (others() as $name) {
        outcome($report, $name, $report->committed ? Outcome::Synced : Outcome::Staged);
    }
    $report->committed ? equal_to_source([], SOURCE, others()) : held($before, others());
}

/** A server failed, and says why in one clean sentence that has $word in it. */
function failed(SyncReport $report, string $server, string $word = ''): ServerResult
{
    $result = outcome($report, $server, Outcome::Failed);
    check(preg_match('/^[^\x00-\x1f\x7f]{10,511}[^.\x00-\x1f\x7f]$/u', $result->error) === 1, "the error of $server is no clean sentence: " . show($result->error));
    check($word === '' || stripos($result->error, $word) !== false, "the error of $server does not say \"$word\": $result->error");
    return $result;
}

function no_rsync_on(string $server): void
{
    $left = '';
    eventually(function () use ($server, &$left) {
        return ($left = run_fleet('exec', $server, 'bash', '-c', 'ps -o pid,ppid,stat,wchan:20,etimes,args -C rsync --no-headers || true')) === '';
    }, function () use ($server, &$left) {
        return "rsync still runs on $server: $left";
    });
}

// --- servers ---------------------------------------------------------------------------------------------------------

/** Puts a program in place of a server's rsync until the test is over. */
function use_rsync(string $server, string $program): void
{
    on($server, 'mount --bind ' . escapeshellarg($program) . ' /usr/bin/rsync');
    afterwards($server, 'umount --lazy /usr/bin/rsync');
}

/** Starts a server's sshd again with more lines in its configuration, until the test is over. */
function sshd_with(string $server, string ...$lines): void
{
    $file = FLEET . "/servers/$server/sshd_config";
    if (!file_exists("$file.usual")) {
        copy($file, "$file.usual");
        afterwards($server, "mv $file.usual $file");
    }
    file_put_contents($file, implode("\n", $lines) . "\n" . file_get_contents("$file.usual"));
    fleet('kill', $server);
    fleet('revive', $server);
}

/** How often a server with LogLevel DEBUG1 took new keys in the middle, for what it receives or for what it sends. */
function new_keys(string $server, string $direction): int
{
    return preg_match_all("/set_newkeys: rekeying $direction,/", file_get_contents(FLEET . "/servers/$server/log"));
}

/** Servers by several names, one for each port, each name with a root of its own. */
function many_names(array $servers, array $ports): Topology
{
    return topology(function (&$spec) use ($servers, $ports) {
        $known = $names = [];
        foreach ($servers as $server) {
            $key = explode(' ', file_get_contents(FLEET . "/servers/$server/host_key.pub"))[1];
            $host = $spec['servers'][$server]['host'];
            foreach ($ports as $i => $port) {
                $names[] = $name = "$server-$i";
                $root = HUB . "/roots/$name";
                $spec['servers'][$name] = ['port' => $port, 'root' => $root, 'known_hosts' => FLEET . '/known_ports'] + $spec['servers'][$server];
                $known[] = ($port === 22 ? $host : "[$host]:$port") . " ssh-ed25519 $key\n";
                tree(server_path($server, $root), []);
            }
        }
        file_put_contents(FLEET . '/known_ports', array_unique($known));
        $spec['clusters'] = ['live' => ['servers' => $names]];
    });
}

/** An executable script in a place that every server sees. */
function script(string $name, string $text): string
{
    $file = FLEET . "/$name";
    file_put_contents($file, $text);
    chmod($file, 0755);
    return $file;
}

/** A progress callback for each server: what is done to it, once, when it comes to $phase or past it. */
function each_at_phase(Phase $phase, array $acts, array &$done): callable
{
    $callbacks = [];
    foreach ($acts as $server => $act) {
        $callbacks[$server] = at_phase($server, $phase, function () use ($act, $server, &$done) {
            $act($server);
            $done[] = $server;
        });
    }
    return function ($p) use ($callbacks) {
        return isset($callbacks[$p->server]) ? $callbacks[$p->server]($p) : null;
    };
}
