<?php

/** What arrives: every kind of file, name and attribute, and every change between two pushes. */

require __DIR__ . '/lib.php';

use Aegir\Scale\Outcome;
use Aegir\Scale\Phase;

test('a first copy makes every server equal to the source', function () {
    source(small_site());
    $report = pushed();
    equal_to_source();
    check($report->committed, 'not committed');
    same($report->bytes, array_sum(array_map('strlen', array_filter(small_site(), 'is_string'))), 'bytes');
    foreach (NAMES as $name) {
        $result = outcome($report, $name, Outcome::Synced);
        same($result->files, 6, "files sent to $name");
        same($result->deleted, 0, "entries deleted on $name");
        same($result->phase, Phase::Done, "phase of $name");
        check($result->seconds > 0, 'no time has passed');
    }
});

test('a second push finds nothing to do', function () {
    source(small_site());
    pushed();
    $report = pushed();
    foreach (NAMES as $name) {
        $result = outcome($report, $name, Outcome::Unchanged);
        same([$result->files, $result->deleted, $result->bytesMatched], [0, 0, 0], "files, deleted, bytesMatched of $name");
    }
    equal_to_source();
});

test('a small change in a large file costs few bytes', function () {
    source(['big' => $big = noise(3000000)] + small_site());
    pushed();
    source(['big' => substr_replace($big, 'changed here', 1500000, 3)]);
    $report = pushed();
    equal_to_source();
    foreach (NAMES as $name) {
        $result = outcome($report, $name, Outcome::Synced);
        same($result->files, 1, 'files');
        check($result->bytesSent < 60000, "$result->bytesSent bytes were sent for a change of 12");
        check($result->bytesMatched > 2900000, "only $result->bytesMatched bytes were matched");
    }
});

test('changes at the start, in the middle and at the end arrive', function () {
    $a = noise(500000);
    source(['front' => $a, 'back' => $a, 'cut' => $a, 'moved' => $a, 'same' => $a]);
    pushed();
    source([
        'front' => "new\n" . $a,
        'back' => $a . 'more',
        'cut' => substr($a, 0, 123457),
        'moved' => substr($a, 250000) . substr($a, 0, 250000),
        'same' => noise(500000, 7),
    ]);
    pushed();
    equal_to_source();
});

test('a file that became empty and an empty one that grew arrive', function () {
    source(['was-full' => prose(100000), 'was-empty' => '']);
    pushed();
    source(['was-full' => '', 'was-empty' => prose(100000)]);
    pushed();
    equal_to_source();
});

test('each server is mended from what it has', function () {
    source(['f' => $new = noise(800000), 'g' => 'same']);
    $olds = [substr($new, 0, 400000), noise(300000, 9), substr_replace($new, 'xyz', 5000, 3), ''];
    foreach (NAMES as $i => $name) {
        tree(server_path($name, SOURCE), ['f' => $olds[$i % 4], 'only-here-' . $i => 'x']);
    }
    $report = pushed();
    equal_to_source();
    foreach (NAMES as $name) {
        same($report->servers[$name]->deleted, 1, "deleted on $name");
    }
});

test('what is gone from the source goes from the servers', function () {
    source(small_site() + ['old/deep/er/file' => '1', 'old/deep/link' => ['->', 'er'], 'single' => '2']);
    pushed();
    run_here('rm', '-r', SOURCE . '/old', SOURCE . '/single');
    $report = pushed();
    equal_to_source();
    foreach (NAMES as $name) {
        same($report->servers[$name]->deleted, 6, "deleted on $name");
        check(!file_exists(server_path($name, SOURCE . '/old')), 'old is still there');
    }
});

test('nothing beside the pushed path is deleted', function () {
    source(small_site());
    foreach (NAMES as $name) {
        tree(server_path($name, PLATFORMS), ['other/keep' => '1', 'keep' => '2', 'shopping/keep' => '3']);
        tree(server_path($name, HUB), ['config/keep' => '4']);
    }
    pushed();
    foreach (NAMES as $name) {
        foreach ([PLATFORMS . '/other/keep', PLATFORMS . '/keep', PLATFORMS . '/shopping/keep', HUB . '/config/keep'] as $kept) {
            check(file_exists(server_path($name, $kept)), "$kept was deleted on $name");
        }
    }
    equal_to_source();
});

test('files, directories and symlinks turn into one another', function () {
    $kinds = ['file' => 'content', 'dir' => null, 'link' => ['->', 'somewhere']];
    $make = function (bool $swap) use ($kinds) {
        foreach ($kinds as $from => $a) {
            foreach ($kinds as $to => $b) {
                $kind = $swap ? $to : $from;
                run_here('rm', '-rf', SOURCE . "/$from-to-$to");
                source($kind === 'dir' ? ["$from-to-$to/inner/file" => 'x'] : ["$from-to-$to" => $kinds[$kind]]);
            }
        }
    };
    $make(false);
    pushed();
    $make(true);
    pushed();
    equal_to_source();
});

test('the way to the path may lead through a symlink on a server, the path itself becomes a directory', function () {
    source(small_site());
    foreach (NAMES as $name) {
        tree(server_path($name, HUB), ['disk/platforms/shop' => ['->', 'elsewhere'], 'disk/platforms/elsewhere/kept' => 'x']);
        run_here('rm', '-rf', server_path($name, PLATFORMS));
        symlink('disk/platforms', server_path($name, PLATFORMS));
    }
    pushed();
    same(pushed(['itemize' => true])->servers['web1']->changes, [], 'changes of a second push');
    foreach (NAMES as $name) {
        check(is_link(server_path($name, PLATFORMS)), "the symlink on the way is gone from $name");
        check(!is_link(server_path($name, SOURCE)), "the path is still a symlink on $name");
        same(contents(server_path($name, SOURCE)), contents(SOURCE), "what is on $name");
        same(file_get_contents(server_path($name, PLATFORMS . '/elsewhere/kept')), 'x', 'what the symlink pointed to');
    }
});

test('several paths, one path with rules that look above it, and one file say the same in a report', function () {
    source(small_site());
    tree(HUB . '/config', ['vhost.conf' => '1']);
    pushed();
    foreach (NAMES as $name) {
        tree(server_path($name, SOURCE), ['stray' => 'x', 'core/stray' => 'y', 'core/stray.log' => 'z']);
    }
    $changes = static fn ($report) => array_map(static fn ($c) => "$c->code $c->path", $report->servers['web1']->changes);
    $how = ['itemize' => true, 'dry_run' => true, 'exclude' => ['*.log']];
    $one = $changes(push($how));
    sort($one);
    same(preg_grep('/stray/', $one), ['*deleting ' . SOURCE . '/core/stray', '*deleting ' . SOURCE . '/stray'], 'what would be deleted');
    $rules = $changes(push(['filter' => ['- shop/core/none/at/all']] + $how));
    sort($rules);
    same($rules, $one, 'the same with a rule of several names');
    $both = array_values(preg_grep('#' . HUB . '/config#', $changes(push($how, null, [SOURCE, HUB . '/config'])), PREG_GREP_INVERT));
    sort($both);
    same($both, $one, 'the same with another path');
    same($changes(push(['itemize' => true], null, [HUB . '/config/vhost.conf'])), ['<f+++++++++ ' . HUB . '/config/vhost.conf'], 'of one file');
    same(file_get_contents(server_path('web1', HUB . '/config/vhost.conf')), '1', 'the file');
    pushed(['exclude' => ['/var/aegir/platforms/shop/core/*.log']]);
    check(file_exists(server_path('web1', SOURCE . '/core/stray.log')), 'what an anchored rule keeps was deleted');
    check(!file_exists(server_path('web1', SOURCE . '/core/stray')), 'a stray file was not deleted');
});

test('odd names arrive as they are', function () {
    $names = [
        ' leading and trailing ', 'a  b', "new\nline", "tab\tand\rreturn", "quote'and\"double", '$HOME `id` $(id)', '-n', '--delete', '*', '?', '[a]',
        'back\\slash', '\\#012', 'semi;colon&and|pipe', "latin1-\xe4\xf6\xfc", "\xff\xfe\x01\x7f", 'ünïcödé-日本語-🎉', '~', '#hash', '.hidden', '...', 'a:b',
        'host:path', str_repeat('n', 255), str_repeat("\xc3\xa4", 127), '%41', '{a,b}', '!bang', 'file.~tmp', "\x1b[31mred",
    ];
    foreach ($names as $i => $name) {
        source(["files/$name" => "file $i", "dirs/$name/inner" => "inner $i", "links/$name" => ['->', $name]]);
    }
    pushed();
    equal_to_source();
    foreach ($names as $i => $name) {
        foreach (NAMES as $server) {
            same(@file_get_contents(server_path($server, SOURCE . "/files/$name")), "file $i", 'content of ' . show($name));
        }
    }
    run_here('rm', '-r', SOURCE . '/files', SOURCE . '/dirs');
    pushed();
    equal_to_source();
});

test('a path with odd characters is pushed', function () {
    foreach (["with space", "quo'te", '$x', "lat\xe4in", '-dash', 'st*r', 'a;b', "new\nline"] as $name) {
        tree(PLATFORMS . "/$name", ['file' => $name, 'sub/x' => '1']);
        tree(server_path(NAMES[0], PLATFORMS . "/$name"), ['gone' => 'x']);
        pushed([], PLATFORMS . "/$name");
        foreach (NAMES as $server) {
            same(contents(server_path($server, PLATFORMS . "/$name")), contents(PLATFORMS . "/$name"), 'content of ' . show($name));
        }
    }
});

test('a path deeper than a thousand bytes arrives', function () {
    $deep = implode('/', array_fill(0, 15, str_repeat('d', 200)));
    run_here('bash', '-c', 'cd "$1" && for i in {1..15}; do mkdir "$2" && cd "$2"; done && echo deep >file', '-', PLATFORMS, str_repeat('d', 200));
    source(['x' => '1']);
    rename(PLATFORMS . '/' . str_repeat('d', 200), SOURCE . '/' . str_repeat('d', 200));
    pushed();
    foreach (NAMES as $server) {
        same(@file_get_contents(server_path($server, SOURCE) . "/$deep/file"), "deep\n", 'the content at depth 15');
    }
});

test('symlinks to directories stay symlinks', function () {
    source(['real/file' => '1', 'link' => ['->', 'real'], 'abs' => ['->', '/etc'], 'up' => ['->', '../..'], 'dangling' => ['->', 'nowhere'],
        'loop' => ['->', 'loop'], 'long' => ['->', str_repeat('x/', 900)]]);
    pushed();
    equal_to_source();
    foreach (NAMES as $name) {
        foreach (['link', 'abs', 'up', 'dangling', 'loop'] as $link) {
            check(is_link(server_path($name, SOURCE . "/$link")), "$link is no symlink on $name");
        }
    }
    unlink(SOURCE . '/link');
    source(['link' => ['->', 'real/file']]);
    pushed();
    equal_to_source();
});

test('modes, owners and times arrive', function () {
    source(small_site() + ['tool' => '#!/bin/sh', 'secret' => 'x', 'shared/' => null, 'odd' => '', 'old' => 'old', 'future' => 'f', 'nobody' => 'n', 'before-1970' => 'b']);
    chmod(SOURCE . '/tool', 0755);
    chmod(SOURCE . '/secret', 0600);
    chmod(SOURCE . '/shared', 02775);
    chmod(SOURCE . '/odd', 0000);
    chmod(SOURCE . '/sites/default', 0555);
    touch(SOURCE . '/old', 86400);
    touch(SOURCE . '/future', 4000000000);
    touch(SOURCE . '/before-1970', -86400 * 365);
    touch(SOURCE . '/modules', 1000000000);
    chown(SOURCE . '/nobody', 65534);
    chgrp(SOURCE . '/nobody', 33);
    chown(SOURCE . '/shared', 12345);
    chgrp(SOURCE . '/shared', 54321);
    pushed();
    equal_to_source();
});

test('a change of mode, owner or time alone sends no content', function () {
    source(small_site());
    pushed();
    chmod(SOURCE . '/index.php', 0750);
    chown(SOURCE . '/core/empty', 33);
    touch(SOURCE . '/core/lib', 1234567890);
    $report = pushed();
    equal_to_source();
    foreach (NAMES as $name) {
        same(outcome($report, $name, Outcome::Synced)->files, 0, "files sent to $name");
    }
});

test('a file with a new time and the same content is matched, not sent', function () {
    source(['big' => noise(2000000)]);
    pushed();
    touch(SOURCE . '/big', 1500000000);
    $report = pushed();
    equal_to_source();
    foreach (NAMES as $name) {
        check($report->servers[$name]->bytesSent < 20000, "{$report->servers[$name]->bytesSent} bytes were sent to $name");
    }
});

test('several paths go in one push', function () {
    $paths = [SOURCE, PLATFORMS . '/other', HUB . '/config/vhost.conf'];
    source(small_site());
    tree(PLATFORMS . '/other', ['x' => '1']);
    tree(HUB . '/config', ['vhost.conf' => 'server {}', 'not-this' => 'x']);
    foreach (NAMES as $name) {
        tree(server_path($name, HUB . '/config'), ['keep' => 'x']);
        tree(server_path($name, PLATFORMS . '/other'), ['gone' => 'x']);
    }
    pushed([], $paths);
    equal_to_source([], $paths);
    foreach (NAMES as $name) {
        check(file_exists(server_path($name, HUB . '/config/keep')), 'a file beside a pushed file was deleted');
        check(!file_exists(server_path($name, HUB . '/config/not-this')), 'a file beside a pushed file was sent');
        check(!file_exists(server_path($name, PLATFORMS . '/other/gone')), 'a stray file below the second path was kept');
    }
});

test('one file alone is pushed', function () {
    tree(HUB . '/config', ['vhost.conf' => "server {}\n"]);
    pushed([], HUB . '/config/vhost.conf');
    equal_to_source([], HUB . '/config/vhost.conf');
    tree(HUB . '/config', ['vhost.conf' => "server { listen 80; }\n"]);
    pushed([], HUB . '/config/vhost.conf');
    equal_to_source([], HUB . '/config/vhost.conf');
});

test('hard links in the source arrive as files', function () {
    source(['a' => 'linked']);
    link(SOURCE . '/a', SOURCE . '/b');
    pushed();
    equal_to_source();
});

test('special files are told or sent, and stop nothing else', function () {
    source(small_site());
    run_here('mkfifo', SOURCE . '/pipe');
    push();
    equal_to_source(['--exclude=/pipe', '--filter=P pipe']);
});

test('many connections of one process are used again', function () {
    source(small_site());
    pushed();
    $before = Aegir\Scale\pool_stats();
    for ($i = 0; $i < 5; $i++) {
        source(['index.php' => "<?php echo $i;\n"]);
        pushed();
    }
    $after = Aegir\Scale\pool_stats();
    same($after['opened'], $before['opened'], 'connections opened');
    check($after['reused'] >= $before['reused'] + 5 * count(NAMES), 'connections reused: ' . $after['reused']);
    same($after['in_use'], 0, 'connections in use');
    equal_to_source();
});

finish();
