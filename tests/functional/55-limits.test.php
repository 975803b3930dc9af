<?php

/** Options that bound what a push may do: how much it deletes, how fast it sends. */

require __DIR__ . '/lib.php';

use Aegir\Scale\Outcome;
use Aegir\Scale\Phase;

/** So many stray files on a server, some of them in a directory of their own. */
function strays(string $server, int $count): void
{
    $entries = [];
    for ($i = 0; $i < $count; $i++) {
        $entries[($i % 2 ? 'stray/' : '') . "s$i"] = 'x';
    }
    tree(server_path($server, SOURCE), $entries);
}

test('max_delete: one server over it keeps all as they are', function () {
    source(small_site());
    pushed();
    strays('web1', 3);
    strays('web2', 1500);
    source(['index.php' => 'new']);
    $before = array_map(fn ($name) => snapshot(server_path($name, SOURCE)), NAMES);
    $report = push(['max_delete' => 100]);
    check(!$report->ok && !$report->committed, 'the report says that it went well');
    // 1500 files and their directory
    same(outcome($report, 'web2', Outcome::Failed)->error, 'would delete 1,501 entries, max_delete is 100', 'the error');
    same($report->servers['web2']->deleted, 1501, 'what would be deleted');
    foreach (array_diff(NAMES, ['web2']) as $name) {
        same(outcome($report, $name, Outcome::Staged)->error, 'was ready, but nothing was changed there, because web2 failed', 'the error');
    }
    same(array_map(fn ($name) => snapshot(server_path($name, SOURCE)), NAMES), $before, 'what is on the servers');
});

test('max_delete: others go on as far as max_failures allows', function () {
    source(small_site());
    pushed();
    strays('web1', 3);
    strays('web2', 150);
    source(['index.php' => 'new']);
    $before = snapshot(server_path('web2', SOURCE));
    $report = push(['max_delete' => 100, 'max_failures' => 1]);
    check(!$report->ok && $report->committed, 'ok or not committed');
    same(outcome($report, 'web2', Outcome::Failed)->error, 'would delete 151 entries, max_delete is 100', 'the error');
    same(snapshot(server_path('web2', SOURCE)), $before, 'what is on web2');
    same(outcome($report, 'web1', Outcome::Synced)->deleted, 4, 'deleted on web1');
    equal_to_source(servers: array_values(array_diff(NAMES, ['web2'])));
});

test('max_delete: with commit each a server stands for itself', function () {
    source(small_site());
    pushed();
    strays('web3', 50);
    source(['index.php' => 'new']);
    $report = push(['max_delete' => 10, 'commit' => 'each']);
    outcome($report, 'web3', Outcome::Failed);
    equal_to_source(servers: array_values(array_diff(NAMES, ['web3'])));
});

test('max_delete: just so many may go, and 0 means none', function () {
    source(small_site());
    pushed();
    foreach (NAMES as $name) {
        strays($name, 9);
    }
    foreach (push(['max_delete' => 9])->servers as $result) {
        same($result->error, 'would delete 10 entries, max_delete is 9', 'the error');
    }
    same(push(['max_delete' => 9, 'commit' => 'each'])->committed, false, 'committed, where nothing is done');
    foreach (pushed(['max_delete' => 10, 'itemize' => true])->servers as $result) {
        same($result->deleted, 10, 'deleted');
        same(count(array_filter($result->changes, fn ($c) => $c->code === '*deleting')), 10, 'deletions told of');
    }
    equal_to_source();
    source(['index.php' => 'newer']);
    foreach (pushed(['max_delete' => 0])->servers as $result) {
        same([$result->files, $result->deleted], [1, 0], 'sent and deleted');
    }
    tree(server_path('web1', SOURCE), ['one' => 'x']);
    same(outcome(push(['max_delete' => 0]), 'web1', Outcome::Failed)->error, 'would delete 1 entry, max_delete is 0', 'the error');
    check(file_exists(server_path('web1', SOURCE . '/one')), 'it was deleted');
});

test('max_delete: a dry run tells of it, and what is not deleted does not count', function () {
    source(small_site());
    pushed();
    strays('web1', 9);
    same(outcome(push(['max_delete' => 9, 'dry_run' => true]), 'web1', Outcome::Failed)->error, 'would delete 10 entries, max_delete is 9', 'the error');
    outcome(push(['max_delete' => 10, 'dry_run' => true]), 'web1', Outcome::Differs);
    pushed(['max_delete' => 1, 'protect' => ['/stray/', 's*']]);
    pushed(['max_delete' => 0, 'delete' => false]);
});

test('max_delete: a server that cannot be reached counts as before', function () {
    source(small_site());
    pushed();
    fleet('kill', 'web4');
    Aegir\Scale\pool_close();
    source(['index.php' => 'new']);
    $report = push(['max_delete' => 10]);
    outcome($report, 'web4', Outcome::Failed);
    outcome($report, 'web1', Outcome::Staged);
    $report = push(['max_delete' => 10, 'max_failures' => 1]);
    outcome($report, 'web4', Outcome::Failed);
    outcome($report, 'web1', Outcome::Synced);
});

test('max_delete: stopped in the rehearsal, nothing was begun', function () {
    source(small_site());
    $seen = [];
    $e = thrown(Aegir\Scale\CancelledException::class, fn () => push(['max_delete' => 10], function ($p) use (&$seen) {
        $seen[] = $p->phase;
        return $p->phase !== Phase::List;
    }));
    check(!$e->report->committed, 'committed');
    foreach ($e->report->servers as $result) {
        same($result->outcome, Outcome::Skipped, 'outcome');
    }
});

test('bwlimit: all servers together get no more, and each its share', function () {
    $files = [];
    for ($i = 0; $i < 25; $i++) {
        $files["f$i"] = noise(20000, $i);
    }
    source($files);
    $spread = 0;
    $done = array_fill_keys(NAMES, 0);
    $begun = microtime(true);
    went_well(push(['bwlimit' => 500], function ($p) use (&$done, &$spread) {
        $done[$p->server] = $p->bytesDone;
        if (min($done) < 400000) {
            $spread = max($spread, max($done) - min($done));
        }
    }));
    $seconds = microtime(true) - $begun;
    $least = count(NAMES) * 500000 / (500 * 1024);
    check($seconds > $least * 0.9 && $seconds < $least * 2 + 3, sprintf('it took %.1f s, want about %.1f', $seconds, $least));
    // what a server gets in 0.1 s, the time between two progress reports, is 13 KB; a piece is 32 KB, a file 20
    check($spread < 130000, "a server was $spread bytes ahead of another");
    equal_to_source();
});

test('bwlimit: a low limit does not look like silence', function () {
    source(['noise' => noise(4000)]);
    $begun = microtime(true);
    went_well(push(['bwlimit' => 3, 'timeout' => 4]));
    check(microtime(true) - $begun > 4, 'it was faster than allowed');
    equal_to_source();
});

finish();
