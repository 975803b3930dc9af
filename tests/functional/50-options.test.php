<?php

/** Each option does what rsync's does, as a stock rsync beside it shows. */

require __DIR__ . '/lib.php';

use Aegir\Scale\Change;
use Aegir\Scale\Outcome;

/** What stock rsync makes of the same source and options, in a directory at the hub. */
function stock(string $old, array $options): string
{
    $to = FLEET . '/stock';
    run_here('rm', '-rf', $to);
    mkdir($to);
    if (is_dir($old)) {
        $below = $to . dirname(SOURCE);
        mkdir($below, 0755, true);
        run_here('cp', '-a', $old, $below);
    }
    run_here('rsync', '-aR', '--delete', ...$options, ...[SOURCE, "$to/"]);
    return $to . SOURCE;
}

function old_copy(array $entries): string
{
    run_here('rm', '-rf', FLEET . '/old');
    tree(FLEET . '/old/' . basename(SOURCE), $entries);
    foreach (NAMES as $name) {
        tree(server_path($name, dirname(SOURCE)), []);
        run_here('rm', '-rf', server_path($name, SOURCE));
        run_here('cp', '-a', FLEET . '/old/' . basename(SOURCE), dirname(server_path($name, SOURCE)));
    }
    return FLEET . '/old/' . basename(SOURCE);
}

const MIXED = [
    'a.php' => 'a', 'a.orig' => 'o', 'b.bak' => 'b', 'dir/a.php' => '1', 'dir/a.orig' => '2', 'dir/sub/keep.txt' => '3', 'dir/sub/drop.txt' => '4',
    'sites/a/files/up' => 'u', 'sites/a/settings.php' => 's', 'sites/b/settings.php' => 't', '.git/config' => 'g', '.git/objects/xx' => 'x', 'build/out.o' => 'O',
    'deep/build/out.o' => 'O', 'deep/build/src.c' => 'C', 'Äpfel/kern' => 'k', 'x[1]' => 'x', 'x1' => 'y', 'star*' => 'z', 'a/b/c/d/e' => 'e', 'a/x/c/d/e' => 'f',
    'empty/' => null, 'link' => ['->', 'dir'],
];
const STRAY = ['stray.php' => 's', 'stray.orig' => 'o', 'dir/stray.orig' => 'p', 'sites/a/files/theirs' => 'v', 'build/theirs.o' => 'q', 'dir/sub/drop.txt' => 'old', 'cache/c1' => 'c'];

$rules = [
    'a name anywhere' => ['exclude' => ['*.orig']],
    'an anchored name' => ['exclude' => [SOURCE . '/a.php']],
    'a directory only' => ['exclude' => ['build/']],
    'what a directory holds' => ['exclude' => ['/build/*', 'dir/sub/**']],
    'an include before an exclude' => ['include' => ['keep.txt', '*/'], 'exclude' => ['*.txt', '*.orig']],
    'filters before includes before excludes' => ['filter' => ['+ *.orig', '- drop.txt'], 'include' => ['*.bak'], 'exclude' => ['*.orig', '*.bak', '.git']],
    'protect and hide' => ['filter' => ['P cache/', 'H *.bak', 'P /**/files/theirs']],
    'show and risk' => ['filter' => ['S a.orig', 'R stray.orig', '- *.orig']],
    'two stars' => ['exclude' => ['a/**/e', '**/build/*.o']],
    'three stars' => ['exclude' => ['sites/a/***']],
    'a class' => ['exclude' => ['x[0-9]', '[[:upper:]]*', 'x\[1\]']],
    'an escaped star' => ['exclude' => ['star\*']],
    'a question mark' => ['exclude' => ['?.php', 'x?']],
    'a sender-only and a receiver-only rule' => ['filter' => ['-s *.bak', '-r stray.php']],
    'a list that is cleared' => ['filter' => ['- *', '!', '- *.bak']],
    'only php files' => ['filter' => ['+ */', '+ *.php', '- *']],
];
foreach ($rules as $what => $options) {
    test("filters as rsync's: $what", function () use ($options) {
        source(MIXED);
        $old = old_copy(STRAY);
        $argv = [];
        foreach (['filter', 'include', 'exclude'] as $kind) {
            foreach ($options[$kind] ?? [] as $rule) {
                $argv[] = "--$kind=$rule";
            }
        }
        // Protecting nothing, so that the filters alone decide.
        pushed($options + ['protect' => []]);
        $want = snapshot_of_names(stock($old, $argv));
        foreach (NAMES as $name) {
            same(snapshot_of_names(server_path($name, SOURCE)), $want, "what is on $name");
            same(differences($name, $argv), '', "what rsync would still change on $name");
        }
    });
}

function snapshot_of_names(string $path): string
{
    return run_here('bash', '-c', 'cd "$1" && find . -printf "%P %y %s %l\n" | sort', '-', $path);
}

test('relative off puts a directory by its last name into the root', function () {
    needs_namespaces();
    source(small_site());
    $t = topology(function (&$spec) {
        foreach ($spec['servers'] as &$server) {
            $server['root'] = '/var/aegir';
        }
    });
    foreach (NAMES as $name) {
        tree(server_path($name, HUB), ['shop/stray' => 'x', 'other' => 'kept']);
    }
    went_well(push(['relative' => false], null, SOURCE, $t));
    foreach (NAMES as $name) {
        same(contents(server_path($name, HUB . '/shop')), contents(SOURCE), "what is on $name");
        check(file_exists(server_path($name, HUB . '/other')), 'a file beside the directory was deleted');
    }
});

test('relative off with a trailing slash puts the contents into the root', function () {
    needs_namespaces();
    source(small_site());
    $t = topology(function (&$spec) {
        foreach ($spec['servers'] as &$server) {
            $server['root'] = '/var/aegir/www';
        }
    });
    foreach (NAMES as $name) {
        tree(server_path($name, HUB . '/www'), ['stray' => 'x']);
    }
    went_well(push(['relative' => false], null, SOURCE . '/', $t));
    foreach (NAMES as $name) {
        same(contents(server_path($name, HUB . '/www')), contents(SOURCE), "what is on $name");
    }
});

test('a root on the server stands for the top', function () {
    needs_namespaces();
    source(small_site());
    $t = topology(function (&$spec) {
        foreach ($spec['servers'] as &$server) {
            $server['root'] = '/var/aegir/chroot';
        }
    });
    foreach (NAMES as $name) {
        tree(server_path($name, HUB . '/chroot'), ['kept' => 'x']);
    }
    went_well(push([], null, SOURCE, $t));
    foreach (NAMES as $name) {
        same(contents(server_path($name, HUB . '/chroot' . SOURCE)), contents(SOURCE), "what is on $name");
        check(file_exists(server_path($name, HUB . '/chroot/kept')), 'a file in the root was deleted');
    }
});

test('checksum sees a change that size and time hide', function () {
    source(['f' => 'aaaa', 'g' => 'same']);
    touch(SOURCE . '/f', 1600000000);
    pushed();
    source(['f' => 'bbbb']);
    touch(SOURCE . '/f', 1600000000);
    foreach (pushed()->servers as $result) {
        same($result->files, 0, 'files sent without checksum');
    }
    foreach (pushed(['checksum' => true])->servers as $result) {
        same($result->files, 1, 'files sent with checksum');
    }
    equal_to_source();
});

test('update leaves newer files on a server alone', function () {
    source(['older' => 'hub', 'newer' => 'hub']);
    touch(SOURCE . '/older', 1500000000);
    foreach (NAMES as $name) {
        tree(server_path($name, SOURCE), ['older' => 'server', 'newer' => 'server']);
        touch(server_path($name, SOURCE . '/newer'), 1400000000);
    }
    pushed(['update' => true]);
    foreach (NAMES as $name) {
        same(file_get_contents(server_path($name, SOURCE . '/older')), 'server', 'the file that is newer on the server');
        same(file_get_contents(server_path($name, SOURCE . '/newer')), 'hub', 'the file that is newer at the hub');
    }
});

test('omit_dir_times leaves the times of directories alone', function () {
    source(['dir/f' => '1']);
    pushed();
    touch(SOURCE . '/dir', 1000000000);
    foreach (pushed(['omit_dir_times' => true])->servers as $name => $result) {
        same($result->outcome, Outcome::Unchanged, "outcome of $name");
    }
    foreach (NAMES as $name) {
        check(filemtime(server_path($name, SOURCE . '/dir')) !== 1000000000, 'the time was set');
    }
});

test('keep_dirlinks follows a symlink to a directory on the server', function () {
    source(['dir/f' => '1', 'other' => '2']);
    foreach (NAMES as $name) {
        tree(server_path($name, SOURCE), ['elsewhere/f' => 'old', 'dir' => ['->', 'elsewhere']]);
    }
    pushed(['keep_dirlinks' => true, 'filter' => ['P /**/elsewhere']]);
    foreach (NAMES as $name) {
        check(is_link(server_path($name, SOURCE . '/dir')), "the symlink is gone from $name");
        same(file_get_contents(server_path($name, SOURCE . '/elsewhere/f')), '1', 'the file behind the symlink');
    }
});

test('numeric_ids sends numbers and not names', function () {
    needs_namespaces();
    source(['f' => '1']);
    chown(SOURCE . '/f', 'aegir');
    file_put_contents(FLEET . '/passwd-of-web', str_replace('aegir:x:5999', 'aegir:x:6001', file_get_contents('/etc/passwd')));
    on(NAMES[0], 'mount --bind ' . FLEET . '/passwd-of-web /etc/passwd');
    afterwards(NAMES[0], 'umount -l /etc/passwd');
    pushed();
    same(fileowner(server_path(NAMES[0], SOURCE . '/f')), 6001, 'owner by name');
    pushed(['numeric_ids' => true]);
    same(fileowner(server_path(NAMES[0], SOURCE . '/f')), 5999, 'owner by number');
});

foreach (['auto', 'none', 'zstd', 'zlib'] as $compress) {
    test("compress $compress carries first copies and deltas", function () use ($compress) {
        source(small_site() + ['text' => prose(2000000), 'noise' => $noise = noise(2000000), 'zeros' => str_repeat("\0", 3000000)]);
        $first = pushed(['compress' => $compress]);
        equal_to_source();
        foreach (NAMES as $name) {
            $sent = $first->servers[$name]->bytesSent;
            check($compress === 'none' ? $sent > 7000000 : $sent < 5000000, "$sent bytes were sent");
        }
        source(['text' => 'A' . prose(2000000), 'noise' => substr_replace($noise, 'B', 1000000, 0), 'zeros' => str_repeat("\0", 1500000) . 'C' . str_repeat("\0", 1500000)]);
        $second = pushed(['compress' => $compress]);
        equal_to_source();
        foreach (NAMES as $name) {
            check($second->servers[$name]->bytesSent < 300000, "{$second->servers[$name]->bytesSent} bytes were sent for three bytes");
        }
    });
}

test('dry_run changes nothing and counts what would change', function () {
    source(small_site());
    foreach (NAMES as $name) {
        tree(server_path($name, SOURCE), ['stray' => 'x', 'index.php' => 'old']);
    }
    $before = array_map(fn ($name) => snapshot(server_path($name, HUB)), NAMES);
    $report = push(['dry_run' => true]);
    same($report->committed, false, 'committed');
    foreach (NAMES as $i => $name) {
        same(snapshot(server_path($name, HUB)), $before[$i], "what is on $name");
        $result = outcome($report, $name, Outcome::Differs);
        same($result->deleted, 1, "what would be deleted on $name");
    }
    pushed();
    foreach (push(['dry_run' => true])->servers as $name => $result) {
        same($result->outcome, Outcome::Unchanged, "outcome of $name after the push");
    }
});

/** Stock rsync's words for a push to $server: path => code. */
function itemized(string $server): array
{
    $list = [];
    foreach (explode("\n", differences($server, ['--out-format=%i %n'], SOURCE, false)) as $line) {
        if ($line !== '') {
            [$code, $path] = [substr($line, 0, 11), rtrim(substr($line, 12), '/')];
            $list['/' . ltrim($path, '/')] = trim($code);
        }
    }
    ksort($list);
    return $list;
}

function changes(array $changes): array
{
    $list = [];
    foreach ($changes as $change) {
        check($change instanceof Change, 'a change is no Change');
        $list[rtrim($change->path, '/')] = trim($change->code);
    }
    ksort($list);
    return $list;
}

function differing_servers(): void
{
    source(small_site() + ['type' => 'file', 'retarget' => ['->', 'new']]);
    pushed();
    source(['index.php' => 'other size', 'core/new/file' => 'n', 'fresh' => '1']);
    unlink(SOURCE . '/core/empty');
    chmod(SOURCE . '/core/lib/a.php', 0600);
    chown(SOURCE . '/sites/default/settings.php', 33);
    unlink(SOURCE . '/retarget');
    symlink('newer', SOURCE . '/retarget');
    unlink(SOURCE . '/type');
    mkdir(SOURCE . '/type');
    tree(server_path(NAMES[1], SOURCE), ['stray/inner' => 'x', 'core/lib/b.php' => 'defaced']);
}

test('cluster_status says the same as rsync --itemize-changes and changes nothing', function () {
    differing_servers();
    $before = array_map(fn ($name) => snapshot(server_path($name, HUB)), NAMES);
    $report = status();
    check(!$report->ok, 'the report is ok');
    foreach (NAMES as $i => $name) {
        outcome($report, $name, Outcome::Differs);
        same(changes($report->servers[$name]->changes), itemized($name), "the changes on $name");
        same(snapshot(server_path($name, HUB)), $before[$i], "what is on $name");
    }
    pushed();
    $report = status();
    check($report->ok, 'the report is not ok after a push');
    foreach (NAMES as $name) {
        outcome($report, $name, Outcome::Unchanged);
        same($report->servers[$name]->changes, [], 'changes');
    }
});

test('a push with itemize says what stock rsync said it would do', function () {
    differing_servers();
    $want = array_map(fn ($name) => itemized($name), array_combine(NAMES, NAMES));
    $report = pushed(['itemize' => true]);
    foreach (NAMES as $name) {
        same(changes($report->servers[$name]->changes), $want[$name], "the changes on $name");
    }
    equal_to_source();
});

test('cluster_status with checksum finds a defaced file', function () {
    source(small_site());
    pushed();
    $path = server_path(NAMES[2], SOURCE . '/core/lib/a.php');
    $time = filemtime(SOURCE . '/core/lib/a.php');
    run_here('cp', '--preserve=timestamps', $path, FLEET . '/times');
    file_put_contents($path, strrev(file_get_contents($path)));
    run_here('touch', '-r', FLEET . '/times', $path);
    check(status()->ok, 'size and time alone should see nothing');
    $report = status(['checksum' => true]);
    outcome($report, NAMES[2], Outcome::Differs);
    same(array_keys(changes($report->servers[NAMES[2]]->changes)), [SOURCE . '/core/lib/a.php'], 'the paths');
    outcome($report, NAMES[0], Outcome::Unchanged);
});

test('a report of names that are no UTF-8 becomes JSON', function () {
    source(["lat\xe4in" => '1', "new\nline" => '2']);
    $json = json_encode(status());
    check($json !== false && str_contains($json, '\\\\xE4') || str_contains($json, '\\\\xe4'), "the JSON is $json " . json_last_error_msg());
});

test('servers limits the push to those named', function () {
    source(small_site());
    $report = push(['servers' => [NAMES[2], NAMES[0]]]);
    same(array_keys($report->servers), [NAMES[0], NAMES[2]], 'the servers of the report');
    equal_to_source([], SOURCE, [NAMES[0], NAMES[2]]);
    check(!file_exists(server_path(NAMES[1], SOURCE)), 'another server was pushed to');
});

test('one server is a group', function () {
    source(small_site());
    $report = push([], null, SOURCE, null, NAMES[3]);
    same(array_keys($report->servers), [NAMES[3]], 'the servers of the report');
    equal_to_source([], SOURCE, [NAMES[3]]);
});

test('parallel 1 connects one after the other and copies all the same', function () {
    source(small_site());
    pushed(['parallel' => 1]);
    equal_to_source();
});

test('progress comes for every server, forwards only, and not too often', function () {
    source(array_combine(array_map(fn ($i) => "f$i", range(1, 300)), array_map(fn ($i) => noise(50000, $i), range(1, 300))));
    $order = array_flip(array_map(fn ($p) => $p->value, Aegir\Scale\Phase::cases()));
    $last = $count = $times = [];
    $begun = microtime(true);
    went_well(push([], function ($p) use (&$last, &$count, $order) {
        $before = $last[$p->server] ?? null;
        check($before === null || $order[$p->phase->value] >= $order[$before->phase->value], "$p->server went back to {$p->phase->value}");
        check($before === null || $p->bytesDone >= $before->bytesDone && $p->filesDone >= $before->filesDone, 'what was done became less');
        check($p->filesDone <= $p->filesTotal && $p->bytesDone <= $p->bytesTotal, 'more was done than there is');
        $last[$p->server] = $p;
        $count[$p->server] = ($count[$p->server] ?? 0) + 1;
    }));
    $seconds = microtime(true) - $begun;
    foreach (NAMES as $name) {
        check(isset($last[$name]), "no progress of $name");
        same($last[$name]->phase->value, 'done', "the last phase of $name");
        same([$last[$name]->filesDone, $last[$name]->bytesDone], [300, 15000000], "files and bytes of $name");
        check($count[$name] <= 10 * $seconds + 9, "$count[$name] calls in $seconds s");
    }
});

finish();
