<?php

/** What is looked at before a server is touched: is the source what it was, and is nobody else at work on the same. */

require __DIR__ . '/lib.php';

use Aegir\Scale\CancelledException;
use Aegir\Scale\Outcome;
use Aegir\Scale\ScaleException;
use Aegir\Scale\SyncReport;

const STATE = FLEET . '/home/.local/state/aegir_scale';
const MARKS = FLEET . '/marks';

/** A test that begins without any memory. */
function guarded(string $name, callable $body): void
{
    test($name, function () use ($body) {
        run_here('rm', '-rf', STATE, MARKS);
        mkdir(MARKS);
        try {
            $body();
        } finally {
            putenv('XDG_STATE_HOME');
            touch(MARKS . '/go');
            unmount_all();
        }
    });
}

/** A file system of its own on this machine, at a directory that is made. */
function mounted(string $at, string $source = 'disk1', array $entries = ['index.php' => 'mounted']): void
{
    needs_namespaces();
    is_dir($at) || mkdir($at, 0755, true);
    run_here('mount', '-t', 'tmpfs', $source, $at);
    tree($at, $entries);
}

function unmount_all(): void
{
    preg_match_all('{^\S+ \S+ \S+ \S+ (' . preg_quote(PLATFORMS) . '\S*)}m', file_get_contents('/proc/self/mountinfo'), $found);
    foreach (array_reverse($found[1]) as $at) {
        run_here('umount', $at);
    }
}

/** The whole push must be refused before a server hears of it. */
function refused(array $options = [], array|string $paths = SOURCE): string
{
    Aegir\Scale\pool_close();
    $before = array_map(fn ($name) => snapshot(server_path($name, PLATFORMS)), NAMES);
    $opened = Aegir\Scale\pool_stats()['opened'];
    $e = thrown(ScaleException::class, fn () => push($options, null, $paths));
    same(Aegir\Scale\pool_stats()['opened'], $opened, 'connections');
    same(array_map(fn ($name) => snapshot(server_path($name, PLATFORMS)), NAMES), $before, 'what the servers have');
    return $e->getMessage();
}

function contains(string $text, string ...$parts): void
{
    foreach ($parts as $part) {
        check(str_contains($text, $part), "\"$part\" is not in: $text");
    }
}

function records(): array
{
    return glob(STATE . '/sources/*');
}

/** Another process that does this in PHP; it can use wait_for(MARKS . "/…"). Its number. */
function other(string $code): int
{
    $lib = var_export(dirname(__DIR__) . '/functional/lib.php', true);
    $code = "require $lib; const MARKS = FLEET . '/marks'; \$t = Aegir\\Scale\\Topology::fromFile(FLEET . '/topology.yml'); $code";
    $argv = [PHP_BINARY, '-n', '-d', 'extension=' . getenv('AEGIR_SCALE_MODULE'), '-r', $code];
    $log = ['file', MARKS . '/log', 'a'];
    Touched::$processes[] = $process = proc_open($argv, [['file', '/dev/null', 'r'], $log, $log], $pipes);
    return proc_get_status($process)['pid'];
}

function wait_for(string $mark, float $seconds = 60): void
{
    eventually(fn () => clearstatcache() === null && file_exists(MARKS . "/$mark"),
        fn () => "$mark did not come: " . substr((string) @file_get_contents(MARKS . '/log'), 0, 600), $seconds);
}

/** A push in another process that stands still until the mark "go". */
function at_work(string $call = 'push([], $stop, SOURCE, $t);'): int
{
    topology();
    $pid = other('$stop = function () { touch(MARKS . "/begun"); while (!file_exists(MARKS . "/go")) { usleep(20000); clearstatcache(); } };'
        . '' . $call . ' touch(MARKS . "/done");');
    wait_for('begun');
    return $pid;
}

function is_kept_out(callable $call, int $pid): void
{
    $begun = microtime(true);
    $e = thrown(ScaleException::class, $call);
    contains($e->getMessage(), "process $pid has been at work on ", date('Y-m-d '), 'did not end within 1 s');
    check(microtime(true) - $begun >= 1, 'it did not wait');
}

// --- the source ------------------------------------------------------------------------------------------------------

guarded('a push remembers where its source is, for this user alone', function () {
    source(small_site());
    pushed();
    same(count(records()), 1, 'records');
    same([fileperms(STATE) & 0777, fileperms(records()[0]) & 0777], [0700, 0600], 'modes');
    contains(file_get_contents(records()[0]), "group live\npath " . SOURCE . "\nmount " . SOURCE . ' ', "\nend\n");
    $inode = fileinode(records()[0]);
    pushed();
    pushed([], SOURCE . '/');
    clearstatcache();
    same([count(records()), fileinode(records()[0])], [1, $inode], 'the record of the second push');
    same(glob(STATE . '/runs/run.*'), [], 'locks that are left');
});

guarded('a source that is not mounted is refused', function () {
    mounted(SOURCE, 'disk1', small_site());
    pushed();
    run_here('umount', SOURCE);
    $message = refused();
    contains($message, SOURCE . ' is on tmpfs ', 'it was on tmpfs disk1 mounted at ' . SOURCE, '--no-guard');
    tree(SOURCE, ['index.php' => 'what lies below the mount']);
    contains(refused(), 'it was on tmpfs disk1');
    contains(refused(['dry_run' => true]), 'it was on tmpfs disk1');
    contains(refused(['max_delete' => 1000000]), 'it was on tmpfs disk1');
    check(Aegir\Scale\cluster_status(topology(), 'live', SOURCE)->ok === false, 'a status does not look');
});

guarded('mounted anew, as after a reboot, it is the same', function () {
    mounted(SOURCE);
    pushed();
    $device = stat(SOURCE)['dev'];
    run_here('umount', SOURCE);
    run_here('mount', '-t', 'tmpfs', 'between', FLEET . '/marks');       // so that the device number is another one
    mounted(SOURCE, 'disk1', ['index.php' => 'mounted again']);
    run_here('umount', FLEET . '/marks');
    clearstatcache();
    check(stat(SOURCE)['dev'] !== $device, 'the device number did not change');
    pushed();
    equal_to_source();
});

guarded('another file system at the same place is refused', function () {
    mounted(SOURCE, 'disk1');
    pushed();
    run_here('umount', SOURCE);
    mounted(SOURCE, 'disk2');
    contains(refused(), 'is on tmpfs disk2 mounted at ' . SOURCE, 'it was on tmpfs disk1');
});

guarded('without the guard a source that was moved is pushed, and remembered', function () {
    mounted(SOURCE, 'disk1');
    pushed();
    run_here('umount', SOURCE);
    source(['index.php' => 'moved']);
    pushed(['guard' => false]);
    pushed();
    equal_to_source();
    mounted(SOURCE, 'disk1');
    contains(refused(), 'is on tmpfs disk1');
});

guarded('what a directory is to a service, or a symbolic link on the way, is no move', function () {
    needs_namespaces();
    source(small_site());
    tree(PLATFORMS, ['one/web/index.php' => '1', 'two/web/index.php' => '2', 'current' => ['->', 'one']]);
    pushed();
    pushed([], PLATFORMS . '/current/web');
    run_here('mount', '--bind', SOURCE, SOURCE);
    pushed();
    unlink(PLATFORMS . '/current');
    symlink('two', PLATFORMS . '/current');
    pushed([], PLATFORMS . '/current/web');
});

guarded('a mount below the source counts, too', function () {
    mounted(SOURCE, 'disk1');
    tree(PLATFORMS, ['blog/index.php' => 'b']);
    pushed([], PLATFORMS);
    run_here('umount', SOURCE);
    contains(refused([], PLATFORMS), SOURCE . ' is on ', 'disk1 mounted at ' . SOURCE);
    rmdir(SOURCE);
    pushed([], PLATFORMS);
    foreach (NAMES as $name) {
        check(!file_exists(server_path($name, SOURCE)), "what was taken away on purpose is still on $name");
    }
});

guarded('a mount of uploads does not', function () {
    source(small_site());
    mounted(SOURCE . '/sites/default/files', 'share', ['a.jpg' => '1']);
    pushed();
    run_here('umount', SOURCE . '/sites/default/files');
    pushed();
    foreach (NAMES as $name) {
        check(file_exists(server_path($name, SOURCE . '/sites/default/files/a.jpg')), "an upload is gone from $name");
    }
});

guarded('an empty source is refused before a server is touched, and pushed without the guard', function () {
    source(small_site());
    pushed();
    run_here('find', SOURCE, '-mindepth', '1', '-delete');
    contains(refused(), SOURCE . ' is empty', '--no-guard');
    contains(refused([], SOURCE . '/'), ' is empty');
    foreach (pushed(['guard' => false])->servers as $name => $result) {
        check($result->deleted > 5, "$name deleted $result->deleted");
        same(scandir(server_path($name, SOURCE)), ['.', '..'], "what $name has");
    }
});

guarded('a missing source is refused, guard or not', function () {
    source(small_site());
    pushed();
    run_here('rm', '-r', SOURCE);
    contains(refused(), 'cannot find the source');
    contains(refused(['guard' => false]), 'cannot find the source');
});

guarded('each group has a memory of its own, and a single file is a source', function () {
    mounted(SOURCE);
    pushed();
    pushed([], SOURCE . '/index.php');
    run_here('umount', SOURCE);
    source(['index.php' => 'x']);
    $report = push([], null, SOURCE, null, 'web1');
    check($report->ok, 'web1 alone was refused');
    contains(refused([], SOURCE . '/index.php'), SOURCE . '/index.php is on ');
    contains(refused(), ' is on ');
});

guarded('a push that changed nothing is not remembered', function () {
    mounted(SOURCE);
    push(['dry_run' => true]);
    same(records(), [], 'records of a dry run');
    fleet('kill', 'web2');
    push(['connect_timeout' => 2]);
    same(records(), [], 'records of a push that was not released');
    push(['connect_timeout' => 2, 'max_failures' => 1]);
    same(count(records()), 1, 'records of a push to those that are left');
});

guarded('a damaged record is an error that says how to mend it', function () {
    source(small_site());
    pushed();
    $record = records()[0];
    $whole = file_get_contents($record);
    foreach (['', 'x', substr($whole, 0, -4), "$whole$whole", str_replace('group live', 'group dev', $whole),
        "$whole\0", preg_replace('/^mount (\S+) .*$/m', 'mount $1', $whole), "\0", str_repeat("mount\n", 400000)] as $damaged) {
        file_put_contents($record, $damaged);
        contains(refused(), strlen($damaged) > 1 << 20 ? 'cannot read ' : 'is damaged', basename($record));
    }
    pushed(['guard' => false]);
    same(file_get_contents($record), $whole, 'the record');
    unlink($record);
    mkdir($record);
    contains(refused(), basename($record));
    rmdir($record);
    pushed();
});

guarded('nowhere to remember anything is a warning', function () {
    source(small_site());
    tree(HUB, ['open/aegir_scale/' => null]);
    chmod(HUB . '/open/aegir_scale', 0777);
    foreach (['/dev/null/x' => 'Not a directory', HUB . '/open' => 'others may write to'] as $home => $reason) {
        putenv("XDG_STATE_HOME=$home");
        $warnings = pushed()->warnings;
        same(count($warnings), 2, 'warnings');
        contains($warnings[0], 'nothing keeps another call from the same paths: ', $reason);
        contains($warnings[1], 'nothing is remembered of the source\'s file system: ', $reason);
    }
    putenv('XDG_STATE_HOME=relative');
    same(pushed()->warnings, [], 'warnings, with a name to be ignored');
    putenv('XDG_STATE_HOME=' . HUB . '/own/state');
    same([pushed()->warnings, count(glob(HUB . '/own/state/aegir_scale/sources/*'))], [[], 1], 'warnings and records of a directory that had to be made');
    $home = getenv('HOME');
    putenv('XDG_STATE_HOME');
    putenv('HOME');
    $warnings = pushed()->warnings;
    putenv("HOME=$home");
    contains($warnings[0] ?? '', 'neither HOME nor XDG_STATE_HOME');
});

guarded('a release is guarded as a push is', function () {
    mounted(SOURCE);
    pushed(['release' => 'r1']);
    run_here('umount', SOURCE);
    contains(refused(['release' => 'r2']), SOURCE . ' is on ', 'it was on tmpfs disk1');
    tree(SOURCE, ['index.php' => 'moved']);
    contains(refused(['release' => 'r2']), 'it was on tmpfs disk1');
    pushed(['release' => 'r2', 'guard' => false]);
    pushed(['release' => 'r3']);
});

// --- two at once -----------------------------------------------------------------------------------------------------

guarded('the second of two pushes waits for the first', function () {
    source(small_site());
    at_work();
    other('$r = push([], function () { touch(MARKS . "/told"); }, SOURCE, $t); touch(MARKS . "/second" . ($r->ok ? "" : "-failed"));');
    wait_for('told');
    usleep(300000);
    check(!file_exists(MARKS . '/second'), 'the second did not wait');
    touch(MARKS . '/go');
    wait_for('done');
    wait_for('second');
    equal_to_source();
    same(glob(STATE . '/runs/run.*'), [], 'locks that are left');
});

guarded('who waits too long is refused, and told for whom', function () {
    source(small_site());
    tree(PLATFORMS, ['blog/index.php' => 'b']);
    $pid = at_work();
    is_kept_out(fn () => push(['timeout' => 1]), $pid);
    is_kept_out(fn () => push(['timeout' => 1], null, SOURCE . '/'), $pid);
    is_kept_out(fn () => push(['timeout' => 1], null, SOURCE . '/core'), $pid);
    is_kept_out(fn () => push(['timeout' => 1], null, PLATFORMS), $pid);
    is_kept_out(fn () => push(['timeout' => 1], null, SOURCE, null, 'web1'), $pid);
    is_kept_out(fn () => push(['timeout' => 1, 'relative' => false, 'delete' => false]), $pid);
    is_kept_out(fn () => push(['timeout' => 1, 'release' => 'r1']), $pid);
    is_kept_out(fn () => Aegir\Scale\release_switch(topology(), 'live', SOURCE, 'r1', ['timeout' => 1]), $pid);
    is_kept_out(fn () => Aegir\Scale\release_prune(topology(), 'live', SOURCE, 1, ['timeout' => 1]), $pid);
    is_kept_out(fn () => Aegir\Scale\cluster_fetch(topology(), 'live', SOURCE . '/sites/default/files', ['timeout' => 1]), $pid);
    $t = topology(function (array &$spec) {
        $spec['servers'] = array_map(fn ($s) => ['timeout' => 1] + $s, $spec['servers']);
    });
    is_kept_out(fn () => push([], null, SOURCE, $t), $pid);
    check(push(['timeout' => 1], null, PLATFORMS . '/blog')->ok, 'another path was kept out');
    check(push(['dry_run' => true, 'timeout' => 1])->servers['web1']->error === null, 'a dry run was kept out');
    status(['timeout' => 1]);
    Aegir\Scale\release_list(topology(), 'live', SOURCE);
});

guarded('other servers of the group are not in the way', function () {
    source(small_site());
    at_work('push(["servers" => ["web1", "web2"]], $stop, SOURCE, $t);');
    check(push(['timeout' => 1, 'servers' => ['web3']])->ok, 'web3 was kept out');
    $e = thrown(ScaleException::class, fn () => push(['timeout' => 1, 'servers' => ['web2', 'web3']]));
    contains($e->getMessage(), 'has been at work on ' . SOURCE . ' ');
});

guarded('a release, a switch and a fetch keep others out as well', function () {
    tree(SOURCE, small_site());
    pushed(['release' => 'r1']);
    $pid = at_work('push(["release" => "r2"], $stop, SOURCE, $t);');
    is_kept_out(fn () => push(['timeout' => 1]), $pid);
    is_kept_out(fn () => push(['timeout' => 1, 'release' => 'r2']), $pid);
    is_kept_out(fn () => Aegir\Scale\release_switch(topology(), 'live', SOURCE, 'r1', ['timeout' => 1]), $pid);
    touch(MARKS . '/go');
    wait_for('done');
    same(Aegir\Scale\release_list(topology(), 'live', SOURCE)->servers['web1']->current, 'r2', 'the release');
    array_map('unlink', glob(MARKS . '/*'));
    tree(server_path('web1', PLATFORMS . '/blog/sites/default/files'), ['a' => '1']);
    tree(PLATFORMS, ['blog/sites/default/settings.php' => '1']);
    $pid = at_work('Aegir\Scale\cluster_fetch($t, "live", PLATFORMS . "/blog/sites/default/files", [], $stop);');
    is_kept_out(fn () => push(['timeout' => 1], null, PLATFORMS . '/blog'), $pid);
});

guarded('two releases of one name at once: one after the other', function () {
    tree(SOURCE, small_site());
    topology();
    foreach ([1, 2, 3] as $i) {
        other("\$r = push(['release' => 'r1'], null, SOURCE, \$t); touch(MARKS . '/done$i' . (\$r->ok ? '' : '-failed'));");
    }
    foreach ([1, 2, 3] as $i) {
        wait_for("done$i", 120);
    }
    foreach (Aegir\Scale\release_list(topology(), 'live', SOURCE)->servers as $result) {
        same([$result->current, $result->releases, $result->unfinished], ['r1', ['r1'], []], $result->server);
    }
});

guarded('who is killed lets go', function () {
    source(small_site());
    $pid = at_work();
    run_here('kill', '-KILL', (string) $pid);
    same(count(glob(STATE . '/runs/run.*')), 1, 'what the dead one left');
    $begun = microtime(true);
    pushed(['timeout' => 5]);
    check(microtime(true) - $begun < 5, 'it waited');
    same(glob(STATE . '/runs/run.*'), [], 'locks that are left');
});

guarded('the children of who is killed hold nothing', function () {
    source(small_site());
    $pid = at_work('push([], function () use ($stop) { if (pcntl_fork() === 0) { touch(MARKS . "/forked"); sleep(600); }'
        . ' $GLOBALS["p"] = proc_open(["sleep", "600"], [], $pipes); $stop(); }, SOURCE, $t);');
    wait_for('forked');
    $children = preg_split('/\s+/', trim(shell_exec("pgrep -P $pid")));
    same(count($children), 2, 'children');
    run_here('kill', '-KILL', (string) $pid);
    try {
        pushed(['timeout' => 5]);
    } finally {
        run_here('kill', '-KILL', ...$children);
    }
});

guarded('a forked child that ends does not free its parent\'s lock', function () {
    source(small_site());
    $pid = at_work('push([], function () use ($stop) { if (pcntl_fork() === 0) { exit(0); } pcntl_wait($status); $stop(); }, SOURCE, $t);');
    is_kept_out(fn () => push(['timeout' => 1]), $pid);
});

guarded('who waits can be stopped', function () {
    source(small_site());
    at_work();
    $begun = microtime(true);
    thrown(CancelledException::class, fn () => push([], fn () => false));
    pcntl_async_signals(true);
    pcntl_signal(SIGALRM, fn () => throw new DomainException('alarm'));
    pcntl_alarm(1);
    thrown(DomainException::class, fn () => push());
    check(microtime(true) - $begun < 20, 'it went on waiting');
    same(count(glob(STATE . '/runs/run.*')), 1, 'locks');
});

guarded('a call from a callback of the same process is refused at once', function () {
    source(small_site());
    $message = '';
    pushed_with(function () use (&$message) {
        $message = $message ?: thrown(ScaleException::class, fn () => push(['timeout' => 1]))->getMessage();
    });
    contains($message, 'another call is running');
});

function pushed_with(callable $progress): void
{
    went_well(push([], $progress));
}

guarded('many at once come one after the other', function () {
    source(small_site());
    topology();
    for ($i = 0; $i < 6; $i++) {
        other("\$r = push([], null, SOURCE, \$t); touch(MARKS . '/done$i' . (\$r->ok ? '' : '-failed'));");
    }
    for ($i = 0; $i < 6; $i++) {
        wait_for("done$i", 120);
    }
    equal_to_source();
    same(glob(STATE . '/runs/run.*'), [], 'locks that are left');
});

finish();
