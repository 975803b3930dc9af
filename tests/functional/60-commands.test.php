<?php

/** cluster_run: one command, word for word, on every server. */

require __DIR__ . '/lib.php';

use Aegir\Scale\Outcome;

function run_on(array $argv, array $options = [], ?callable $progress = null): Aegir\Scale\RunReport
{
    return Aegir\Scale\cluster_run(topology(), 'live', $argv, $options, $progress);
}

test('a command runs on every server and its output comes back', function () {
    $report = run_on(['hostname']);
    check($report->ok, 'not ok');
    foreach (NAMES as $name) {
        $result = $report->servers[$name];
        same([$result->outcome, $result->exitStatus, $result->signal, $result->error], [Outcome::Synced, 0, null, null], "result of $name");
        same($result->stdout, (NAMESPACES ? $name : gethostname()) . "\n", 'output');
    }
});

test('arguments arrive word for word', function () {
    $words = ['plain', '', ' ', 'two words', "quo'te", '"double"', '$HOME', '`id`', '$(id)', '*', '~', '-n', '--', ';', '&', '|', '>x', "new\nline", "tab\t",
        'back\\slash', '\\n', '%s', '!history', "lat\xe4in", "\x01\x7f", 'ünïcödé', '#', '{a,b}', str_repeat('long', 5000)];
    $report = run_on(['printf', '%s\0', ...$words]);
    foreach (NAMES as $name) {
        same($report->servers[$name]->stdout, implode("\0", $words) . "\0", "output of $name");
    }
});

test('a command may have an odd name', function () {
    $report = run_on(['/bin/no such; command']);
    check(!$report->ok, 'ok');
    foreach ($report->servers as $result) {
        same([$result->outcome, $result->exitStatus], [Outcome::Failed, 127], 'result');
    }
});

test('exit status and signal come back', function () {
    foreach ([0, 1, 42, 255] as $status) {
        foreach (run_on(['sh', '-c', "exit $status"])->servers as $result) {
            same([$result->exitStatus, $result->outcome], [$status, $status === 0 ? Outcome::Synced : Outcome::Failed], 'result');
            check($status === 0 || $result->error !== null, 'no error');
        }
    }
    foreach (run_on(['sh', '-c', 'kill -TERM $$'])->servers as $result) {
        same([$result->exitStatus, $result->signal, $result->outcome], [null, 'TERM', Outcome::Failed], 'result');
    }
});

test('both outputs come back, apart', function () {
    foreach (run_on(['sh', '-c', 'echo out; echo err >&2'])->servers as $result) {
        same([$result->stdout, $result->stderr], ["out\n", "err\n"], 'outputs');
    }
});

test('input reaches the command on every server', function () {
    $input = noise(3000000);
    foreach (run_on(['md5sum'], ['input' => $input])->servers as $result) {
        same($result->stdout, md5($input) . "  -\n", 'output');
    }
    foreach (run_on(['cat'], ['input' => "a\0b\n"])->servers as $result) {
        same($result->stdout, "a\0b\n", 'output');
    }
    foreach (run_on(['cat'])->servers as $result) {
        same($result->stdout, '', 'output without input');
    }
});

test('a command that does not read its input is no error', function () {
    check(run_on(['true'], ['input' => noise(2000000)])->ok, 'not ok');
});

test('output beyond eight megabytes is cut and said so', function () {
    foreach (run_on(['head', '-c', '9000000', '/dev/zero'])->servers as $result) {
        same([strlen($result->stdout), $result->truncated, $result->exitStatus], [8 << 20, true, 0], 'length, truncated, status');
    }
    foreach (run_on(['head', '-c', '1000000', '/dev/zero'])->servers as $result) {
        same([strlen($result->stdout), $result->truncated], [1000000, false], 'length and truncated');
    }
});

test('output that is no UTF-8 becomes JSON', function () {
    $json = json_encode(run_on(['printf', '\344\0']));
    check($json !== false && stripos($json, '\\\\xe4') !== false, "the JSON is $json");
});

test('a dead server fails and the others run', function () {
    fleet('kill', NAMES[1]);
    $report = run_on(['echo', 'hello'], ['connect_timeout' => 2]);
    check(!$report->ok, 'ok');
    foreach (NAMES as $name) {
        $result = $report->servers[$name];
        same($result->outcome, $name === NAMES[1] ? Outcome::Failed : Outcome::Synced, "outcome of $name");
        same($result->stdout, $name === NAMES[1] ? '' : "hello\n", "output of $name");
    }
});

test('silence beyond the timeout ends the command', function () {
    $begun = microtime(true);
    $report = run_on(['sleep', '30'], ['timeout' => 2]);
    check(microtime(true) - $begun < 8, 'it took ' . (microtime(true) - $begun) . ' s');
    foreach ($report->servers as $result) {
        same($result->outcome, Outcome::Failed, 'outcome');
    }
});

test('a command that speaks now and then may take longer than the timeout', function () {
    check(run_on(['sh', '-c', 'for i in 1 2 3 4; do echo $i; sleep 0.8; done'], ['timeout' => 2])->ok, 'not ok');
});

test('cancelling a run cuts it off', function () {
    $begun = microtime(true);
    thrown(Aegir\Scale\CancelledException::class, fn () => run_on(['sleep', '30'], [], fn () => false));
    check(microtime(true) - $begun < 5, 'it took ' . (microtime(true) - $begun) . ' s');
});

test('connections are shared between pushes and commands', function () {
    source(small_site());
    pushed();
    $before = Aegir\Scale\pool_stats()['opened'];
    run_on(['true']);
    pushed();
    same(Aegir\Scale\pool_stats()['opened'], $before, 'connections opened');
});

test('an empty argument list and an empty command are refused', function () {
    thrown(ValueError::class, fn () => run_on([]));
    thrown(ValueError::class, fn () => run_on(["nul\0byte"]));
});

test('pool_close closes what is open', function () {
    run_on(['true']);
    check(Aegir\Scale\pool_stats()['idle'] > 0, 'no connection is idle');
    Aegir\Scale\pool_close();
    same(Aegir\Scale\pool_stats()['idle'], 0, 'idle connections');
    check(run_on(['true'])->ok, 'not ok afterwards');
});

finish();
