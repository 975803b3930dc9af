<?php

/** What an sshd, a login shell or a forced command may do to a push, on one server beside others where all is as usual. */

require __DIR__ . '/lib.php';
require __DIR__ . '/faults.php';

use Aegir\Scale\Outcome;
use Aegir\Scale\Phase;

test('new keys in the middle, for what is pushed and for what is fetched', function () {
    needs_namespaces();
    $uploads = SOURCE . '/sites/shop.example/files';
    sshd_with('web1', 'RekeyLimit 8M', 'LogLevel DEBUG1');
    sshd_with('web2', 'RekeyLimit 8M 1', 'LogLevel DEBUG1');
    source(['a' => noise(30000000, 1), 'b' => noise(15000000, 2)] + small_site());
    pushed(['compress' => 'none']);
    in_step();
    $upload = noise(42000000, 3);
    foreach (['web1', 'web2'] as $name) {
        check(new_keys($name, 'in') >= 5, "$name took new keys " . new_keys($name, 'in') . ' times in 45 MB');
        tree(server_path($name, $uploads), ["from-$name" => $upload]);
    }
    mkdir($uploads, 0755, true);
    $before = new_keys('web1', 'out');
    $report = Aegir\Scale\cluster_fetch(topology(), 'live', $uploads);
    check($report->ok, 'not fetched: ' . json_encode($report));
    foreach (['web1', 'web2'] as $name) {
        same(md5_file("$uploads/from-$name"), md5($upload), "what came from $name");
    }
    check(new_keys('web1', 'out') - $before >= 5, 'web1 took new keys ' . (new_keys('web1', 'out') - $before) . ' times in 42 MB');
});

test('new keys in the middle of several commands of one connection', function () {
    needs_namespaces();
    sshd_with('web1', 'RekeyLimit 4M', 'LogLevel DEBUG1');
    source(small_site());
    $t = many_names(['web1'], [22, 22, 22]);
    $first = noise(12000000);
    $opened = Aegir\Scale\pool_stats()['opened'];
    foreach ([['a' => $first], ['a' => substr_replace($first, 'changed', 6000000, 7), 'new' => noise(9000000, 2)]] as $version) {
        source($version);
        $report = push(['compress' => 'none'], null, SOURCE, $t);
        check($report->ok, 'not ok: ' . json_encode($report));
        foreach ([0, 1, 2] as $i) {
            in_step(['web1'], HUB . "/roots/web1-$i");
        }
    }
    same(Aegir\Scale\pool_stats()['opened'] - $opened, 1, 'connections');
    check(new_keys('web1', 'in') >= 10, 'new keys were taken ' . new_keys('web1', 'in') . ' times in 63 MB');
});

test('an sshd that asks every second whether anyone is there, while others are slow', function () {
    needs_namespaces();
    two_versions();
    foreach (others() as $name) {
        sshd_with($name, 'ClientAliveInterval 1', 'ClientAliveCountMax 2');
    }
    $report = push([], at_phase(VICTIM, Phase::Start, function () {
        fleet('freeze', VICTIM);
        background('bash', '-c', 'sleep 7; bash "$0" thaw "$1"', dirname(__DIR__) . '/lib/fleet.sh', VICTIM);
    }, $done));
    check($done, 'the phase start was never reported');
    went_well($report);
    check($report->seconds > 6, "the push took only $report->seconds s");
    in_step();
    // Nobody answers between two calls: the server hangs up, and the next call notices.
    foreach (others() as $name) {
        eventually(fn () => str_contains(file_get_contents(FLEET . "/servers/$name/log"), 'Timeout, client not responding'), "$name does not hang up", 60);
    }
    source(['dir00/file0000' => 'version 3']);
    $opened = Aegir\Scale\pool_stats()['opened'];
    pushed();
    in_step();
    same(Aegir\Scale\pool_stats()['opened'] - $opened, count(others()), 'connections opened again');
});

test('an sshd that takes one command per connection gets more connections', function () {
    needs_namespaces();
    sshd_with('web1', 'MaxSessions 1');
    source(small_site());
    $t = many_names(['web1'], [22, 22, 22, 22]);
    foreach ([1, 2] as $version) {
        source(['index.php' => "$version"]);
        $report = push([], null, SOURCE, $t);
        check($report->ok, 'not ok: ' . json_encode($report));
    }
    foreach ([0, 1, 2, 3] as $i) {
        in_step(['web1'], HUB . "/roots/web1-$i");
    }
});

test('an sshd that lets few log in at once costs only those it refuses, and is asked by as few as one wishes', function () {
    needs_namespaces();
    $ports = range(2201, 2208);
    sshd_with('web1', 'MaxStartups 2', 'Port 22', ...array_map(fn ($port) => "Port $port", $ports));
    source(small_site());
    $t = many_names(['web1'], $ports);
    $report = push(['parallel' => 8, 'max_failures' => 8], null, SOURCE, $t);
    foreach ($report->servers as $name => $result) {
        if ($result->outcome !== Outcome::Synced) {
            failed($report, $name, 'while waiting for its SSH banner: Exceeded MaxStartups');
        } else {
            in_step(['web1'], HUB . "/roots/$name");
        }
    }
    check($report->committed, 'nobody was let in');
    Aegir\Scale\pool_close();
    $report = push(['parallel' => 1], null, SOURCE, $t);
    check($report->ok, 'not ok one at a time: ' . json_encode($report));
    foreach (array_keys($ports) as $i) {
        in_step(['web1'], HUB . "/roots/web1-$i");
    }
});

test('forced commands: one that talks, one for files only, one that is in order', function () {
    needs_namespaces();
    source(small_site());
    sshd_with('web2', 'ForceCommand echo "Welcome to web2"; eval "$SSH_ORIGINAL_COMMAND"');
    sshd_with('web3', 'ForceCommand internal-sftp');
    sshd_with('web4', 'ForceCommand ' . script('only-rsync', "#!/bin/sh\ncase \$SSH_ORIGINAL_COMMAND in 'rsync --server '*) eval \"exec \$SSH_ORIGINAL_COMMAND\" ;; esac\nexit 9\n"));
    $report = push(['max_failures' => 2]);
    failed($report, 'web2', 'Welcome to web2');
    failed($report, 'web3');
    outcome($report, 'web1', Outcome::Synced);
    outcome($report, 'web4', Outcome::Synced);
    in_step(['web1', 'web4']);
    foreach (['web2', 'web3'] as $name) {
        check(!file_exists(server_path($name, SOURCE)), "something was written to $name");
        sshd_with($name);
    }
    pushed();
    in_step();
});

test('a login shell that greets, start-up files that end it, and a long banner', function () {
    needs_namespaces();
    source(small_site());
    $passwd = FLEET . '/noisy-passwd';
    file_put_contents($passwd, preg_replace('/^(root:.*):[^:\n]*$/m', '$1:' . script('noisy-shell', "#!/bin/bash\necho Last login: today\nexec /bin/bash \"\$@\"\n"),
        file_get_contents('/etc/passwd')));
    on('web2', "mount --bind $passwd /etc/passwd");
    afterwards('web2', 'umount /etc/passwd');
    foreach (['web1' => 0, 'web3' => 1] as $name => $status) {
        file_put_contents(FLEET . "/servers/$name/home/.bashrc", "exit $status\n");
        afterwards($name, 'rm -f ' . FLEET . '/home/.bashrc');
    }
    file_put_contents(FLEET . '/banner', str_repeat("Authorised access only. \xff\x1b[31m\n", 1000));
    sshd_with('web4', 'Banner ' . FLEET . '/banner');
    $report = push(['max_failures' => 3]);
    failed($report, 'web2', 'Last login: today');
    failed($report, 'web1', '.bashrc');
    failed($report, 'web3', '.bashrc');
    outcome($report, 'web4', Outcome::Synced);
    in_step(['web4']);
    on('web2', 'umount /etc/passwd');
    on('web1', 'rm ' . FLEET . '/home/.bashrc');
    on('web3', 'rm ' . FLEET . '/home/.bashrc');
    Touched::$undo = array_filter(Touched::$undo, fn ($undo) => $undo[0] !== 'web2');
    pushed();
    in_step();
});

finish();
