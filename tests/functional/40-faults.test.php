<?php

/** Servers that are dead, die, hang, are full or strange: each costs itself only, and nobody switches alone. */

require __DIR__ . '/lib.php';
require __DIR__ . '/faults.php';

use Aegir\Scale\CancelledException;
use Aegir\Scale\Outcome;
use Aegir\Scale\Phase;

test('a server whose port is closed fails and the others do not switch', function () {
    two_versions();
    $before = now();
    Aegir\Scale\pool_close();
    fleet('kill', VICTIM);
    $report = push();
    same($report->committed, false, 'committed');
    $result = outcome($report, VICTIM, Outcome::Failed);
    same($result->phase, Phase::Connect, 'phase');
    together_or_not_at_all($report, $before);
    fleet('revive', VICTIM);
    pushed();
    equal_to_source();
});

test('an address that swallows packets costs the connect timeout and no more', function () {
    needs_namespaces();
    fleet('blackhole', '10.87.200.1');
    source(small_site());
    $t = topology(fn (&$spec) => $spec['servers'][VICTIM]['host'] = '10.87.200.1');
    $begun = microtime(true);
    $report = push(['connect_timeout' => 2], null, SOURCE, $t);
    $seconds = microtime(true) - $begun;
    outcome($report, VICTIM, Outcome::Failed);
    check($seconds > 1.5 && $seconds < 5, "it took $seconds s");
    foreach (others() as $name) {
        outcome($report, $name, Outcome::Staged);
    }
});

test('a server that dies between two pushes fails only itself', function () {
    two_versions();
    $before = now();
    fleet('kill', VICTIM);
    together_or_not_at_all(push(), $before);
    fleet('revive', VICTIM);
    pushed();
    equal_to_source();
});

test('a server that was restarted is reached over a new connection', function () {
    source(small_site());
    pushed();
    fleet('kill', VICTIM);
    fleet('revive', VICTIM);
    source(['index.php' => 'changed']);
    pushed();
    equal_to_source();
});

foreach ([Phase::Connect, Phase::Start, Phase::List, Phase::Transfer, Phase::Staged, Phase::Commit, Phase::Delete] as $phase) {
    test("a server killed in phase $phase->value leaves the others together", function () use ($phase) {
        two_versions(2000, 4000);
        $before = now();
        if ($phase === Phase::Connect) {
            Aegir\Scale\pool_close();
        }
        $report = push([], at_phase(VICTIM, $phase, function () {
            fleet('kill', VICTIM);
        }, $done));
        check($done, "the phase $phase->value was never reported");
        if ($report->servers[VICTIM]->outcome === Outcome::Synced) {
            // Its last byte was under way already.
            went_well($report);
        } else {
            together_or_not_at_all($report, $before);
        }
        if (in_array($phase, [Phase::Connect, Phase::Start, Phase::List], true)) {
            same($report->committed, false, 'committed');
        }
        fleet('revive', VICTIM);
        pushed();
        equal_to_source();
    });
}

test('a server killed while staged and waiting keeps everyone from switching', function () {
    needs_namespaces();
    two_versions();
    $before = now();
    $slow = NAMES[2];
    $frozen = false;
    $report = push([], function ($p) use ($slow, &$frozen, &$killed) {
        if (!$frozen && $p->server === $slow && $p->phase !== Phase::Connect) {
            fleet('freeze', $slow);
            $frozen = true;
        }
        if ($frozen && !$killed && $p->server === VICTIM && $p->phase === Phase::Staged) {
            fleet('kill', VICTIM);
            $killed = true;
            fleet('thaw', $slow);
        }
    });
    check($killed ?? false, 'the phase staged was never reported while another server hung');
    same($report->committed, false, 'committed');
    together_or_not_at_all($report, $before);
    fleet('revive', VICTIM);
    pushed();
    equal_to_source();
});

test('a server whose cable is pulled costs its timeout', function () {
    needs_namespaces();
    two_versions(400, 100000);
    $before = now();
    $begun = null;
    $report = push(['timeout' => 3], at_phase(VICTIM, Phase::Transfer, function () use (&$begun) {
        fleet('link', VICTIM, 'down');
        $begun = microtime(true);
    }, $done));
    check($done, 'the phase transfer was never reported');
    $seconds = microtime(true) - $begun;
    check($seconds < 12, "it took $seconds s after the cut, with a timeout of 3");
    together_or_not_at_all($report, $before);
    fleet('link', VICTIM, 'up');
    pushed();
    equal_to_source();
});

test('a server that hangs costs its timeout and the others none', function () {
    two_versions();
    $before = now();
    fleet('freeze', VICTIM);
    $begun = microtime(true);
    $report = push(['timeout' => 3, 'connect_timeout' => 3, 'commit' => 'each']);
    $seconds = microtime(true) - $begun;
    outcome($report, VICTIM, Outcome::Failed);
    check($seconds < 8, "it took $seconds s with timeouts of 3");
    foreach (others() as $name) {
        $result = outcome($report, $name, Outcome::Synced);
        check($result->seconds < 3, "$name took {$result->seconds} s because another one hung");
    }
    equal_to_source([], SOURCE, others());
    fleet('thaw', VICTIM);
});

test('a slow server does not keep the others from switching with commit each', function () {
    two_versions();
    fleet('kill', VICTIM);
    $report = push(['commit' => 'each']);
    outcome($report, VICTIM, Outcome::Failed);
    foreach (others() as $name) {
        outcome($report, $name, Outcome::Synced);
    }
    equal_to_source([], SOURCE, others());
});

test('as many servers as max_failures may fail without stopping the others', function () {
    two_versions();
    $before = now();
    fleet('kill', NAMES[1]);
    $report = push(['max_failures' => 1]);
    same([$report->committed, $report->ok], [true, false], 'committed and ok');
    foreach (others() as $name) {
        outcome($report, $name, Outcome::Synced);
    }
    equal_to_source([], SOURCE, others());
    source(['dir00/file0000' => 'version 3']);
    $before = now();
    fleet('kill', NAMES[2]);
    $report = push(['max_failures' => 1]);
    same([$report->committed, $report->ok], [false, false], 'committed and ok with two dead');
    held($before, [NAMES[0], NAMES[3]]);
});

test('a server where every one fails is no commit', function () {
    source(small_site());
    foreach (NAMES as $name) {
        fleet('kill', $name);
    }
    $report = push(['connect_timeout' => 2]);
    same([$report->committed, $report->ok], [false, false], 'committed and ok');
    foreach (NAMES as $name) {
        outcome($report, $name, Outcome::Failed);
    }
});

test('a changed host key is refused', function () {
    source(small_site());
    $known = file_get_contents(FLEET . '/known_hosts');
    fleet('keys', VICTIM);
    fleet('kill', VICTIM);
    fleet('revive', VICTIM);
    $new = file_get_contents(FLEET . '/known_hosts');
    file_put_contents(FLEET . '/known_hosts', $known);
    try {
        $report = push();
        $result = outcome($report, VICTIM, Outcome::Failed);
        same($result->phase, Phase::Connect, 'phase');
        check(stripos($result->error, 'key') !== false, "the error is: $result->error");
        check(!file_exists(server_path(VICTIM, SOURCE)), 'something was sent to a server with a wrong key');
    } finally {
        file_put_contents(FLEET . '/known_hosts', $new);
    }
    pushed();
});

test('an unknown host key is refused with a word on how to add it', function () {
    source(small_site());
    $known = file_get_contents(FLEET . '/known_hosts');
    $address = fleet('address', VICTIM);
    file_put_contents(FLEET . '/known_hosts', implode('', preg_grep('/^\[?' . preg_quote($address) . '[\] ]/', file(FLEET . '/known_hosts'), PREG_GREP_INVERT)));
    try {
        $result = outcome(push(), VICTIM, Outcome::Failed);
        check(stripos($result->error, 'known') !== false, "the error is: $result->error");
        check(!file_exists(server_path(VICTIM, SOURCE)), 'something was sent to an unknown server');
    } finally {
        file_put_contents(FLEET . '/known_hosts', $known);
    }
});

test('a known_hosts file that is missing refuses every server', function () {
    source(small_site());
    $t = topology(function (&$spec) {
        foreach ($spec['servers'] as &$server) {
            $server['known_hosts'] = FLEET . '/no-such-file';
        }
    });
    $report = push([], null, SOURCE, $t);
    foreach (NAMES as $name) {
        outcome($report, $name, Outcome::Failed);
    }
});

test('a hashed known_hosts line is understood', function () {
    source(small_site());
    copy(FLEET . '/known_hosts', FLEET . '/hashed');
    run_here('ssh-keygen', '-q', '-H', '-f', FLEET . '/hashed');
    $t = topology(function (&$spec) {
        foreach ($spec['servers'] as &$server) {
            $server['known_hosts'] = FLEET . '/hashed';
        }
    });
    went_well(push([], null, SOURCE, $t));
});

test('a key that the server refuses is told', function () {
    source(small_site());
    @unlink(FLEET . '/stranger');
    run_here('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', FLEET . '/stranger');
    $t = topology(fn (&$spec) => $spec['servers'][VICTIM]['identity'] = FLEET . '/stranger');
    $result = outcome(push([], null, SOURCE, $t), VICTIM, Outcome::Failed);
    same($result->phase, Phase::Connect, 'phase');
});

test('a key file that is missing is told by name', function () {
    source(small_site());
    $t = topology(fn (&$spec) => $spec['servers'][VICTIM]['identity'] = FLEET . '/no-key');
    $result = outcome(push([], null, SOURCE, $t), VICTIM, Outcome::Failed);
    check(str_contains($result->error . $result->path, 'no-key'), "the error is: $result->error");
});

test('an RSA key, which libssh2 1.10 cannot use, is refused with what to do when nothing else may be used', function () {
    source(small_site());
    @unlink(FLEET . '/rsa');
    run_here('ssh-keygen', '-q', '-t', 'rsa', '-b', '2048', '-N', '', '-f', FLEET . '/rsa');
    file_put_contents(FLEET . '/authorized_keys', file_get_contents(FLEET . '/key.pub') . file_get_contents(FLEET . '/rsa.pub'));
    $t = topology(function (&$spec) {
        $spec['servers'][VICTIM] = ['identity' => FLEET . '/rsa', 'transport' => 'libssh2'] + $spec['servers'][VICTIM];
    });
    $result = outcome(push([], null, SOURCE, $t), VICTIM, Outcome::Failed);
    check(str_contains($result->error, 'RSA') && str_contains($result->error, 'ed25519'), "the error is: $result->error");
});

test('a user that is not there is told', function () {
    source(small_site());
    $t = topology(fn (&$spec) => $spec['servers'][VICTIM]['user'] = 'nobody-of-that-name');
    outcome(push([], null, SOURCE, $t), VICTIM, Outcome::Failed);
});

test('a server without rsync fails with a word about rsync', function () {
    needs_namespaces();
    source(small_site());
    on(VICTIM, 'printf "#!/bin/sh\necho rsync: not found >&2; exit 127\n" >/run/no-rsync; chmod 755 /run/no-rsync; mount --bind /run/no-rsync /usr/bin/rsync');
    afterwards(VICTIM, 'umount -l /usr/bin/rsync');
    $result = outcome(push(), VICTIM, Outcome::Failed);
    check(str_contains($result->error, 'rsync'), "the error is: $result->error");
});

test('an rsync that dies at once or talks nonsense fails only its server', function () {
    needs_namespaces();
    source(small_site());
    foreach (['exit 1', 'kill -9 $$', 'head -c 100000 /dev/urandom', 'yes', 'printf "\037\0\0\0"; exec sleep 100', 'echo "rsync  version 3.2.7"', 'exec >&-; exit 0'] as $i => $script) {
        $fake = FLEET . '/servers/' . VICTIM . '/fake';
        file_put_contents($fake, "#!/bin/bash\n$script\n");
        chmod($fake, 0755);
        if ($i === 0) {
            on(VICTIM, "mount --bind $fake /usr/bin/rsync");
            afterwards(VICTIM, 'umount -l /usr/bin/rsync');
        }
        $report = push(['timeout' => 3]);
        $result = outcome($report, VICTIM, Outcome::Failed);
        check(!preg_match('/[\x00-\x1f\x7f]/', $result->error) && mb_check($result->error), "the error with \"$script\" is not clean: " . show($result->error));
        foreach (others() as $name) {
            outcome($report, $name, Outcome::Staged);
        }
    }
});

function mb_check(string $text): bool
{
    return preg_match('//u', $text) === 1;
}

test('noise from the shell at login is told as such', function () {
    needs_namespaces();
    source(small_site());
    file_put_contents(FLEET . '/servers/' . VICTIM . '/home/.bashrc', "echo welcome to this server\n");
    afterwards(VICTIM, 'rm ' . FLEET . '/home/.bashrc');
    $report = push();
    $result = outcome($report, VICTIM, Outcome::Failed);
    check(str_contains($result->error, 'welcome'), "the error does not show the noise: $result->error");
});

test('noise on standard error does no harm', function () {
    needs_namespaces();
    source(small_site());
    file_put_contents(FLEET . '/servers/' . VICTIM . '/home/.bashrc', "echo warning: something >&2\n");
    afterwards(VICTIM, 'rm ' . FLEET . '/home/.bashrc');
    pushed();
    equal_to_source([], SOURCE, others());
    same(contents(server_path(VICTIM, SOURCE)), contents(SOURCE), 'what is on the noisy server');
});

test('a full disk at one server fails it and the others do not switch', function () {
    needs_namespaces();
    two_versions(100, 50000);
    $before = now();
    on(VICTIM, 'mount -t tmpfs -o size=2m small /var/aegir && mkdir -p ' . SOURCE);
    afterwards(VICTIM, 'umount -l /var/aegir');
    Aegir\Scale\pool_close();
    $report = push();
    $result = outcome($report, VICTIM, Outcome::Failed);
    check(stripos($result->error, 'space') !== false, "the error is: $result->error");
    same($report->committed, false, 'committed');
    held($before, others());
});

test('a directory that cannot be written at one server fails it', function () {
    needs_namespaces();
    two_versions();
    $before = now();
    on(VICTIM, 'mount --bind ' . SOURCE . ' ' . SOURCE . ' && mount -o remount,ro,bind ' . SOURCE);
    afterwards(VICTIM, 'umount -l ' . SOURCE);
    Aegir\Scale\pool_close();
    $report = push();
    outcome($report, VICTIM, Outcome::Failed);
    same($report->committed, false, 'committed');
    held($before, others());
});

test('progress that returns false cancels and changes no file', function () {
    two_versions(400, 30000);
    $before = now();
    $e = thrown(CancelledException::class, fn () => push([], at_phase(VICTIM, Phase::Transfer, fn () => false)));
    held($before, NAMES);
    check($e->report === null || !$e->report->committed, 'the report says committed');
    pushed();
    equal_to_source();
});

test('an exception of progress comes out and changes no file', function () {
    two_versions(400, 30000);
    $before = now();
    $e = thrown(RuntimeException::class, fn () => push([], at_phase(VICTIM, Phase::Transfer, fn () => throw new RuntimeException('enough'))));
    same($e->getMessage(), 'enough', 'the message');
    held($before, NAMES);
    pushed();
    equal_to_source();
});

test('an interrupt ends the process at once and no server switches', function () {
    two_versions(400, 60000);
    $before = now();
    Aegir\Scale\pool_close();
    file_put_contents(FLEET . '/push.php', '<?php Aegir\Scale\cluster_sync(Aegir\Scale\Topology::fromFile($argv[1]), "live", $argv[2], [],
        function ($p) use (&$said) { if (!$said && $p->phase === Aegir\Scale\Phase::Transfer) { $said = true; echo "go\n"; } });');
    $process = proc_open(['env', '--default-signal=INT', PHP_BINARY, '-n', '-d', 'extension=' . getenv('AEGIR_SCALE_MODULE'), FLEET . '/push.php', FLEET . '/topology.yml', SOURCE],
        [1 => ['pipe', 'w'], 2 => ['file', '/dev/null', 'w']], $pipes);
    same(fgets($pipes[1]), "go\n", 'what the child says');
    $begun = microtime(true);
    run_here('kill', '-INT', (string) proc_get_status($process)['pid']);
    do {
        $state = proc_get_status($process);
        usleep(10000);
    } while ($state['running'] && microtime(true) - $begun < 10);
    check(!$state['running'], 'the process still runs after 10 s');
    same([$state['signaled'], $state['termsig']], [true, SIGINT], 'ended by a signal, and which');
    check(microtime(true) - $begun < 2, 'it took ' . (microtime(true) - $begun) . ' s');
    foreach (NAMES as $name) {
        no_rsync_on($name);
    }
    held($before, NAMES);
    pushed();
    equal_to_source();
});

test('a signal handler that throws ends the call and changes no file', function () {
    two_versions(600, 60000);
    $before = now();
    pcntl_async_signals(true);
    pcntl_signal(SIGALRM, fn () => throw new RuntimeException('too long'));
    $e = thrown(Exception::class, fn () => push([], at_phase(VICTIM, Phase::Transfer, function () {
        fleet('freeze', VICTIM);
        pcntl_alarm(1);
    })));
    fleet('thaw', VICTIM);
    pcntl_signal(SIGALRM, SIG_DFL);
    check($e instanceof CancelledException || $e->getMessage() === 'too long', 'got ' . get_class($e) . ': ' . $e->getMessage());
    held($before, NAMES);
});

test('what a cancelled push left is taken up by the next one', function () {
    two_versions(300, 60000);
    foreach ([1, 2, 3] as $_) {
        try {
            push([], at_phase(NAMES[0], Phase::Transfer, fn () => false));
        } catch (CancelledException) {
        }
    }
    unlink(SOURCE . '/dir00/file0000');
    source(['dir01/file0001' => 'changed meanwhile']);
    pushed();
    equal_to_source();
});

test('after a fork the child opens connections of its own', function () {
    source(small_site());
    pushed();
    $pid = pcntl_fork();
    if ($pid === 0) {
        source(['from-the-child' => '1']);
        $ok = push()->ok;
        // Without PHP's shutdown, as a queue runner's child might end.
        shell_exec('kill -KILL ' . getmypid());
    }
    pcntl_waitpid($pid, $status);
    source(['from-the-parent' => '1']);
    pushed();
    equal_to_source();
});

test('no rsync is left on the servers after a push', function () {
    source(small_site());
    pushed();
    foreach (NAMES as $name) {
        no_rsync_on($name);
    }
});

finish();
