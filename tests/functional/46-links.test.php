<?php

/** Networks that are slow, cut, or lead one way only, and servers that do not know what time it is. */

require __DIR__ . '/lib.php';
require __DIR__ . '/faults.php';

use Aegir\Scale\Outcome;
use Aegir\Scale\Phase;
use Aegir\Scale\Topology;

/** What goes to a server goes no faster than this, until the test is over. */
function slow_link(string $server, string $rate): void
{
    try {
        run_here('tc', 'qdisc', 'replace', 'dev', link_to($server), 'root', 'tbf', 'rate', $rate, 'burst', '8kb', 'latency', '300ms');
    } catch (Failure $e) {
        throw new Skip('this kernel cannot slow a link down: ' . $e->getMessage());
    }
    afterwards($server, 'nsenter --net=/run/netns/hub tc qdisc del dev ' . link_to($server) . ' root');
}

function link_to(string $server): string
{
    return 'h' . trim(file_get_contents(FLEET . "/servers/$server/number"));
}

/** The server hears the hub, and the hub hears nothing of the server. */
function one_way(string $server): void
{
    on($server, 'ip neigh replace 10.87.0.1 lladdr 02:00:00:00:00:fe dev eth0 nud permanent');
    afterwards($server, both_ways());
}

function both_ways(): string
{
    return 'ip neigh del 10.87.0.1 dev eth0 2>/dev/null || true';
}

/** Servers that may be silent for so many seconds. */
function patience(int $seconds, array $servers): Topology
{
    return topology(function (&$spec) use ($seconds, $servers) {
        foreach ($servers as $name) {
            $spec['servers'][$name]['timeout'] = $seconds;
        }
    });
}

test('a slow link costs nobody else time with commit each', function () {
    needs_namespaces();
    source(['a' => noise(170000)]);
    slow_link('web2', '256kbit');
    slow_link('web3', '2mbit');
    $report = push(['commit' => 'each'], null, SOURCE, patience(3, ['web2']));
    went_well($report);
    in_step();
    $seconds = array_map(fn ($result) => $result->seconds, $report->servers);
    check($seconds['web2'] > 3, "170 KB came over 256 kbit/s within {$seconds['web2']} s");
    foreach (['web1', 'web3', 'web4'] as $name) {
        check($seconds[$name] < $seconds['web2'] / 2, "$name took {$seconds[$name]} s, the slow one {$seconds['web2']} s");
    }
});

test('all wait for a slow link with commit together, however little silence they are allowed', function () {
    needs_namespaces();
    source(['a' => 'version 1']);
    pushed();
    source(['a' => noise(240000)]);
    slow_link('web2', '256kbit');
    $early = [];
    $report = push([], function ($p) use (&$early) {
        if ($p->server === 'web2' && $p->phase === Phase::Transfer) {
            $early[] = $p->bytesDone;
            foreach (others() as $name) {
                same(file_get_contents(server_path($name, SOURCE . '/a')), 'version 1', "the file on $name while another one is slow");
            }
        }
    }, SOURCE, patience(3, NAMES));
    went_well($report);
    in_step();
    check($early !== [], 'the slow one was never seen in phase transfer');
    check($report->seconds > 6, "240 KB came over 256 kbit/s within $report->seconds s");
    foreach ($report->servers as $name => $result) {
        check($result->seconds > $report->servers['web2']->seconds / 2, "$name was done after $result->seconds s");
    }
});

test('new keys in the middle on a slow link', function () {
    needs_namespaces();
    sshd_with('web2', 'RekeyLimit 512K', 'LogLevel DEBUG1');
    slow_link('web2', '16mbit');
    source(['a' => noise(4000000), 'b' => noise(4000000, 2)]);
    went_well(push(['compress' => 'none', 'commit' => 'each']));
    in_step();
    check(new_keys('web2', 'in') >= 4, 'new keys were taken ' . new_keys('web2', 'in') . ' times in 8 MB');
});

test('a link that is cut for two seconds delays the push and no more', function () {
    needs_namespaces();
    two_versions(100, 40000);
    $begun = null;
    $report = push([], at_phase(VICTIM, Phase::Transfer, function () use (&$begun) {
        fleet('link', VICTIM, 'down');
        $begun = microtime(true);
        background('bash', '-c', 'sleep 2; bash "$0" link "$1" up', dirname(__DIR__) . '/lib/fleet.sh', VICTIM);
    }, $done));
    check($done, 'the phase transfer was never reported');
    check(microtime(true) - $begun > 1.9, 'the push did not wait for the link');
    went_well($report);
    in_step();
});

test('a link that leads one way only costs its server, in the middle and from the beginning', function () {
    needs_namespaces();
    two_versions(100, 40000);
    $begun = null;
    $t = topology(function (&$spec) {
        $spec['servers'][VICTIM]['timeout'] = $spec['servers'][VICTIM]['connect_timeout'] = 3;
    });
    $report = push(['max_failures' => 1], at_phase(VICTIM, Phase::Transfer, function () use (&$begun) {
        one_way(VICTIM);
        $begun = microtime(true);
    }, $done), SOURCE, $t);
    check($done, 'the phase transfer was never reported');
    failed($report, VICTIM, 'no sign of life for 3 s');
    check(microtime(true) - $begun < 3 * 4, 'it took ' . (microtime(true) - $begun) . ' s with a timeout of 3');
    in_step(others());
    source(['dir00/file0000' => 'version 3']);
    $begun = microtime(true);
    $report = push(['max_failures' => 1], null, SOURCE, $t);
    failed($report, VICTIM, 'within 3 s while connecting');
    check(microtime(true) - $begun < 3 * 4, 'it took ' . (microtime(true) - $begun) . ' s with a connect_timeout of 3');
    in_step(others());
    on(VICTIM, both_ways());
    // The rsync of the first push hears only now that it was given up, and puts aside what it has: a push before that may find it in its way.
    eventually(fn () => trim(shell_exec('pgrep -cx rsync') ?? '') === '0', 'the rsync that was given up lives on', 90);
    pushed();
    in_step();
});

test('a kept connection that the server has forgotten is replaced', function () {
    needs_namespaces();
    source(small_site());
    pushed();
    $address = fleet('address', VICTIM);
    // As after a power cut: it says no good-bye, and comes up without its connections.
    on(VICTIM, 'echo 1 >/proc/sys/net/ipv4/tcp_orphan_retries');
    afterwards(VICTIM, 'echo 0 >/proc/sys/net/ipv4/tcp_orphan_retries');
    fleet('crash', VICTIM);
    eventually(fn () => on(VICTIM, 'ss -Htan dst 10.87.0.1; ip neigh show 10.87.0.1 nud incomplete') === '', 'the server still has something to send', 60);
    fleet('link', VICTIM, 'up');
    fleet('revive', VICTIM);
    check(str_contains(run_here('ss', '-Htan', 'dst', $address), 'ESTAB'), 'the hub has noticed already');
    $opened = Aegir\Scale\pool_stats()['opened'];
    source(['index.php' => 'changed']);
    pushed();
    in_step();
    same(Aegir\Scale\pool_stats()['opened'] - $opened, 1, 'connections opened again');
});

test('clocks that are a day slow or fast change nothing', function () {
    needs_namespaces();
    copy('/usr/bin/rsync', FLEET . '/rsync-real');
    chmod(FLEET . '/rsync-real', 0755);
    $days = ['web2' => '-1d', 'web3' => '+1d'];
    foreach ($days as $name => $day) {
        // Only what rsync takes for the time of day: the files of a server have the times that they have.
        use_rsync($name, script("rsync-at$day", "#!/bin/sh\nexport NO_FAKE_STAT=1\nfaketime -f $day date +%s >" . FLEET . "/clock-of-$name\n"
            . 'exec faketime -f ' . $day . ' ' . FLEET . "/rsync-real \"\$@\"\n"));
    }
    source(small_site() + array_fill_keys(array_map(fn ($i) => "many/file$i", range(1, 1000)), 'x'));
    // Files of tomorrow, of just now and of long ago.
    touch(SOURCE . '/index.php', time() + 86400);
    touch(SOURCE . '/core/lib/a.php', time());
    touch(SOURCE . '/core/lib/b.php', 1);
    pushed();
    foreach ($days as $name => $day) {
        $off = (int) file_get_contents(FLEET . "/clock-of-$name") - time();
        check(abs($off - (int) $day * 86400) < 3600, "the clock of $name is off by $off s");
    }
    in_step();
    foreach (pushed()->servers as $name => $result) {
        same([$result->outcome, $result->files], [Outcome::Unchanged, 0], "the second push to $name");
    }
    source(['index.php' => 'changed', 'new/file' => 'x']);
    unlink(SOURCE . '/core/empty');
    foreach (pushed()->servers as $name => $result) {
        same([$result->files, $result->deleted], [2, 1], "files sent to $name and deleted there");
    }
    in_step();
    check(status()->ok, 'a status sees a difference');
});

finish();
