<?php

/** A source that is not as it should be is refused or told, and never turned into a delete. */

require __DIR__ . '/lib.php';

use Aegir\Scale\Outcome;
use Aegir\Scale\Phase;
use Aegir\Scale\ScaleException;

/** Servers that hold the small site already. */
function served(): array
{
    source(small_site());
    pushed();
    return array_map(fn ($name) => snapshot(server_path($name, SOURCE)), array_combine(NAMES, NAMES));
}

function as_before(array $before): void
{
    foreach ($before as $name => $was) {
        same(snapshot(server_path($name, SOURCE)), $was, "what $name serves");
    }
}

test('a source that is missing is refused and nothing is deleted', function () {
    $before = served();
    run_here('rm', '-r', SOURCE);
    $e = thrown(ScaleException::class, fn () => push());
    same($e->path, SOURCE, 'the path of the exception');
    as_before($before);
});

test('an empty source directory is refused and nothing is deleted', function () {
    $before = served();
    run_here('rm', '-r', SOURCE);
    mkdir(SOURCE);
    $e = thrown(ScaleException::class, fn () => push());
    same($e->path, SOURCE, 'the path of the exception');
    as_before($before);
});

test('a source of which the filters leave nothing is refused', function () {
    $before = served();
    thrown(ScaleException::class, fn () => push(['exclude' => ['*']]));
    as_before($before);
});

test('one missing path among several stops the whole push', function () {
    $before = served();
    source(['index.php' => 'changed']);
    thrown(ScaleException::class, fn () => push([], null, [SOURCE, PLATFORMS . '/typo']));
    as_before($before);
});

test('a relative path, an empty one and one with dots are refused', function () {
    source(small_site());
    foreach (['', 'platforms/shop', './x', HUB . '/../etc', "/var/\0x"] as $path) {
        thrown(ValueError::class, fn () => push([], null, $path));
    }
    thrown(ValueError::class, fn () => push([], null, []));
});

test('a group that is not there is refused by name', function () {
    source(small_site());
    $e = thrown(ScaleException::class, fn () => push([], null, SOURCE, null, 'lvie'));
    check(str_contains($e->getMessage(), 'lvie') && str_contains($e->getMessage(), 'live'), 'the message is: ' . $e->getMessage());
});

test('an unknown option is refused with the nearest known one', function () {
    source(small_site());
    $e = thrown(ValueError::class, fn () => push(['dryrun' => true]));
    check(str_contains($e->getMessage(), 'dry_run'), 'the message is: ' . $e->getMessage());
    foreach (NAMES as $name) {
        check(!file_exists(server_path($name, SOURCE)), 'something was pushed');
    }
});

test('options of a wrong type or range are refused', function () {
    source(small_site());
    foreach ([['commit' => 'sometimes'], ['compress' => 'best'], ['max_failures' => -1], ['exclude' => 7], ['filter' => ['x y']], ['servers' => ['web99']],
        ['delete' => 'yes please'], ['timeout' => -5], ['exclude' => [[]]]] as $options) {
        try {
            push($options);
        } catch (ValueError|TypeError|ScaleException) {
            continue;
        }
        throw new Failure('accepted ' . show($options));
    }
});

/** Pushes in a process of the user aegir, who cannot read everything. */
function push_as_aegir(): array
{
    needs_namespaces();
    copy(FLEET . '/key', FLEET . '/key-of-aegir');
    chmod(FLEET . '/key-of-aegir', 0600);
    chown(FLEET . '/key-of-aegir', 'aegir');
    file_put_contents(FLEET . '/push.php', '<?php
        $spec = Aegir\Scale\Topology::fromFile($argv[1])->toArray();
        foreach ($spec["servers"] as &$server) $server["identity"] = $argv[2];
        try {
            echo json_encode(Aegir\Scale\cluster_sync(Aegir\Scale\Topology::fromArray($spec), "live", $argv[3]));
        } catch (Exception $e) {
            echo json_encode(["exception" => get_class($e), "message" => $e->getMessage(), "path" => $e->path ?? null]);
        }');
    fleet('topology', FLEET . '/topology.yml');
    run_here('chown', '-R', 'aegir:aegir', HUB);
    $out = run_here('setpriv', '--reuid=5999', '--regid=5999', '--clear-groups', 'env', 'HOME=/var/aegir', PHP_BINARY, '-n', '-d', 'extension=' . getenv('AEGIR_SCALE_MODULE'),
        FLEET . '/push.php', FLEET . '/topology.yml', FLEET . '/key-of-aegir', SOURCE);
    return json_decode($out, true) ?? throw new Failure("the push printed: $out");
}

test('an unreadable file is told and costs no server anything', function () {
    source(small_site() + ['stray' => 's']);
    pushed();
    unlink(SOURCE . '/stray');
    source(['core/misc/logo.png' => noise(20000, 99), 'index.php' => '<?php new();']);
    chown(SOURCE . '/core/misc/logo.png', 'root');
    chmod(SOURCE . '/core/misc/logo.png', 0000);
    $report = push_as_aegir();
    check(str_contains(json_encode($report, JSON_UNESCAPED_SLASHES), 'logo.png'), 'nobody mentions the file: ' . show($report));
    check(empty($report['ok']), 'the report is ok: ' . show($report));
    foreach (NAMES as $name) {
        same(@file_get_contents(server_path($name, SOURCE . '/core/misc/logo.png')), noise(20000, 3), "the file on $name");
    }
});

test('an unreadable directory is told and what is below it is not deleted', function () {
    source(small_site());
    pushed();
    source(['index.php' => '<?php new();']);
    run_here('chown', 'root', SOURCE . '/core/lib');
    run_here('chmod', '0700', SOURCE . '/core/lib');
    run_here('bash', '-c', 'chown -R aegir: /var/aegir; chown root: "$1"', '-', SOURCE . '/core/lib');
    $report = push_as_aegir_keeping(SOURCE . '/core/lib');
    check(str_contains(json_encode($report, JSON_UNESCAPED_SLASHES), 'core/lib'), 'nobody mentions the directory: ' . show($report));
    foreach (NAMES as $name) {
        check(file_exists(server_path($name, SOURCE . '/core/lib/a.php')), "what was below the directory is gone from $name");
    }
});

function push_as_aegir_keeping(string $unreadable): array
{
    needs_namespaces();
    // chown -R of push_as_aegir would make it readable again; a mode of 0 for its owner does not.
    chmod($unreadable, 0000);
    return push_as_aegir();
}

test('a file that changes while it is sent arrives consistent', function () {
    source(['a' => 'first', 'growing' => noise(30000000)]);
    pushed();
    // Versions of one size, written within seconds; the last has a second of its own, as rsync compares size and whole seconds.
    file_put_contents(SOURCE . '/growing', implode('', array_map(fn ($i) => str_repeat(pack('V', 1), 16384), range(1, 300))));
    background('bash', '-c', 'for n in 2 3 4 5 6 7 8; do perl -e \'print pack("V", $ARGV[0]) x 16384 for 1..300\' $n >"$1.new"; cat "$1.new" >"$1"; done; rm "$1.new"',
        '-', SOURCE . '/growing');
    for ($i = 0; $i < 5; $i++) {
        push();
    }
    eventually(fn () => !file_exists(SOURCE . '/growing.new'), 'the writer does not end', 60);
    sleep(1);
    touch(SOURCE . '/growing');
    pushed();
    equal_to_source();
});

test('a file that vanishes during the send is told and stops nothing', function () {
    $files = [];
    for ($i = 0; $i < 400; $i++) {
        $files[sprintf('f%03d', $i)] = noise(40000, $i);
    }
    source($files + ['zz-last' => noise(500000)]);
    $report = push([], at_phase(NAMES[0], Phase::List, function () {
        for ($i = 300; $i < 400; $i += 10) {
            unlink(SOURCE . "/f$i");
        }
        unlink(SOURCE . '/zz-last');
    }, $done));
    check($done, 'the phase list was never reported');
    if (!$report->ok || $report->warnings !== []) {
        check(str_contains(json_encode($report), 'zz-last'), 'nobody mentions the file: ' . show($report->warnings));
    }
    pushed();
    equal_to_source();
});

test('a directory swapped for a symlink during the scan is not followed', function () {
    needs_namespaces();
    $secret = FLEET . '/secret';
    tree($secret, ['shadow' => 'secret']);
    source(array_fill_keys(array_map(fn ($i) => "d$i/file", range(1, 2000)), 'x'));
    background('bash', '-c', 'cd "$1" && for i in {1..100000}; do mv d1500 away && ln -s "$2" d1500; rm d1500; mv away d1500; done', '-', SOURCE, $secret);
    for ($i = 0; $i < 10; $i++) {
        try {
            $said = json_encode(push());
            check(!str_contains($said, 'status 24'), "what vanished is an error: $said");
        } catch (Aegir\Scale\ScaleException $e) {
            same($e->getMessage(), 'cannot read directory ' . SOURCE . '/d1500: Not a directory', 'why the source is refused');
        }
    }
    foreach (NAMES as $name) {
        same(run_here('find', server_path($name, SOURCE), '-name', 'shadow'), '', "files from outside on $name");
    }
});

test('a directory swapped for a symlink while files are sent is not followed', function () {
    needs_namespaces();
    $secret = FLEET . '/secret2';
    tree($secret, array_fill_keys(array_map(fn ($i) => "f$i", range(1, 20)), 'from outside'));
    source(['a/first' => noise(4000000)] + array_fill_keys(array_map(fn ($i) => "z/f$i", range(1, 20)), 'from inside'));
    // Of the files behind the first none is read before it has been sent for a while.
    $report = push(['bwlimit' => 4000, 'compress' => 'none'], at_phase('web1', Phase::Transfer, function () use ($secret) {
        rename(SOURCE . '/z', SOURCE . '/away');
        symlink($secret, SOURCE . '/z');
    }, $done));
    check($done, 'the phase transfer was never reported');
    foreach (NAMES as $name) {
        same(run_here('bash', '-c', 'grep -rl outside "$1" || true', '-', server_path($name, SOURCE)), '', "content from outside on $name");
    }
    mentions_the_files($report);
    unlink(SOURCE . '/z');
    rename(SOURCE . '/away', SOURCE . '/z');
    pushed();
    equal_to_source();
});

function mentions_the_files(Aegir\Scale\SyncReport $report): void
{
    check(str_contains(json_encode($report, JSON_UNESCAPED_SLASHES), SOURCE . '/z/f'), 'nobody mentions the files: ' . show($report->warnings));
}

finish();
