<?php

/** Many servers at once, most of them dead; too few descriptors for them; and calls that were killed, and what they leave behind. */

require __DIR__ . '/lib.php';
require __DIR__ . '/faults.php';

use Aegir\Scale\Outcome;
use Aegir\Scale\Phase;
use Aegir\Scale\Topology;

const FILES = SOURCE . '/sites/shop.example/files';

/**
 * One call in a process of its own, with $t and $watch in its words. It prints a line and then waits for open_gate() when a server comes to
 * $stop_at or past it; its last line is its report, and the most descriptors that it was seen to have.
 */
final class Apart
{
    private $process;
    private array $pipes = [];

    public function __construct(Topology $t, string $call, ?Phase $stop_at = null, int $descriptors = 1024)
    {
        $stop = $stop_at === null ? PHP_INT_MAX : array_search($stop_at, Phase::cases());
        @unlink(FLEET . '/gate');
        file_put_contents(FLEET . '/apart.json', json_encode($t->toArray()));
        file_put_contents(FLEET . '/apart.php', '<?php
            $t = Aegir\Scale\Topology::fromArray(json_decode(file_get_contents($argv[1]), true));
            $most = 0;
            $watch = function ($p) use (&$most, &$said) {
                $most = max($most, count(scandir("/proc/self/fd")) - 3);
                if (!$said && array_search($p->phase, Aegir\Scale\Phase::cases()) >= ' . $stop . ') {
                    echo "here\n";
                    for ($said = true; !file_exists("' . FLEET . '/gate"); usleep(50000), clearstatcache());
                }
            };
            echo json_encode(["report" => ' . $call . ', "most" => $most]), "\n";');
        $this->process = proc_open(['bash', '-c', "ulimit -n $descriptors; exec \"\$@\"", 'bash', PHP_BINARY, '-n', '-d', 'extension=' . getenv('AEGIR_SCALE_MODULE'),
            FLEET . '/apart.php', FLEET . '/apart.json'], [['file', '/dev/null', 'r'], ['pipe', 'w'], ['redirect', 1]], $this->pipes);
        Touched::$processes[] = $this->process;
        if ($stop_at !== null) {
            same(fgets($this->pipes[1]), "here\n", 'what the other process says');
        }
    }

    public function kill(): void
    {
        proc_terminate($this->process, SIGKILL);
        same(stream_get_contents($this->pipes[1]), '', 'what the other process said before it was killed');
    }

    public function open_gate(): void
    {
        touch(FLEET . '/gate');
    }

    /** What it prints at its end. */
    public function answer(): array
    {
        $out = stream_get_contents($this->pipes[1]);
        return json_decode($out, true) ?? throw new Failure('the other process says: ' . substr($out, 0, 600));
    }
}

/** Every server by ten names, each on a port of its own: forty servers with a connection each. */
function forty(): Topology
{
    $ports = range(2201, 2210);
    foreach (NAMES as $name) {
        sshd_with($name, 'Port 22', ...array_map(fn ($port) => "Port $port", $ports));
    }
    return many_names(NAMES, $ports);
}

/** The roots of those of the forty that are on $server, as [server => roots]. */
function roots_of(array $names): array
{
    $roots = [];
    foreach ($names as $name) {
        $roots[explode('-', $name)[0]][] = HUB . "/roots/$name";
    }
    return $roots;
}

function in_step_below(array $names): void
{
    foreach (roots_of($names) as $server => $roots) {
        in_step([$server], $roots);
    }
}

/** Names by outcome; those that failed had no descriptor, and cost no more time than those that were served. */
function served_or_without_descriptor(array $report): array
{
    $names = ['synced' => [], 'failed' => []];
    foreach ($report['servers'] as $name => $result) {
        $names[$result['outcome']][] = $name;
        if ($result['outcome'] === 'failed') {
            check(preg_match('/^[^\n]*: Too many open files$/', $result['error']) === 1, "the error of $name: {$result['error']}");
        }
    }
    same([count($names), count($report['servers'])], [2, 40], 'kinds of outcome, and servers');
    check($names['synced'] !== [] && $names['failed'] !== [], count($names['failed']) . ' servers failed of 40');
    return $names;
}

test('a push to more servers than there are descriptors serves those that find one', function () {
    needs_namespaces();
    source(small_site() + ['a/b/c/d/e/f/g/h/i/j/k/deep' => 'x']);
    $t = forty();
    $apart = new Apart($t, 'Aegir\Scale\cluster_sync($t, "live", "' . SOURCE . '", ["max_failures" => 40], $watch)', null, 64);
    $answer = $apart->answer();
    check($answer['most'] <= 64, "{$answer['most']} descriptors were open");
    $names = served_or_without_descriptor($answer['report']);
    check($answer['report']['committed'], 'not committed');
    in_step_below($names['synced']);
    foreach (roots_of($names['failed']) as $server => $roots) {
        foreach ($roots as $root) {
            check(!file_exists(server_path($server, $root . SOURCE)), "something was pushed to $root of $server");
        }
    }
    $report = push([], null, SOURCE, $t);
    check($report->ok, 'not ok with enough descriptors: ' . json_encode($report));
    in_step_below(array_keys($report->servers));
});

test('a fetch from more servers than there are descriptors brings what those have that find one', function () {
    needs_namespaces();
    $t = forty();
    $all = array_keys(array_filter($t->toArray()['servers'], fn ($name) => str_contains($name, '-'), ARRAY_FILTER_USE_KEY));
    foreach (roots_of($all) as $server => $roots) {
        foreach ($roots as $root) {
            tree(server_path($server, $root . FILES), ["$server/" . basename($root) => "of $root"]);
        }
    }
    tree(FILES, []);
    $apart = new Apart($t, 'Aegir\Scale\cluster_fetch($t, "live", "' . FILES . '", [], $watch)', null, 64);
    $answer = $apart->answer();
    check($answer['most'] <= 64, "{$answer['most']} descriptors were open");
    $names = served_or_without_descriptor($answer['report']);
    foreach ($all as $name) {
        same(file_exists(FILES . '/' . explode('-', $name)[0] . "/$name"), in_array($name, $names['synced'], true), "\"what $name has is here\"");
    }
    $report = Aegir\Scale\cluster_fetch($t, 'live', FILES);
    check($report->ok, 'not ok with enough descriptors: ' . json_encode($report));
    same(count(glob(FILES . '/*/*')), 40, 'files here');
    same(glob(dirname(FILES) . '/.aegir-fetch.*'), [], 'what is left of the calls');
});

foreach ([Phase::Transfer, Phase::Staged, Phase::Commit, Phase::Delete] as $phase) {
    test("a push that was killed in phase $phase->value is finished by the next one", function () use ($phase) {
        needs_namespaces();
        two_large_versions();
        $before = served_now();
        (new Apart(topology(), 'Aegir\Scale\cluster_sync($t, "live", "' . SOURCE . '", [], $watch)', $phase))->kill();
        array_map(no_rsync_on(...), NAMES);
        if ($phase === Phase::Transfer || $phase === Phase::Staged) {
            same(served_now() === $before, true, '"everyone serves what it served before"');
        }
        if ($phase === Phase::Staged) {
            check(implode('', array_map(fn ($name) => on($name, 'find ' . SOURCE . " -path '*/.~tmp~/*'"), NAMES)) !== '', 'nothing was staged anywhere');
        }
        pushed();
        in_step();
    });
}

foreach ([Phase::Transfer, Phase::Staged, Phase::Commit] as $phase) {
    test("a release that was killed in phase $phase->value is finished by the next call", function () use ($phase) {
        needs_namespaces();
        source(small_site());
        $release = fn (string $id) => went_well(push(['release' => $id]));
        $release('r1');
        $first = array_map(fn ($name) => snapshot(server_path($name, SOURCE . '/.releases/r1')), NAMES);
        source(['index.php' => '2', 'big' => noise(3000000)]);
        (new Apart(topology(), 'Aegir\Scale\cluster_sync($t, "live", "' . SOURCE . '", ["release" => "r2"], $watch)', $phase))->kill();
        if ($phase !== Phase::Commit) {         // an rsync that has all it needs waits up to a minute for a word more
            array_map(no_rsync_on(...), NAMES);
        }
        foreach (NAMES as $name) {
            same(readlink(server_path($name, SOURCE . '/current')), '.releases/r1', "what $name serves");
        }
        $release('r2');
        foreach (NAMES as $i => $name) {
            $releases = server_path($name, SOURCE . '/.releases');
            same(readlink(server_path($name, SOURCE . '/current')), '.releases/r2', "what $name serves");
            same(run_here('rsync', '-anc', '--delete', '--itemize-changes', SOURCE . '/', "$releases/r2/"), '', "what rsync would still change on $name");
            same(run_here('find', $releases, '-name', '.staging.*', '-o', '-name', '.~tmp~'), '', "what is left on $name");
            same(snapshot("$releases/r1"), $first[$i], "the release before on $name");
        }
    });
}

test('what a killed fetch has left goes with the next one, and what another one needs stays', function () {
    needs_namespaces();
    $private = dirname(FILES) . '/private';
    tree(FILES, []);
    tree($private, []);
    foreach (NAMES as $name) {
        tree(server_path($name, FILES), ["from-$name" => noise(2000000)]);
        tree(server_path($name, $private), ["secret-of-$name" => $name]);
    }
    $fetch = fn (string $path) => new Apart(topology(), 'Aegir\Scale\cluster_fetch($t, "live", "' . $path . '", [], $watch)', Phase::Transfer);
    $fetch(FILES)->kill();
    same([count(glob(dirname(FILES) . '/.aegir-fetch.*')), glob(FILES . '/*')], [1, []], 'what the killed one has left, and brought');
    $other = $fetch($private);
    same(count(glob(dirname(FILES) . '/.aegir-fetch.*')), 1, 'places to keep what comes');
    check(Aegir\Scale\cluster_fetch(topology(), 'live', FILES)->ok, 'not ok');
    same(count(glob(FILES . '/from-*')), count(NAMES), 'files here');
    $other->open_gate();
    check($other->answer()['report']['ok'], 'the other one is not ok');
    same(count(glob("$private/secret-of-*")), count(NAMES), 'private files here');
    same(glob(dirname(FILES) . '/.aegir-fetch.*'), [], 'what is left of all calls');
});

test('a thousand servers of which four are alive', function () {
    needs_namespaces();
    source(small_site());
    $dead = ['refused' => 450, 'silent' => 96, 'unknown' => 450];
    // Nobody resolves names here, and some addresses swallow packets.
    file_put_contents(FLEET . '/resolv.conf', "nameserver 127.0.0.1\n");
    run_here('mount', '--bind', FLEET . '/resolv.conf', realpath('/etc/resolv.conf'));
    $silent = array_map(fn ($i) => "10.87.200.$i", range(1, $dead['silent']));
    file_put_contents(FLEET . '/neighbours', implode('', array_map(fn ($host) => "neigh replace $host lladdr 02:00:00:00:00:fe dev br0 nud permanent\n", $silent)));
    run_here('ip', '-batch', FLEET . '/neighbours');
    $t = topology(function (&$spec) use ($dead, $silent) {
        $alive = array_map(fn ($server) => ['connect_timeout' => 60] + $server, $spec['servers']);
        $usual = ['connect_timeout' => 1] + $alive['web1'];
        $spec['servers'] = [];
        for ($i = 0; $i < max($dead); $i++) {
            foreach ($dead as $how => $count) {
                if ($i < $count) {
                    $spec['servers']["$how$i"] = match ($how) {
                        'refused' => ['host' => '10.87.0.1', 'port' => 1000 + $i],
                        'silent' => ['host' => $silent[$i]],
                        'unknown' => ['host' => "web$i.invalid"],
                    } + $usual;
                }
            }
        }
        $spec['servers'] += $alive;
        $spec['clusters'] = ['live' => ['servers' => array_keys($spec['servers'])]];
    });
    $open = fn () => count(scandir('/proc/self/fd')) - 3;
    $threads = count(scandir('/proc/self/task'));
    [$before, $most, $parallel] = [$open(), 0, 32];
    try {
        $report = push(['max_failures' => 996, 'parallel' => $parallel], function () use (&$most, $open) {
            $most = max($most, $open());
        }, SOURCE, $t);
    } finally {
        run_here('umount', realpath('/etc/resolv.conf'));
        run_here('ip', 'neigh', 'flush', 'dev', 'br0', 'nud', 'permanent');
    }
    same(count($report->servers), 1000, 'lines of the report');
    $words = ['refused' => 'Connection refused', 'silent' => 'no answer from', 'unknown' => 'cannot look up'];
    foreach ($report->servers as $name => $result) {
        $how = rtrim($name, '0123456789');
        if ($how === 'web') {
            outcome($report, $name, Outcome::Synced);
        } else {
            same(failed($report, $name, $words[$how])->phase, Phase::Connect, "the phase of $name");
        }
    }
    check($report->committed, 'not committed');
    in_step();
    // So many silent ones at a time cost a second; whoever answers, refuses or has no name costs next to nothing.
    $least = ceil($dead['silent'] / $parallel);
    $ratio = $report->seconds / $least;
    check($ratio > 0.9 && $ratio < 6, sprintf('it took %.1f s, %.1f times what the silent ones need', $report->seconds, $ratio));
    check($most - $before < 3 * $parallel, "up to $most descriptors were open, $before before");
    same($open() - $before, count(NAMES), 'descriptors that are open after the call');
    eventually(fn () => count(scandir('/proc/self/task')) === $threads, 'threads are left', 30);
});

finish();
