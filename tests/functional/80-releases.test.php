<?php

/** Releases: a tree beside the one that is served, one switch for all servers, and uploads that no release holds. */

require __DIR__ . '/lib.php';

use Aegir\Scale\Outcome;
use Aegir\Scale\Phase;
use Aegir\Scale\ReleaseReport;
use Aegir\Scale\SyncReport;

function release(string $id, array $options = [], ?callable $progress = null): SyncReport
{
    return push(['release' => $id] + $options, $progress);
}

function released(string $id, array $options = []): SyncReport
{
    $report = release($id, $options);
    went_well($report);
    return $report;
}

function releases(array $options = []): ReleaseReport
{
    return Aegir\Scale\release_list(topology(), 'live', SOURCE, $options);
}

function switched(string $id, array $options = []): ReleaseReport
{
    return Aegir\Scale\release_switch(topology(), 'live', SOURCE, $id, $options);
}

function pruned(int $keep): ReleaseReport
{
    return Aegir\Scale\release_prune(topology(), 'live', SOURCE, $keep);
}

function there(string $server, string $name): string
{
    return server_path($server, SOURCE . "/$name");
}

/** Every server serves $id. */
function serves(?string $id, ?array $servers = null): void
{
    foreach ($servers ?? NAMES as $name) {
        $link = there($name, 'current');
        same(is_link($link) ? readlink($link) : null, $id === null ? null : ".releases/$id", "what $name serves");
    }
}

/** A release is the source, as stock rsync sees it, but for the links to uploads. */
function release_is_source(string $id, array $options = []): void
{
    foreach (NAMES as $name) {
        $left = run_here('rsync', '-an', '--delete', '--itemize-changes', '-c', ...$options, ...[SOURCE . '/', there($name, ".releases/$id") . '/']);
        same($left, '', "what rsync would still change on $name");
    }
}

test('a release is a whole tree and is served by all servers', function () {
    source(small_site());
    $report = released('r1', ['itemize' => true]);
    serves('r1');
    release_is_source('r1');
    foreach ($report->servers as $result) {
        same([$result->outcome, $result->phase], [Outcome::Synced, Phase::Done], 'result');
        check(in_array(SOURCE . '/.releases/r1/index.php', array_column($result->changes, 'path'), true), 'index.php is not among the changes');
    }
    check($report->committed, 'not committed');
});

test('what is the same is a hard link, and the release before stays as it was', function () {
    source(small_site());
    released('r1');
    $before = array_map(fn ($n) => snapshot(there($n, '.releases/r1')), NAMES);
    source(['index.php' => "<?php echo 2;\n"]);
    unlink(SOURCE . '/core/empty');
    chmod(SOURCE . '/core/lib/a.php', 0600);
    $report = released('r2');
    serves('r2');
    release_is_source('r2');
    foreach (NAMES as $i => $name) {
        same(snapshot(there($name, '.releases/r1')), $before[$i], "the old release on $name");
        same(fileinode(there($name, '.releases/r1/core/misc/logo.png')), fileinode(there($name, '.releases/r2/core/misc/logo.png')), 'the inode of an unchanged file');
        check(fileinode(there($name, '.releases/r1/core/lib/a.php')) !== fileinode(there($name, '.releases/r2/core/lib/a.php')), 'a file with another mode is linked');
        same($report->servers[$name]->files, 1, 'files that were sent');
    }
});

test('a release by name can be gone back to and forth', function () {
    source(small_site());
    released('r1');
    source(['index.php' => '2']);
    released('r2');
    foreach (releases()->servers as $r) {
        same([$r->current, $r->lastGood, $r->releases, $r->good, $r->unfinished], ['r2', 'r1', ['r2', 'r1'], ['r2', 'r1'], []], 'releases');
    }
    $report = switched('r1');
    check($report->ok, 'not ok');
    serves('r1');
    foreach ($report->servers as $r) {
        same([$r->outcome, $r->current, $r->lastGood], [Outcome::Synced, 'r1', 'r2'], 'result');
    }
    foreach (switched('r1')->servers as $r) {
        same($r->outcome, Outcome::Unchanged, 'the second switch');
    }
    check(json_decode(json_encode($report), true)['servers']['web1']['current'] === 'r1', 'the JSON form');
});

test('nobody switches to a release that a server has not', function () {
    source(small_site());
    released('r1');
    source(['index.php' => '2']);
    released('r2');
    on('web2', 'rm -rf ' . SOURCE . '/.releases/r1');
    $report = switched('r1');
    check(!$report->ok, 'ok');
    serves('r2');
    same($report->servers['web2']->outcome, Outcome::Failed, 'web2');
    check(str_contains($report->servers['web2']->error, 'there is no release r1'), $report->servers['web2']->error);
    same($report->servers['web1']->outcome, Outcome::Staged, 'web1');
    $report = switched('r1', ['max_failures' => 1]);
    serves('r1', ['web1', 'web3', 'web4']);
    serves('r2', ['web2']);
});

test('a dead server keeps all from switching', function () {
    source(small_site());
    released('r1');
    source(['index.php' => '2']);
    fleet('kill', 'web3');
    $report = release('r2', ['connect_timeout' => 3]);
    check(!$report->ok && !$report->committed, 'ok or committed');
    serves('r1');
    same($report->servers['web3']->outcome, Outcome::Failed, 'web3');
    check(str_contains($report->servers['web1']->error, 'because web3 failed'), $report->servers['web1']->error);
    same($report->servers['web1']->outcome, Outcome::Skipped, 'web1');
    $report = release('r2', ['connect_timeout' => 3, 'max_failures' => 1]);
    check($report->committed, 'not committed');
    serves('r2', ['web1', 'web2', 'web4']);
    serves('r1', ['web3']);
});

test('a server that fails while it is filled keeps all from switching, and a rerun finishes', function () {
    source(small_site());
    released('r1');
    source(['index.php' => '2', 'big' => noise(3000000)]);
    chmod(SOURCE . '/core/lib/b.php', 0640);
    $before = array_map(fn ($n) => snapshot(there($n, '.releases/r1')), NAMES);
    $report = release('r2', [], at_phase('web2', Phase::Transfer, function () {
        fleet('kill', 'web2');
    }));
    check(!$report->ok && !$report->committed, 'ok or committed');
    serves('r1');
    outcome($report, 'web2', Outcome::Failed);
    outcome($report, 'web1', Outcome::Staged);
    fleet('revive', 'web2');
    foreach (releases()->servers as $r) {
        same([$r->current, $r->releases, $r->unfinished], ['r1', ['r1'], ['r2']], 'releases after the failure');
    }
    chmod(SOURCE . '/core/lib/a.php', 0600);
    source(['index.php' => '3']);
    released('r2');
    serves('r2');
    release_is_source('r2');
    foreach (NAMES as $i => $name) {
        same(snapshot(there($name, '.releases/r1')), $before[$i], "the old release on $name");
    }
});

test('a server that fails in the switch takes the others back', function () {
    source(small_site());
    released('r1');
    source(['index.php' => '2']);
    released('r2');
    // A directory that cannot be written to stops the rename, after the check.
    $dir = server_path('web4', SOURCE);
    afterwards('web4', 'chattr -i ' . SOURCE . ' 2>/dev/null; true');
    try {
        on('web4', 'chattr +i ' . SOURCE);
    } catch (Failure) {
        throw new Skip('this file system knows no immutable directories');
    }
    $report = switched('r1');
    on('web4', 'chattr -i ' . SOURCE);
    check(!$report->ok, 'ok');
    serves('r2');
    same($report->servers['web4']->outcome, Outcome::Failed, 'web4');
    foreach (['web1', 'web2', 'web3'] as $name) {
        same($report->servers[$name]->outcome, Outcome::Staged, $name);
        same($report->servers[$name]->error, 'was switched back to r2, because web4 failed', $name);
    }
});

test('the same release again is only switched to, with other content it is refused', function () {
    source(small_site());
    released('r1');
    foreach (released('r1')->servers as $result) {
        same([$result->outcome, $result->files], [Outcome::Unchanged, 0], 'the same again');
    }
    source(['index.php' => '2']);
    $before = snapshot(there('web1', '.releases/r1'));
    $report = release('r1');
    foreach ($report->servers as $name => $result) {
        outcome($report, $name, Outcome::Failed);
        check(str_contains($result->error, 'release r1 is there already with other content'), $result->error);
    }
    same(snapshot(there('web1', '.releases/r1')), $before, 'the release');
    released('r2');
    serves('r2');
});

test('names of releases are checked', function () {
    source(small_site());
    foreach (['', '.x', '-x', '../x', 'a/b', 'a b', "a\nb", 'a$b', str_repeat('x', 65), 'ä'] as $id) {
        thrown(ValueError::class, fn () => release($id));
        thrown(ValueError::class, fn () => switched($id));
    }
    released(str_repeat('x', 64));
    released('2024-11-23_10.00');
});

test('options that make no sense in a release are refused', function () {
    source(small_site());
    foreach ([['dry_run' => true], ['delete' => false], ['relative' => false], ['update' => true], ['keep_dirlinks' => true], ['protect' => 'x']] as $option) {
        $e = thrown(ValueError::class, fn () => release('r1', $option));
        check(str_contains($e->getMessage(), 'release') && str_contains($e->getMessage(), key($option)), $e->getMessage());
    }
    thrown(ValueError::class, fn () => push(['release' => 'r1'], null, [SOURCE, PLATFORMS]));
});

test('a plain tree is not hidden by a release', function () {
    source(small_site());
    tree(server_path('web2', SOURCE), ['sites/default/files/a.jpg' => 'uploaded']);
    $report = release('r1');
    outcome($report, 'web2', Outcome::Failed);
    check(str_contains($report->servers['web2']->error, 'is a plain tree'), $report->servers['web2']->error);
    same(file_get_contents(there('web2', 'sites/default/files/a.jpg')), 'uploaded', 'the upload');
    serves(null);
});

test('a push of the path itself leaves releases and their uploads alone', function () {
    source(small_site() + ['sites/default/files/x' => 'y']);
    released('r1');
    foreach ([SOURCE, PLATFORMS] as $path) {
        pushed(['protect' => 'nothing'], $path);
        foreach (NAMES as $name) {
            same(file_get_contents(there($name, '.releases/.shared/sites/default/files/x')), 'y', "the upload on $name");
            check(file_exists(there($name, '.releases/r1/index.php')), "the release on $name is gone");
        }
    }
});

test('uploads are in no release, and stay from release to release', function () {
    source(small_site() + ['sites/shop.example/settings.php' => '1', 'sites/shop.example/files/logo.png' => 'from the hub', 'sites/shop.example/private/' => null,
        'modules/media/files/a.php' => 'code', 'sites/linked/files' => ['->', '/nowhere/else']]);
    chmod(SOURCE . '/sites/shop.example', 0555);
    released('r1');
    foreach (NAMES as $name) {
        same(readlink(there($name, '.releases/r1/sites/shop.example/files')), '../../../.shared/sites/shop.example/files', "the link on $name");
        same(readlink(there($name, '.releases/r1/sites/shop.example/private')), '../../../.shared/sites/shop.example/private', "the link on $name");
        same(readlink(there($name, '.releases/r1/sites/linked/files')), '/nowhere/else', "the link of the source on $name");
        same(file_get_contents(there($name, 'current/sites/shop.example/files/logo.png')), 'from the hub', 'the upload of the hub');
        same(file_get_contents(there($name, 'current/modules/media/files/a.php')), 'code', 'code');
        check(!file_exists(there($name, 'current/sites/default/files')), 'a directory of uploads was made where there is none');
        same(fileperms(there($name, 'current/sites/shop.example')) & 07777, 0555, 'the mode of the site');
        on($name, 'cd ' . SOURCE . "/current/sites/shop.example/files && echo -n 'uploaded to $name' >a.jpg && echo -n newer >logo.png");
        on($name, 'mkdir -p ' . SOURCE . '/.releases/.shared/sites/default/files && echo x >' . SOURCE . '/.releases/.shared/sites/default/files/y');
    }
    release_is_source('r1', ['--exclude=/sites/*/files', '--exclude=/sites/*/private']);
    source(['index.php' => '2']);
    released('r2');
    foreach (NAMES as $name) {
        same(file_get_contents(there($name, 'current/sites/shop.example/files/a.jpg')), "uploaded to $name", 'the upload');
        same(file_get_contents(there($name, 'current/sites/shop.example/files/logo.png')), 'newer', 'the newer file');
        check(file_exists(there($name, 'current/sites/default/files/y')), 'the uploads of a site without any at the hub are hidden');
    }
    foreach (released('r2')->servers as $result) {
        same($result->outcome, Outcome::Unchanged, 'the same again');
    }
    chmod(SOURCE . '/sites/shop.example', 0755);
    pruned(0);
    foreach (NAMES as $name) {
        same(file_get_contents(there($name, 'current/sites/shop.example/files/a.jpg')), "uploaded to $name", 'the upload after a prune');
    }
});

test('a Drupal root one level down has its uploads outside, too', function () {
    source(['composer.json' => '{}', 'web/index.php' => '1', 'web/sites/default/settings.php' => '1', 'web/sites/default/files/x' => 'y']);
    released('r1');
    foreach (NAMES as $name) {
        same(readlink(there($name, 'current/web/sites/default/files')), '../../../../.shared/web/sites/default/files', 'the link');
        same(file_get_contents(there($name, 'current/web/sites/default/files/x')), 'y', 'the upload');
    }
    source(['deep/er/index.php' => '1', 'deep/er/sites/default/files/x' => 'y']);
    $e = thrown(ValueError::class, fn () => release('r2'));
    check(str_contains($e->getMessage(), 'deep/er/sites/default/files'), $e->getMessage());
    serves('r1');
});

test('filters begin at the path', function () {
    source(small_site() + ['tmp/x' => '1', 'core/tmp/y' => '2', 'a.log' => '3']);
    released('r1', ['exclude' => ['/tmp/', '*.log']]);
    foreach (NAMES as $name) {
        check(!file_exists(there($name, 'current/tmp')) && !file_exists(there($name, 'current/a.log')), 'something excluded is there');
        check(file_exists(there($name, 'current/core/tmp/y')), 'something else is not');
    }
});

test('prune keeps what it is told, what is served, and the last good one', function () {
    foreach (['r1', 'r2', 'r3', 'r4', 'r5'] as $i => $id) {
        source(small_site() + ['n' => "$i"]);
        released($id);
    }
    check(switched('r1')->ok, 'not ok');
    // a release that was never good, and old
    on('web1', 'cd ' . SOURCE . '/.releases && mkdir bad young && touch .made.young && touch -d "2 days ago" .made.bad && mkdir not-ours');
    $report = pruned(2);
    check($report->ok, 'not ok');
    $r = $report->servers['web2'];
    sort_same($r->releases, ['r1', 'r5'], 'releases of web2');
    sort_same($r->removed, ['r2', 'r3', 'r4'], 'removed on web2');
    same([$r->outcome, $r->current, $r->lastGood], [Outcome::Synced, 'r1', 'r5'], 'result of web2');
    sort_same($report->servers['web1']->removed, ['bad', 'r2', 'r3', 'r4'], 'removed on web1');
    check(is_dir(there('web1', '.releases/not-ours')), 'a directory that is none of ours is gone');
    same(on('web2', 'ls -A ' . SOURCE . '/.releases | grep trash || true'), '', 'what is left of the removed');
    $report = pruned(0);
    sort_same($report->servers['web2']->releases, ['r1', 'r5'], 'releases with keep 0');
    same($report->servers['web2']->outcome, Outcome::Unchanged, 'outcome');
    serves('r1');
    check(file_exists(there('web2', 'current/index.php')), 'the served release is damaged');
});

function sort_same(array $got, array $want, string $what): void
{
    sort($got);
    same($got, $want, $what);
}

test('a path without releases has none', function () {
    foreach (releases()->servers as $r) {
        same([$r->outcome, $r->current, $r->lastGood, $r->releases], [Outcome::Unchanged, null, null, []], 'result');
    }
    check(pruned(1)->ok, 'prune');
    check(!switched('r1')->ok, 'switch');
});

test('a push stopped by the caller switches nobody', function () {
    source(small_site());
    released('r1');
    source(['big' => noise(8000000)]);
    $e = thrown(Aegir\Scale\CancelledException::class, fn () => release('r2', [], fn ($p) => $p->phase !== Phase::Transfer));
    serves('r1');
    check($e->report instanceof SyncReport && !$e->report->committed, 'no report, or committed');
    released('r2');
    serves('r2');
});

finish();
