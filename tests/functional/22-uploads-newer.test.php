<?php

/** A push never puts an older upload over a newer one; of code the source always wins. */

require __DIR__ . '/lib.php';

use Aegir\Scale\CancelledException;
use Aegir\Scale\Outcome;
use Aegir\Scale\Phase;

const FILES = 'sites/shop.example/files';

/** A file here ("") or on a server, with its age. */
function aged(string $server, string $file, string $content, int $time): void
{
    $at = $server === '' ? SOURCE : server_path($server, SOURCE);
    tree($at, [$file => $content]);
    touch("$at/$file", $time);
}

function on_server(string $server, string $file): string|false
{
    return @file_get_contents(server_path($server, SOURCE . "/$file"));
}

/** Uploads and code, here older than on web1, newer than on web2, and not on web3. */
function both(): void
{
    source(small_site());
    foreach ([FILES . '/a.jpg', FILES . '/styles/b c.jpg', 'sites/shop.example/private/d', 'core/lib/files/code.php', 'core/x.php'] as $file) {
        aged('', $file, 'hub', 1600000500);
        aged('web1', $file, 'web1, newer', 1600000900);
        aged('web2', $file, 'web2, older', 1600000100);
    }
    aged('web1', FILES . '/only there.jpg', 'web1', 1600000000);
}

function are_right(): void
{
    foreach ([FILES . '/a.jpg', FILES . '/styles/b c.jpg', 'sites/shop.example/private/d'] as $file) {
        same([on_server('web1', $file), on_server('web2', $file), on_server('web3', $file)], ['web1, newer', 'hub', 'hub'], $file);
    }
    foreach (['core/lib/files/code.php', 'core/x.php'] as $file) {
        same([on_server('web1', $file), on_server('web2', $file), on_server('web3', $file)], ['hub', 'hub', 'hub'], $file);
    }
    same(on_server('web1', FILES . '/only there.jpg'), 'web1', 'an upload of web1');
    foreach (NAMES as $name) {
        same(run_here('find', server_path($name, SOURCE), '-name', '.~tmp~'), '', "what is left on $name");
    }
}

test('newer uploads stay, older ones and all code are replaced', function () {
    both();
    $report = pushed();
    are_right();
    // Entries of the source, each once, whatever way they went.
    same($report->files, (int) run_here('bash', '-c', 'find "$1" | wc -l', '-', SOURCE) + count(explode('/', dirname(SOURCE))) - 1, 'entries');
    same([$report->servers['web3']->outcome, $report->servers['web1']->phase], [Outcome::Synced, Phase::Done], 'web3 and web1');
    same($report->servers['web3']->files, $report->servers['web1']->files + 3, 'files that were sent');
    foreach (pushed()->servers as $name => $result) {
        same([$result->outcome, $result->files], [Outcome::Unchanged, 0], "$name in the second push");
    }
    check(status()->ok, 'a status sees what is newer there as a difference: ' . json_encode(status()));
});

test('the same in a large push, with max_delete, checksums, hard links and each for itself', function () {
    foreach ([['large' => true], ['max_delete' => 100], ['checksum' => true], ['hard_links' => true], ['commit' => 'each'], ['numeric_ids' => true, 'compress' => 'none'],
        ['max_delete' => 100, 'large' => true], ['delete' => false], ['relative' => true, 'bwlimit' => 100000]] as $options) {
        clean();
        both();
        if (isset($options['large'])) {
            for ($i = 0; $i < 1200; $i++) {
                source(["core/many/$i" => "file $i"]);
            }
        }
        if (isset($options['hard_links'])) {
            link(SOURCE . '/' . FILES . '/a.jpg', SOURCE . '/core/linked.jpg');
            link(SOURCE . '/' . FILES . '/a.jpg', SOURCE . '/' . FILES . '/again.jpg');
        }
        unset($options['large']);
        pushed($options);
        are_right();
        foreach (pushed($options)->servers as $name => $result) {
            same($result->outcome, Outcome::Unchanged, "$name in the second push with " . json_encode($options));
        }
    }
});

test('all that rsync would do is done when no server has anything newer', function () {
    source(small_site());
    source([FILES . '/a.jpg' => '1', FILES . '/deep/er/b.jpg' => noise(300000), FILES . '/link' => ['->', 'a.jpg'], FILES . '/empty/' => null,
        'sites/default/files/c' => '3', 'sites/default/private/d' => '4']);
    pushed();
    equal_to_source();
    source([FILES . '/a.jpg' => '2', 'core/lib/a.php' => 'changed']);
    unlink(SOURCE . '/core/misc/logo.png');
    foreach (pushed()->servers as $name => $result) {
        same([$result->files, $result->deleted], [2, 1], "files and deletions of $name");
    }
    equal_to_source();
});

test('paths in the uploads themselves, and of a site', function () {
    both();
    pushed([], SOURCE . '/' . FILES . '/a.jpg');
    same([on_server('web1', FILES . '/a.jpg'), on_server('web2', FILES . '/a.jpg')], ['web1, newer', 'hub'], 'one file');
    pushed([], [SOURCE . '/' . FILES, SOURCE . '/sites/shop.example/private']);
    same([on_server('web1', FILES . '/styles/b c.jpg'), on_server('web2', 'sites/shop.example/private/d')], ['web1, newer', 'hub'], 'two directories');
    aged('web2', FILES . '/a.jpg', 'web2, newer', 1600000900);
    pushed([], [SOURCE . '/core', SOURCE . '/' . FILES . '/a.jpg', SOURCE . '/sites/shop.example/private']);
    same([on_server('web1', FILES . '/a.jpg'), on_server('web2', FILES . '/a.jpg'), on_server('web2', 'core/x.php')], ['web1, newer', 'web2, newer', 'hub'],
        'one file beside code');
    unlink(server_path('web3', SOURCE . '/' . FILES . '/a.jpg'));
    pushed([], [SOURCE . '/core', SOURCE . '/' . FILES . '/a.jpg']);
    same(on_server('web3', FILES . '/a.jpg'), 'hub', 'the same where it is missing');
    aged('', FILES . '/sites/x', 'hub', 1600000500);
    pushed([], SOURCE . '/' . FILES . '/sites/x');
    same(on_server('web1', FILES . '/sites/x'), 'hub', 'a file in a directory of that name');
    pushed([], SOURCE . '/sites/shop.example');
    pushed([], SOURCE . '/sites');
    pushed([], PLATFORMS);
    same(on_server('web2', FILES . '/a.jpg'), 'web2, newer', 'the file');
});

test('what protect names is not replaced by what is older either', function () {
    both();
    aged('', 'cache/x', 'hub', 1600000500);
    aged('web1', 'cache/x', 'web1, newer', 1600000900);
    pushed(['protect' => ['/cache/***', 'private/d', '!']]);
    same([on_server('web1', 'cache/x'), on_server('web2', 'cache/x')], ['web1, newer', 'hub'], 'cache/x');
    same(on_server('web1', 'sites/shop.example/private/d'), 'web1, newer', 'private/d');
    same([on_server('web1', FILES . '/a.jpg'), on_server('web1', FILES . '/only there.jpg')], ['hub', false], 'what protect does not name');
});

test('a dry run tells of each path once, and changes nothing', function () {
    both();
    foreach ([[], ['itemize' => true]] as $options) {
        $report = push(['dry_run' => true, 'itemize' => true]);
        $paths = array_map(fn ($c) => $c->path, $report->servers['web3']->changes);
        same($paths, array_values(array_unique($paths)), 'paths');
        check(in_array(SOURCE . '/' . FILES . '/a.jpg', $paths, true), 'an upload is not told: ' . implode(', ', $paths));
        check(!in_array(SOURCE . '/' . FILES . '/a.jpg', array_map(fn ($c) => $c->path, $report->servers['web1']->changes), true), 'a newer one is told');
        outcome($report, 'web1', Outcome::Differs);
        same(on_server('web3', FILES . '/a.jpg'), false, 'the file on web3');
    }
    $report = pushed(['itemize' => true]);
    $paths = array_map(fn ($c) => $c->path, $report->servers['web3']->changes);
    same($paths, array_values(array_unique($paths)), 'paths of the push');
});

test('where the barrier holds all back, no uploads are sent', function () {
    both();
    fleet('kill', 'web2');
    $report = push(['connect_timeout' => 2]);
    outcome($report, 'web1', Outcome::Staged);
    check(!$report->committed, 'committed');
    same([on_server('web1', 'core/x.php'), on_server('web3', FILES . '/a.jpg'), on_server('web3', 'core/x.php')], ['web1, newer', false, false], 'files');
    $report = push(['connect_timeout' => 2, 'max_failures' => 1]);
    outcome($report, 'web3', Outcome::Synced);
    same([on_server('web1', FILES . '/a.jpg'), on_server('web3', FILES . '/a.jpg')], ['web1, newer', 'hub'], 'uploads');
});

test('a server that died in the middle of a file does not keep the others from their uploads', function () {
    both();
    aged('', 'core/big', noise(12000000), 1600000500);
    aged('web1', 'core/big', noise(300000) . 'and no more', 1600000100);       // so that each is sent something else
    aged('web2', 'core/big', noise(100000) . 'and no more', 1600000100);
    $report = push(['compress' => 'none', 'bwlimit' => 10000, 'max_failures' => 1], function ($p) use (&$is_dead) {
        if (!$is_dead && $p->server === 'web2' && $p->bytesDone > 2000000) {
            $is_dead = true;
            fleet('kill', 'web2');
        }
    });
    same(outcome($report, 'web2', Outcome::Failed)->phase, Phase::Transfer, 'web2');
    same([on_server('web1', FILES . '/a.jpg'), on_server('web3', FILES . '/a.jpg')], ['web1, newer', 'hub'], 'uploads');
    foreach (['web1', 'web3'] as $name) {
        outcome($report, $name, Outcome::Synced);
        same(strlen((string) on_server($name, 'core/big')), 12000000, "the file on $name");
    }
});

test('a server that dies while uploads are sent fails alone', function () {
    both();
    aged('', FILES . '/big', noise(30000000), 1600000500);
    $report = push(['compress' => 'none', 'bwlimit' => 20000], function ($p) {
        static $is_dead = false;
        if (!$is_dead && $p->server === 'web2' && $p->bytesDone > 2000000) {
            $is_dead = true;
            fleet('kill', 'web2');
        }
    });
    same([outcome($report, 'web2', Outcome::Failed)->phase, $report->committed], [Phase::Delete, true], 'web2');
    foreach (['web1', 'web3'] as $name) {
        outcome($report, $name, Outcome::Synced);
        same(strlen((string) on_server($name, FILES . '/big')), 30000000, "the upload on $name");
    }
});

test('a call that is stopped while uploads are sent says so', function () {
    both();
    aged('', FILES . '/big', noise(30000000), 1600000500);
    $e = thrown(CancelledException::class, fn () => push(['compress' => 'none', 'bwlimit' => 20000], fn ($p) => $p->bytesDone < 2000000));
    same(outcome($e->report, 'web3', Outcome::Failed)->error, 'was switched, but the call was stopped while uploads were sent', 'web3');
    same(on_server('web3', 'core/x.php'), 'hub', 'the code on web3');
    pushed();
    are_right();
});

test('an upload that vanishes while others are sent stops nothing', function () {
    both();
    aged('', FILES . '/a-first', noise(8000000), 1600000500);
    aged('', FILES . '/z-last', 'soon gone', 1600000500);
    $report = push(['compress' => 'none', 'bwlimit' => 10000], function ($p) use (&$done) {
        if (!$done && $p->phase === Phase::Delete && on_server('web3', 'core/x.php') === 'hub') {
            $done = unlink(SOURCE . '/' . FILES . '/z-last');
        }
    });
    check($done === true, 'the phase was never reported');
    check(str_contains(implode(' ', $report->warnings), 'z-last vanished'), 'warnings: ' . json_encode($report->warnings));
    pushed();
    are_right();
});

finish();
