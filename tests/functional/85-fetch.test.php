<?php

/** cluster_fetch: what is new on the servers comes here; the newest wins, other content is kept, nothing is deleted. */

require __DIR__ . '/lib.php';
require __DIR__ . '/faults.php';

use Aegir\Scale\Outcome;
use Aegir\Scale\Phase;
use Aegir\Scale\SyncReport;

const FILES = SOURCE . '/sites/shop.example/files';

function fetched(array $options = [], array|string $paths = FILES, ?callable $progress = null): SyncReport
{
    is_dir(dirname(FILES)) || mkdir(dirname(FILES), 0755, true);
    return Aegir\Scale\cluster_fetch(topology(), 'live', $paths, $options + ['timeout' => 8], $progress);
}

/** A file on a server, or here when $server is "", with its content and age. */
function upload(string $server, string $name, string $content, int $time = 1600000000): void
{
    $path = $server === '' ? FILES . "/$name" : server_path($server, FILES . "/$name");
    tree(dirname($path), [basename($path) => $content]);
    touch($path, $time);
}

/** Names and content here. */
function here(): array
{
    $files = [];
    foreach (new RecursiveIteratorIterator(new RecursiveDirectoryIterator(FILES, FilesystemIterator::SKIP_DOTS)) as $path => $_) {
        $files[substr($path, strlen(FILES) + 1)] = file_get_contents($path);
    }
    ksort($files);
    return $files;
}

function nothing_is_left(): void
{
    same(run_here('find', HUB, '-name', '.aegir-fetch.*'), '', 'what is left of the call');
}

test('what is new on any server comes here', function () {
    upload('', 'old.jpg', 'old');
    upload('', 'only here.jpg', 'mine');
    foreach (NAMES as $name) {
        upload($name, 'old.jpg', 'old');
        upload($name, "$name/a b.jpg", "from $name");
    }
    upload('web2', 'large', noise(3000000), 1600000100);
    $report = fetched(['itemize' => true]);
    check($report->ok, 'not ok: ' . json_encode($report));
    $want = ['large' => noise(3000000), 'old.jpg' => 'old', 'only here.jpg' => 'mine'];
    foreach (NAMES as $name) {
        $want["$name/a b.jpg"] = "from $name";
        same($report->servers[$name]->outcome, Outcome::Synced, $name);
        same($report->servers[$name]->files, $name === 'web2' ? 2 : 1, "files of $name");
    }
    ksort($want);
    check(here() === $want, 'the files are ' . implode(', ', array_keys(here())));
    same(filemtime(FILES . '/large'), 1600000100, 'the time');
    same(array_column($report->servers['web1']->changes, 'path'), [FILES . '/web1/a b.jpg'], 'changes');
    same([$report->files, $report->warnings], [count(NAMES) + 1, []], 'files and warnings');
    nothing_is_left();
    foreach (fetched()->servers as $result) {
        same([$result->outcome, $result->files], [Outcome::Unchanged, 0], 'the second call');
    }
});

test('the newest wins, and other content is kept and told once', function () {
    upload('', 'a', 'here', 1600000000);
    upload('web1', 'a', 'one', 1600000100);
    upload('web2', 'a', 'two', 1600000200);
    upload('web3', 'a', 'one', 1600000100);
    $report = fetched();
    check($report->ok, 'not ok');
    same(here(), ['a' => 'two', 'a.web1-CONFLICT' => 'one', 'a.web3-CONFLICT' => 'one'], 'files');
    same(count($report->warnings), 2, 'warnings');
    check(str_contains($report->warnings[0], 'a.web1-CONFLICT'), $report->warnings[0]);
    $report = fetched();
    same([$report->warnings, count(here())], [[], 3], 'warnings and files of the second call');
    nothing_is_left();
});

test('an older file never goes over a newer one here', function () {
    upload('', 'a', 'newer', 1600000900);
    upload('web1', 'a', 'older', 1600000100);
    fetched();
    same(here(), ['a' => 'newer', 'a.web1-CONFLICT' => 'older'], 'files');
    upload('web1', 'a', 'older again', 1600000200);
    fetched();
    same(here(), ['a' => 'newer', 'a.web1-CONFLICT' => 'older', 'a.web1-CONFLICT-2' => 'older again'], 'files');
});

test('the same content with other times is no conflict', function () {
    foreach (NAMES as $i => $name) {
        upload($name, 'a', 'same', 1600000000 + 100 * $i);
    }
    $report = fetched();
    same([here(), $report->warnings], [['a' => 'same'], []], 'files and warnings');
    same(filemtime(FILES . '/a'), 1600000000 + 100 * (count(NAMES) - 1), 'the time');
});

test('nothing here is deleted, and no symbolic link is brought or followed', function () {
    upload('', 'kept', 'x');
    tree(HUB, ['outside/' => null]);
    tree(FILES, ['link' => ['->', HUB . '/outside']]);
    tree(server_path('web1', FILES), ['evil' => ['->', '/etc/passwd'], 'dir/ok' => 'y', 'link/inside' => 'z', 'link-not' => 'n']);
    tree(server_path('web2', FILES), ['dir' => 'a file where web1 has a directory', 'kept/x' => 'a directory where we have a file']);
    $report = fetched();
    check(!file_exists(HUB . '/outside/inside'), 'a link here was followed');
    unlink(FILES . '/link');
    same(array_keys(here()), ['dir/ok', 'kept', 'link-not'], 'names');
    same(count($report->warnings), 3, 'warnings: ' . implode(' | ', $report->warnings));
});

test('modes of servers bring no setuid', function () {
    upload('web1', 'tool', 'x');
    on('web1', 'chmod 6755 ' . FILES . '/tool');
    fetched();
    same(fileperms(FILES . '/tool') & 07777, 0755, 'mode');
});

test('a directory is made as it is on the server, so that a push has nothing to change there', function () {
    upload('web1', 'deep/er/a', 'x');
    on('web1', 'chmod 2775 ' . FILES . '/deep && chgrp 33 ' . FILES . '/deep && chmod 770 ' . FILES . '/deep/er');
    $umask = umask(077);
    fetched();
    umask($umask);
    same([fileperms(FILES . '/deep') & 07777, filegroup(FILES . '/deep'), fileperms(FILES . '/deep/er') & 07777], [02775, 33, 0770], 'mode and group');
});

test('a server with a file in the place of a directory keeps nothing that others have in it', function () {
    upload('', 'images/here', 'h');
    foreach (['images', 'new'] as $dir) {
        upload('web1', $dir, 'in the way');
        upload('web2', "$dir/mine", "2 $dir");
        upload('web3', "$dir/deep/mine", "3 $dir");
    }
    upload('', 'file', 'old');
    upload('web1', 'file/x', 'in the way');
    upload('web2', 'file', 'new', 1600000100);
    $report = fetched();
    check($report->ok, 'not ok: ' . json_encode($report));
    same(here(), [
        'file' => 'new', 'images/deep/mine' => '3 images', 'images/here' => 'h', 'images/mine' => '2 images',
        'new/deep/mine' => '3 new', 'new/mine' => '2 new',
    ], 'files');
    same(count(preg_grep('/web1.*was left there$/', $report->warnings)), 3, 'warnings');
});

test('other content under a name that leaves no room for a copy is told, and all else comes', function () {
    $long = str_repeat('n', 250);
    upload('web1', $long, '1');
    upload('web2', $long, '2', 1600000100);
    upload('web3', 'zebra', 'z');
    $report = fetched();
    check($report->ok, 'not ok: ' . json_encode($report));
    same(here(), [$long => '2', 'zebra' => 'z'], 'files');
    same(count(preg_grep('/too long for a copy/', $report->warnings)), 1, 'warnings');
});

test('a time that is yet to come wins over nothing', function () {
    $later = time() + 400 * 86400;
    foreach (['known', 'mine', 'new'] as $name) {
        upload('web1', $name, 'from the future', $later);
    }
    upload('', 'known', 'ours', 1500000000);
    upload('web2', 'mine', 'today', time() - 60);
    $report = fetched();
    check($report->ok, 'not ok: ' . json_encode($report));
    $want = ['known' => 'ours', 'known.web1-CONFLICT' => 'from the future', 'mine' => 'today', 'mine.web1-CONFLICT' => 'from the future',
        'new' => 'from the future'];
    same(here(), $want, 'files');
    upload('web3', 'new', 'better', time() - 30);
    $report = fetched();
    same(here(), array_replace($want, ['new' => 'better']), 'what came under its name later');
});

test('what a server gives no right to read can be read here', function () {
    upload('web1', 'file', 'x');
    upload('web1', 'dir/x', 'x');
    chmod(server_path('web1', FILES . '/file'), 0);
    chmod(server_path('web1', FILES . '/dir'), 0);
    check(fetched()->ok, 'not ok');
    same([fileperms(FILES . '/file') & 0700, fileperms(FILES . '/dir') & 0700], [0400, 0700], 'modes');
});

test('filters begin at the path', function () {
    upload('web1', 'css/x.css', '1');
    upload('web1', 'a.log', '2');
    upload('web1', 'a.jpg', '3');
    fetched(['exclude' => ['/css/', '*.log']]);
    same(here(), ['a.jpg' => '3'], 'files');
});

test('a dead server fails, and what the others have comes', function () {
    upload('web1', 'a', '1');
    upload('web2', 'b', '2');
    fleet('kill', 'web2');
    $report = fetched(['connect_timeout' => 3]);
    check(!$report->ok, 'ok');
    outcome($report, 'web2', Outcome::Failed);
    outcome($report, 'web1', Outcome::Synced);
    same(here(), ['a' => '1'], 'files');
    nothing_is_left();
});

test('a server that dies in the middle adds nothing', function () {
    upload('web1', 'a', '1');
    upload('web2', 'b', noise(8000000));
    upload('web2', 'a-first', 'x');
    $report = fetched([], FILES, at_phase('web2', Phase::Transfer, function () {
        fleet('kill', 'web2');
    }));
    outcome($report, 'web2', Outcome::Failed);
    same(here(), ['a' => '1'], 'files');
    nothing_is_left();
});

test('a path that no server has brings nothing', function () {
    $report = fetched();
    check($report->ok, 'not ok: ' . json_encode($report));
    check(!file_exists(FILES), 'a directory was made');
    same($report->files, 0, 'files');
});

test('several paths, and connections that are kept', function () {
    upload('web1', 'a', '1');
    $other = SOURCE . '/sites/shop.example/private';
    tree(server_path('web2', $other), ['b' => '2']);
    $before = Aegir\Scale\pool_stats()['opened'] ?? 0;
    $report = fetched(['itemize' => true], [FILES, "$other/"]);
    check($report->ok, 'not ok');
    same([file_get_contents(FILES . '/a'), file_get_contents("$other/b")], ['1', '2'], 'files');
    same(Aegir\Scale\pool_stats()['opened'] - $before, count(NAMES), 'connections');
});

test('a server that gives a byte now and then is stopped, and so is the call', function () {
    needs_namespaces();
    upload('web1', 'a', '1');
    upload('web2', 'b', noise(100000));
    copy('/usr/bin/rsync', FLEET . '/rsync-real');
    chmod(FLEET . '/rsync-real', 0755);
    file_put_contents(FLEET . '/rsync-dripping', "#!/bin/sh\n" . FLEET . '/rsync-real "$@" | perl -e \'$| = 1; while (read(STDIN, $b, 1)) { print $b or exit; select(undef, undef, undef, 0.2); }\'');
    chmod(FLEET . '/rsync-dripping', 0755);
    use_rsync('web2', FLEET . '/rsync-dripping');
    $began = hrtime(true);
    $report = fetched(['timeout' => 3]);
    check(str_contains($error = outcome($report, 'web2', Outcome::Failed)->error, 'it is alive, but got nothing done for 12 s'), $error);
    same(here(), ['a' => '1'], 'files');
    check(hrtime(true) - $began < 60e9, 'it took ' . (hrtime(true) - $began) / 1e9 . ' s');
    $until = hrtime(true) + 1e9;
    thrown(Aegir\Scale\CancelledException::class, fn () => fetched(['timeout' => 60], FILES, fn () => hrtime(true) < $until));
    check(hrtime(true) - $until < 20e9, 'it was not stopped');
    nothing_is_left();
});

test('a server that has more than the disk here can hold is stopped, and the others are not', function () {
    needs_namespaces();
    upload('web1', 'a', '1');
    upload('web2', 'b', noise(90000000));
    mkdir(dirname(FILES), 0755, true);
    run_here('mount', '-t', 'tmpfs', '-o', 'size=60m', 'small', dirname(FILES));
    try {
        $report = fetched();
        check(str_contains($error = outcome($report, 'web2', Outcome::Failed)->error, ' MB are left on the disk of this machine'), $error);
        same(here(), ['a' => '1'], 'files');
        nothing_is_left();
    } finally {
        run_here('umount', dirname(FILES));
    }
});

test('a call that is stopped leaves nothing behind', function () {
    upload('web1', 'big', noise(20000000));
    thrown(Aegir\Scale\CancelledException::class, fn () => fetched([], FILES, fn ($p) => $p->phase !== Phase::Transfer));
    nothing_is_left();
    check(!file_exists(FILES . '/big'), 'the file is there');
    eventually(fn () => trim(shell_exec('pgrep -c -f "[-]-rsh=sh -c|[p]rintf .%s" || true')) === '0', 'a process is left');
});

finish();
