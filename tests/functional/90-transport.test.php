<?php

/** Servers that libssh2 cannot serve go through the program ssh, beside the others and in the same call. */

$fleet = dirname(__DIR__) . '/lib/fleet.sh';
shell_exec('bash ' . escapeshellarg($fleet) . ' start 7 >&2');

require __DIR__ . '/lib.php';
require __DIR__ . '/faults.php';

use Aegir\Scale\Outcome;
use Aegir\Scale\Phase;
use Aegir\Scale\Topology;

use function Aegir\Scale\cluster_run;
use function Aegir\Scale\pool_close;
use function Aegir\Scale\pool_stats;

const RSA = 'web2', GCM = 'web5', CERTIFIED = 'web6', INNER = 'web7', JUMP = 'web1';

prepare();

/** Without a configuration of ssh, unless the test makes one. */
function transport_test(string $name, callable $body): void
{
    test($name, function () use ($body) {
        needs_namespaces();       // a home directory of its own, and processes to count
        @unlink(FLEET . '/home/.ssh/config');
        $body();
    });
}

/** web5 speaks AES-GCM alone, web6 lets in who has a certificate, web7 is reached through web1 only. */
function prepare(): void
{
    if (file_exists(FLEET . '/authority')) {
        return;
    }
    $at = FLEET;
    run_here('bash', '-ec', "
        ssh-keygen -q -t rsa -b 2048 -N '' -f $at/user-rsa
        cat $at/user-rsa.pub >>$at/authorized_keys
        ssh-keygen -q -t ed25519 -N '' -f $at/authority
        ssh-keygen -q -t rsa -b 2048 -N '' -f $at/certified
        ssh-keygen -q -s $at/authority -I test -n root,aegir," . get_current_user() . " $at/certified.pub
    ");
    fleet('sshd_option', GCM, 'Ciphers aes256-gcm@openssh.com');
    fleet('sshd_option', CERTIFIED, "TrustedUserCAKeys $at/authority.pub");
    foreach ([GCM, CERTIFIED] as $name) {
        fleet('kill', $name);
        fleet('revive', $name);
    }
}

function address(string $name): string
{
    return trim(file_get_contents(FLEET . "/servers/$name/address"));
}

/** ssh's own configuration of this user, for one test. */
function configured(string $text): void
{
    @mkdir(FLEET . '/home/.ssh', 0700, true);
    file_put_contents(FLEET . '/home/.ssh/config', $text);
}

function behind_a_jump(string $more = ''): string
{
    return 'Host inner' . "\n    HostName " . address(INNER) . "\n    ProxyJump jump\n"
        . "Host jump\n    HostName " . address(JUMP) . "\n    User root\n    IdentityFile " . FLEET . "/key\n    IdentitiesOnly yes\n"
        . '    UserKnownHostsFile ' . FLEET . "/known_hosts\n$more";
}

/** All kinds of server. */
function mixed(?callable $change = null): Topology
{
    return topology(function (&$spec) use ($change) {
        $spec['servers'][RSA]['identity'] = FLEET . '/user-rsa';
        $spec['servers'][CERTIFIED]['identity'] = FLEET . '/certified';
        $spec['servers'][INNER]['host'] = 'inner';
        $change && $change($spec);
    });
}

/** All through ssh. */
function openssh(?callable $change = null): Topology
{
    return topology(function (&$spec) use ($change) {
        foreach ($spec['servers'] as &$server) {
            $server['transport'] = 'openssh';
        }
        $change && $change($spec);
    });
}

/** How each server was reached: name => [transport, reason]. */
function ways(): array
{
    $ways = [];
    foreach (pool_stats()['sessions'] as $s) {
        $ways[$s['server']] = [$s['transport'], $s['reason']];
    }
    return $ways;
}

/** The processes called ssh, here and on the servers; nobody else has any in this namespace. */
function masters(): array
{
    return array_filter(explode("\n", shell_exec('pgrep -x ssh') ?? ''));
}

/** Those of a process. */
function folders(?int $pid = null): array
{
    return glob('/tmp/aegir-scale-' . ($pid ?? getmypid()) . '-*');
}

function descriptors(): int
{
    return count(scandir('/proc/self/fd'));
}

/** A program ssh that comes first in PATH, for one test. */
function stand_in(string $script, callable $body): void
{
    $at = sys_get_temp_dir() . '/stand-in-' . getmypid();
    $path = getenv('PATH');
    @mkdir($at);
    file_put_contents("$at/ssh", "#!/bin/sh\n$script\n");
    chmod("$at/ssh", 0755);
    putenv("PATH=$at:$path");
    try {
        $body();
    } finally {
        putenv("PATH=$path");
        unlink("$at/ssh");
        rmdir($at);
    }
}

function without_ssh_left(): void
{
    pool_close();
    eventually(fn () => masters() === [], fn () => 'left behind: ' . shell_exec('ps -o pid,ppid,args -C ssh'));
    same(folders(), [], 'folders');
}

transport_test('servers of all kinds in one call', function () {
    configured(behind_a_jump());
    fleet('blackhole', address(INNER));
    source(small_site() + ['big' => noise(3000000)]);
    $report = push([], null, SOURCE, mixed());
    $ways = ways();
    fleet('whitehole', address(INNER));
    went_well($report);
    same($report->committed, true, 'committed');
    equal_to_source();
    foreach (['web1', 'web3', 'web4'] as $name) {
        same($ways[$name], ['libssh2', 'the default'], "the way to $name");
    }
    same($ways[INNER], ['openssh', "ssh's configuration sets HostName for it"], 'the way to ' . INNER);
    same($ways[CERTIFIED], ['openssh', FLEET . '/certified has a certificate'], 'the way to ' . CERTIFIED);
    if (str_starts_with(libssh2(), '1.10')) {
        same($ways[RSA], ['openssh', FLEET . '/user-rsa is an RSA key, which this libssh2 cannot use'], 'the way to ' . RSA);
        same($ways[GCM], ['openssh', 'the server and libssh2 have no algorithms in common'], 'the way to ' . GCM);
    }
    without_ssh_left();
});

transport_test('an old rsync, a new one and one behind a jump host in one call', function () {
    $old = getenv('RSYNC_OLD') ?: throw new Skip('RSYNC_OLD names no rsync 3.1.3');
    copy($old, FLEET . '/rsync-old');
    chmod(FLEET . '/rsync-old', 0755);
    use_rsync('web3', FLEET . '/rsync-old');
    configured(behind_a_jump());
    fleet('blackhole', address(INNER));
    source(small_site() + ['big' => noise(3000000)]);
    $report = push([], null, SOURCE, mixed());
    fleet('whitehole', address(INNER));
    went_well($report);
    same($report->committed, true, 'committed');
    equal_to_source();
    without_ssh_left();
});

/** Of the library that runs. */
function libssh2(): string
{
    ob_start();
    (new ReflectionExtension('aegir_scale'))->info();
    preg_match('/libssh2\D*([0-9.]+)/', ob_get_clean(), $found);
    return $found[1];
}

transport_test('a second call opens no connection', function () {
    configured(behind_a_jump());
    source(small_site());
    $t = mixed();
    went_well(push([], null, SOURCE, $t));
    $before = pool_stats()['opened'];
    $masters = masters();
    source(['index.php' => 'changed', 'more' => '1']);
    went_well(push([], null, SOURCE, $t));
    same(pool_stats()['opened'], $before, 'connections opened');
    same(masters(), $masters, 'processes');
    pool_close();
    // What was found out is found out again.
    went_well(push([], null, SOURCE, $t));
    equal_to_source();
});

transport_test('a plain server costs no process, whatever else the configuration says', function () {
    configured("Host elsewhere\n    HostName 10.99.99.99\nHost *\n    SendEnv LANG\n    ServerAliveInterval 30\n");
    source(small_site());
    pushed();
    foreach (ways() as $name => $way) {
        $way[0] === 'openssh' && $name === GCM || same($way, ['libssh2', 'the default'], "the way to $name");
    }
});

transport_test('the topology wins over the configuration of ssh', function () {
    configured('Host ' . address('web3') . "\n    User nobody-there\n    Port 99\n    IdentityFile /nowhere\n    UserKnownHostsFile /nowhere\n");
    source(small_site());
    // An array that names everything.
    went_well(push([], null, SOURCE, topology(fn (&$spec) => $spec['servers']['web3']['port'] = 22)));
    same(ways()['web3'], ['libssh2', 'the default'], 'the way');
    equal_to_source();
    pool_close();
    went_well(push([], null, SOURCE, openssh(fn (&$spec) => $spec['servers']['web3']['port'] = 22)));
});

transport_test('a port of the configuration counts when the topology has none', function () {
    fleet('sshd_option', 'web3', 'Port 2222');
    fleet('kill', 'web3');
    fleet('revive', 'web3');
    configured("Host other\n    HostName " . address('web3') . "\n    Port 2222\n    HostKeyAlias " . address('web3') . "\n");
    $server = ['host' => 'other', 'user' => 'root', 'identity' => FLEET . '/key', 'known_hosts' => FLEET . '/known_hosts'];
    $t = Topology::fromArray(['version' => 1, 'servers' => ['web3' => $server], 'clusters' => ['live' => ['servers' => ['web3']]]]);
    $run = cluster_run($t, 'live', ['sh', '-c', 'echo $SSH_CONNECTION']);
    $words = preg_split('/\s+/', trim($run->servers['web3']->stdout));
    check($run->ok, 'it failed: ' . $run->servers['web3']->error);
    same($words[3], '2222', 'port');
});

transport_test('everything through ssh, and back to nothing', function () {
    source(small_site() + ['big' => noise(20000000), 'many/' => null]);
    for ($i = 0; $i < 300; $i++) {
        source(["many/$i" => prose(2000, $i)]);
    }
    $before = descriptors();
    went_well(push([], null, SOURCE, openssh()));
    equal_to_source();
    foreach (ways() as $name => $way) {
        same($way, ['openssh', 'the topology says so'], "the way to $name");
    }
    same(count(masters()), count(NAMES), 'processes');
    same(count(folders()), 1, 'folders');
    same(fileperms(folders()[0]) & 0777, 0700, 'its mode');
    source(['big' => noise(1000, 5)]);
    unlink(SOURCE . '/core/empty');
    went_well(push([], null, SOURCE, openssh()));
    equal_to_source();
    without_ssh_left();
    same(descriptors(), $before, 'descriptors');
});

transport_test('exit status, output and errors of a command are its own', function () {
    $t = openssh();
    foreach ([0, 1, 254, 255] as $status) {
        $run = cluster_run($t, 'live', ['sh', '-c', "echo out; echo err >&2; exit $status"]);
        foreach ($run->servers as $name => $r) {
            same([$r->exitStatus, trim($r->stdout), trim($r->stderr)], [$status, 'out', 'err'], "exit $status on $name");
        }
    }
    $run = cluster_run($t, 'live', ['sh', '-c', 'kill -9 $$']);
    foreach ($run->servers as $name => $r) {
        same($r->outcome, Outcome::Failed, "outcome on $name");
        check(str_contains($r->error, 'did not say how the command ended'), "the error is: $r->error");
    }
    $flood = cluster_run($t, 'live', ['sh', '-c', 'head -c 3000000 /dev/zero >&2; cat | wc -c'], ['input' => str_repeat('x', 1000000)]);
    foreach ($flood->servers as $name => $r) {
        same(trim($r->stdout), '1000000', "bytes that came to $name: $r->error");
    }
    // One that reads nothing of what it is sent.
    $deaf = cluster_run($t, 'live', ['sh', '-c', 'exec <&-; echo done; exit 7'], ['input' => str_repeat('x', 5000000)]);
    foreach ($deaf->servers as $name => $r) {
        same([$r->exitStatus, trim($r->stdout)], [7, 'done'], "the deaf command on $name ($r->error)");
    }
});

transport_test('ten servers that are one machine share its connections', function () {
    $one = openssh()->toArray()['servers']['web1'];
    $names = array_map(fn ($i) => "n$i", range(1, 10));
    $t = Topology::fromArray(['version' => 1, 'servers' => array_fill_keys($names, $one), 'clusters' => ['live' => ['servers' => $names]]]);
    $run = cluster_run($t, 'live', ['sh', '-c', 'sleep 0.5; echo hello']);
    check($run->ok, 'not all is well: ' . json_encode($run));
    same(count(pool_stats()['sessions']), 2, 'connections');
    same(count(masters()), 2, 'processes');
});

transport_test('a host key that ssh does not find is refused, and another one too', function () {
    source(small_site());
    $known = FLEET . '/known-wrong';
    run_here('bash', '-c', 'ssh-keygen -q -t ed25519 -N "" -f "$1.key" <<<y >/dev/null; sed "s|^' . address('web3') . ' .*|' . address('web3')
        . ' $(cut -d" " -f1,2 "$1.key.pub")|; /^' . address('web4') . ' /d" "$2" >"$1"', '-', $known, FLEET . '/known_hosts');
    $report = push([], null, SOURCE, openssh(function (&$spec) use ($known) {
        foreach ($spec['servers'] as &$server) {
            $server['known_hosts'] = $known;
        }
    }));
    $changed = outcome($report, 'web3', Outcome::Failed);
    check(str_contains($changed->error, 'has CHANGED') && str_contains($changed->error, $known), "the error is: $changed->error");
    $unknown = outcome($report, 'web4', Outcome::Failed);
    check(str_contains($unknown->error, 'host key is known for ' . address('web4')), "the error is: $unknown->error");
    same($report->committed, false, 'committed');
    outcome($report, 'web1', Outcome::Staged);
});

transport_test('a jump host that is dead fails those behind it', function () {
    configured(behind_a_jump());
    fleet('blackhole', '10.87.200.2');
    configured(str_replace('HostName ' . address(JUMP), 'HostName 10.87.200.2', behind_a_jump()));
    source(small_site());
    $begun = microtime(true);
    $report = push(['connect_timeout' => 4], null, SOURCE, mixed());
    $seconds = microtime(true) - $begun;
    $result = outcome($report, INNER, Outcome::Failed);
    same($result->phase, Phase::Connect, 'phase');
    check(str_contains($result->error, 'inner'), "the error is: $result->error");
    check($seconds < 12, "it took $seconds s");
    outcome($report, 'web3', Outcome::Staged);
    without_ssh_left();
});

transport_test('a closed port behind a jump host is told as ssh tells it', function () {
    configured(behind_a_jump("Host inner\n"));
    fleet('kill', INNER);
    source(small_site());
    $report = push([], null, SOURCE, mixed());
    $result = outcome($report, INNER, Outcome::Failed);
    check(str_contains($result->error, 'try by hand: ssh '), "the error is: $result->error");
    same($result->phase, Phase::Connect, 'phase');
});

transport_test('an ssh that is killed in the middle of a push fails its server only', function () {
    source(small_site() + ['big' => noise(40000000)]);
    $done = false;
    $report = push(['commit' => 'each'], at_phase('web3', Phase::Transfer, function () {
        foreach (masters() as $pid) {
            if (str_contains(file_get_contents("/proc/$pid/cmdline"), "\0" . address('web3') . "\0")) {
                run_here('kill', '-KILL', $pid);
            }
        }
    }, $done), SOURCE, openssh());
    check($done, 'nothing was killed');
    $result = outcome($report, 'web3', Outcome::Failed);
    check(str_contains($result->error, 'was killed by signal 9'), "the error is: $result->error");
    foreach (array_diff(NAMES, ['web3']) as $name) {
        outcome($report, $name, Outcome::Synced);
    }
    went_well(push([], null, SOURCE, openssh()));
    equal_to_source();
});

transport_test('a server that dies under ssh fails with a sentence', function () {
    source(small_site() + ['big' => noise(40000000)]);
    $report = push(['commit' => 'each'], at_phase('web3', Phase::Transfer, function () {
        fleet('kill', 'web3');
    }), SOURCE, openssh());
    $result = outcome($report, 'web3', Outcome::Failed);
    check(str_contains($result->error, address('web3')) || str_contains($result->error, 'web3'), "the error is: $result->error");
    foreach (array_diff(NAMES, ['web3']) as $name) {
        outcome($report, $name, Outcome::Synced);
    }
});

transport_test('a cancelled push leaves no ssh that works on', function () {
    source(small_site() + ['big' => noise(40000000)]);
    thrown(Aegir\Scale\CancelledException::class, fn () => push([], fn ($p) => $p->phase !== Phase::Transfer, SOURCE, openssh()));
    without_ssh_left();
});

/** A program of its own that uses all servers; how it ends is the test's. */
function program(string $body): array
{
    $file = FLEET . '/program.php';
    fleet('topology', FLEET . '/topology.yml');
    run_here('sed', '-i', 's/^defaults: {/defaults: { transport: openssh,/', FLEET . '/topology.yml');
    file_put_contents($file, "<?php\nuse function Aegir\\Scale\\cluster_run;\n\$t = Aegir\\Scale\\Topology::fromFile('" . FLEET . "/topology.yml');\n$body\n");
    return [PHP_BINARY, '-n', '-d', 'extension=' . getenv('AEGIR_SCALE_MODULE'), $file];
}

transport_test('no ssh outlives PHP, however that ends', function () {
    $process = proc_open(program("cluster_run(\$t, 'live', ['true'])->ok || exit(1);"), array_fill(0, 3, ['file', '/dev/null', 'r+']), $pipes);
    $pid = proc_get_status($process)['pid'];
    same(proc_close($process), 0, 'exit status');
    same([masters(), folders($pid)], [[], []], 'processes and folders after exit');
    foreach ([SIGINT, SIGTERM, SIGKILL] as $signal) {
        $process = proc_open(program("cluster_run(\$t, 'live', ['sleep', '100']);"), array_fill(0, 3, ['file', '/dev/null', 'r+']), $pipes);
        eventually(fn () => count(masters()) === count(NAMES), 'the connections are not there', 30);
        usleep(200000);
        $pid = proc_get_status($process)['pid'];
        proc_terminate($process, $signal);
        proc_close($process);
        eventually(fn () => masters() === [], "ssh is left after signal $signal");
        foreach (NAMES as $name) {
            eventually(fn () => !str_contains(on($name, 'ps ax -o args'), 'sleep 100'), "the command goes on on $name after signal $signal");
        }
        eventually(fn () => array_filter(folders($pid), fn ($at) => !@rmdir($at)) === [], 'more than an empty folder is left');
    }
});

transport_test('a child of this process leaves its connections alone', function () {
    if (!function_exists('pcntl_fork')) {
        throw new Skip('needs pcntl');
    }
    $t = openssh();
    check(cluster_run($t, 'live', ['true'])->ok, 'the first run failed');
    $masters = masters();
    $pid = pcntl_fork();
    if ($pid === 0) {
        $ok = cluster_run($t, 'live', ['true'], ['servers' => ['web1']])->ok;
        pool_close();
        run_here('kill', $ok ? '-KILL' : '-TERM', (string) getmypid());
    }
    pcntl_waitpid($pid, $status);
    same(pcntl_wtermsig($status), SIGKILL, 'the signal that ended the child');
    same(array_values(array_intersect($masters, masters())), array_values($masters), 'the parent\'s processes');
    $before = pool_stats()['opened'];
    check(cluster_run($t, 'live', ['true'])->ok, 'the run after the child failed');
    same(pool_stats()['opened'], $before, 'connections opened');
});

transport_test('somebody else may wait for any child', function () {
    $process = proc_open(['sh', '-c', 'exit 3'], [], $pipes);
    check(cluster_run(openssh(), 'live', ['true'])->ok, 'the run failed');
    same(proc_close($process), 3, 'the exit status of another child');
});

transport_test('a key with a passphrase and no agent is told', function () {
    run_here('bash', '-c', 'rm -f "$1" "$1.pub"; ssh-keygen -q -t rsa -b 2048 -N secret -f "$1"', '-', FLEET . '/locked');
    foreach (['auto', 'openssh'] as $transport) {
        $run = cluster_run(topology(function (&$spec) use ($transport) {
            $spec['servers']['web1']['identity'] = FLEET . '/locked';
            $spec['servers']['web1']['transport'] = $transport;
        }), 'web1', ['true']);
        check(str_contains($run->servers['web1']->error, 'has a passphrase and there is no agent'), "the error is: {$run->servers['web1']->error}");
    }
});

transport_test('a refused key is told', function () {
    run_here('bash', '-c', 'rm -f "$1" "$1.pub"; ssh-keygen -q -t ed25519 -N "" -f "$1"', '-', FLEET . '/stranger');
    $run = cluster_run(openssh(fn (&$spec) => $spec['servers']['web1']['identity'] = FLEET . '/stranger'), 'web1', ['true']);
    $error = $run->servers['web1']->error;
    check(str_contains($error, 'Permission denied (publickey)') && str_contains($error, 'ssh '), "the error is: $error");
});

transport_test('a usual key and an agent with keys that libssh2 cannot use work all the same', function () {
    $nameless = fn () => topology(function (&$spec) {
        unset($spec['servers']['web1']['identity']);
    });
    $home = FLEET . '/home/.ssh';
    @mkdir($home, 0700, true);
    copy(FLEET . '/user-rsa', "$home/id_rsa");
    chmod("$home/id_rsa", 0600);
    $run = cluster_run($nameless(), 'web1', ['true']);
    unlink("$home/id_rsa");
    check($run->ok, 'with the usual key: ' . $run->servers['web1']->error);
    $way = ways()['web1'];
    if (str_starts_with(libssh2(), '1.10')) {
        same($way, ['openssh', "$home/id_rsa is an RSA key, which this libssh2 cannot use"], 'the way');
    }
    pool_close();
    background('ssh-agent', '-D', '-a', FLEET . '/agent');
    eventually(fn () => file_exists(FLEET . '/agent'), 'the agent does not start');
    putenv('SSH_AUTH_SOCK=' . FLEET . '/agent');
    try {
        run_here('ssh-add', '-q', FLEET . '/user-rsa');
        $run = cluster_run($nameless(), 'web1', ['true']);
        check($run->ok, 'with the agent: ' . $run->servers['web1']->error);
        $way = ways()['web1'];
        $failed = pool_stats()['failed'];
        pool_close();
        check(cluster_run($nameless(), 'web1', ['true'])->ok, 'once more');
    } finally {
        putenv('SSH_AUTH_SOCK');
        unlink(FLEET . '/agent');
    }
    same(pool_stats()['failed'], $failed, 'failed connections');
    if (str_starts_with(libssh2(), '1.10')) {
        same($way, ['openssh', 'there are keys that libssh2 cannot use'], 'the way with an agent');
    }
});

transport_test('without a program ssh there is a sentence, and auto does without', function () {
    [$openssh, $auto] = [openssh(), topology()];
    $path = getenv('PATH');
    putenv('PATH=/nowhere');
    try {
        $run = cluster_run($openssh, 'web1', ['true']);
        $plain = cluster_run($auto, 'web3', ['true']);
    } finally {
        putenv("PATH=$path");
    }
    check(str_contains($run->servers['web1']->error, 'install openssh-client'), "the error is: {$run->servers['web1']->error}");
    check($plain->ok, 'auto failed');
});

transport_test('an ssh that hangs costs its time limit', function () {
    stand_in('sleep 100', function () {
        $begun = microtime(true);
        $run = cluster_run(openssh(), 'web1', ['true'], ['connect_timeout' => 2]);
        check(str_contains($run->servers['web1']->error, 'no answer from'), "the error is: {$run->servers['web1']->error}");
        $seconds = microtime(true) - $begun;
        check($seconds >= 1.9 && $seconds < 10, "it took $seconds s");
    });
    eventually(fn () => !str_contains(shell_exec('ps ax -o args'), 'sleep 100'), 'the hanging one is left');
});

transport_test('an ssh that floods us is bounded', function () {
    $before = memory_get_peak_usage();
    stand_in('while :; do echo "a line of a flood, with a control character: $(printf "\033")[31m"; done >&2', function () {
        $run = cluster_run(openssh(), 'web1', ['true'], ['connect_timeout' => 2]);
        check(str_contains($run->servers['web1']->error, 'no answer from'), "the error is: {$run->servers['web1']->error}");
    });
    stand_in('head -c 9000000 /dev/zero | tr "\0" x >&2; printf "\nthe end \033[31m of it\n" >&2; exit 255', function () {
        $run = cluster_run(openssh(), 'web1', ['true']);
        $error = $run->servers['web1']->error;
        check(str_contains($error, 'the end \x1b[31m of it') && strlen($error) < 600, "the error is: $error");
    });
    $status = file_get_contents('/proc/self/status');
    preg_match('/VmRSS:\s+(\d+)/', $status, $found);
    check((int) $found[1] < 300000, "memory in use: $found[1] kB");
});

transport_test('a configuration that ssh cannot read is told, not passed over', function () {
    configured("Host web\n    ProxyJump nowhere\n    NoSuchWord yes\n");
    $run = cluster_run(topology(), 'web1', ['true']);
    check(str_contains($run->servers['web1']->error, 'NoSuchWord') || str_contains(strtolower($run->servers['web1']->error), 'nosuchword'), "the error is: {$run->servers['web1']->error}");
});

@unlink(FLEET . '/home/.ssh/config');
clean();
foreach (['web5', 'web6', 'web7'] as $name) {
    fleet('remove', $name);
}
echo "# end\n";
exit($failed > 0 ? 1 : 0);
