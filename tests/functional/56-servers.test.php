<?php

/** Servers that are not as the others: an rsync of 2013 to 2020, and keys that may do nothing but rsync into one directory. */

require __DIR__ . '/lib.php';
require __DIR__ . '/faults.php';

use Aegir\Scale\Outcome;

/** An rsync that refuses what 3.1 does not know, and keeps what it was called with. */
function strict_rsync(): string
{
    copy('/usr/bin/rsync', FLEET . '/rsync-real');
    chmod(FLEET . '/rsync-real', 0755);
    @unlink(FLEET . '/rsync-calls');
    file_put_contents(FLEET . '/rsync-strict', '#!/bin/sh
echo "$*" >>' . FLEET . '/rsync-calls
case " $* " in
    *" --no-msgs2stderr "* | *" --mkpath "* | *LsfxCvu*) echo "rsync: --no-msgs2stderr: unknown option" >&2; exit 1 ;;
esac
exec ' . FLEET . '/rsync-real "$@"
');
    chmod(FLEET . '/rsync-strict', 0755);
    return FLEET . '/rsync-strict';
}

test('a server with an older rsync gets an older command, and is remembered', function () {
    needs_namespaces();
    source(small_site() + ['big' => $big = noise(500000)]);
    use_rsync('web2', strict_rsync());
    pushed();
    same(count(file(FLEET . '/rsync-calls')), 2, 'calls of rsync in the first push');
    source(['big' => substr_replace($big, 'changed', 250000, 7), 'index.php' => 'new']);
    foreach (NAMES as $name) {
        tree(server_path($name, SOURCE), ['stray/a' => 'x']);
    }
    $result = pushed(['compress' => 'auto', 'itemize' => true])->servers['web2'];
    check($result->bytesMatched > 490000, "only $result->bytesMatched bytes were matched");
    same($result->deleted, 2, 'deleted');
    same(count(file(FLEET . '/rsync-calls')), 3, 'calls of rsync after the second push');
    // on another second, so that rsync finds nothing to do
    foreach (pushed(['hard_links' => true])->servers as $each) {
        same($each->outcome, Outcome::Unchanged, "outcome of a third push to $each->server");
    }
    foreach (NAMES as $name) {
        same(contents(server_path($name, SOURCE)), contents(SOURCE), "what is on $name");
    }
    same(count(file(FLEET . '/rsync-calls')), 4, 'calls of rsync after the third push');
});

test('an older rsync keeps the barrier and its limits', function () {
    needs_namespaces();
    source(small_site());
    pushed();
    use_rsync('web2', strict_rsync());
    source(['index.php' => 'new']);
    tree(server_path('web2', SOURCE), ['s1' => 'x', 's2' => 'y']);
    $report = push(['max_delete' => 1]);
    same(outcome($report, 'web2', Outcome::Failed)->error, 'would delete 2 entries, max_delete is 1', 'the error');
    outcome($report, 'web1', Outcome::Staged);
    check(file_exists(server_path('web2', SOURCE . '/s1')), 'something was deleted');
    outcome(status(['checksum' => true]), 'web2', Outcome::Differs);
    pushed();
    check(status(['checksum' => true])->ok, 'a status sees a difference');
});

test('a server that understands neither command fails with what its rsync said', function () {
    needs_namespaces();
    source(small_site());
    file_put_contents(FLEET . '/rsync-strict', "#!/bin/sh\necho 'rsync: --server: unknown option' >&2\nexit 1\n");
    chmod(FLEET . '/rsync-strict', 0755);
    use_rsync('web2', FLEET . '/rsync-strict');
    $error = outcome(push(), 'web2', Outcome::Failed)->error;
    check(str_contains($error, 'rsync ended with status 1') && str_contains($error, '--server: unknown option'), $error);
});

test('rsync 3.1.3 itself, beside new ones', function () {
    needs_namespaces();
    $old = getenv('RSYNC_OLD') ?: throw new Skip('RSYNC_OLD names no rsync 3.1.3');
    copy($old, FLEET . '/rsync-old');
    chmod(FLEET . '/rsync-old', 0755);
    source(small_site() + ['big' => $big = noise(500000)]);
    link(SOURCE . '/big', SOURCE . '/other');
    use_rsync('web2', FLEET . '/rsync-old');
    use_rsync('web3', FLEET . '/rsync-old');
    pushed(['hard_links' => true]);
    source(['big' => substr_replace($big, 'changed', 250000, 7), 'index.php' => 'new']);
    foreach (['none', 'auto', 'zlib', 'lz4'] as $i => $how) {
        source(['core/lib/b.php' => prose(100000, $i)]);
        tree(server_path('web2', SOURCE), ['stray/a' => 'x']);
        $report = pushed(['compress' => $how, 'hard_links' => true, 'max_delete' => 5]);
        same($report->servers['web2']->deleted, 2, 'deleted');
        foreach (NAMES as $name) {
            same(contents(server_path($name, SOURCE)), contents(SOURCE), "what is on $name");
        }
    }
    check(status(['checksum' => true, 'hard_links' => true])->ok, 'a status sees a difference');
});

test('a key that may do nothing but rsync into one directory is enough', function () {
    needs_namespaces();
    is_file('/usr/bin/rrsync') || throw new Skip('there is no rrsync here');
    $key = FLEET . '/rrsync_key';
    @unlink($key);
    @unlink("$key.pub");
    run_here('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'rrsync', '-f', $key);
    $keys = file_get_contents(FLEET . '/authorized_keys');
    file_put_contents(FLEET . '/authorized_keys', $keys . 'restrict,command="/usr/bin/rrsync -wo /var/aegir/in" ' . file_get_contents("$key.pub"));
    try {
        source(small_site() + ['with space & $quotes\'"' => 'x']);
        foreach (NAMES as $name) {
            tree(server_path($name, HUB), ['in/' => null, 'outside' => 'kept']);
        }
        $t = topology(function (&$spec) use ($key) {
            foreach ($spec['servers'] as &$server) {
                $server['identity'] = $key;
            }
        });
        went_well(push([], null, SOURCE, $t));
        foreach (NAMES as $name) {
            same(contents(server_path($name, HUB . '/in' . SOURCE)), contents(SOURCE), "what is on $name");
            check(file_exists(server_path($name, HUB . '/outside')), 'what lies outside is gone');
        }
        foreach (NAMES as $name) {
            tree(server_path($name, HUB . '/in' . SOURCE), ['stray' => 'x']);
        }
        source(['index.php' => 'newer']);
        foreach (push(['max_delete' => 3, 'itemize' => true], null, SOURCE, $t)->servers as $name => $result) {
            same([$result->outcome, $result->error, $result->deleted], [Outcome::Synced, null, 1], "outcome, error and deletions on $name");
        }
    } finally {
        file_put_contents(FLEET . '/authorized_keys', $keys);
    }
});

finish();
