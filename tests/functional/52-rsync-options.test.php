<?php

/** More options that mean what rsync's mean, as a stock rsync beside them shows. */

require __DIR__ . '/lib.php';

use Aegir\Scale\Outcome;

test('hard_links: names of one file stay so', function () {
    source(['a' => prose(50000), 'b/other' => 'x', 'alone' => 'y']);
    link(SOURCE . '/a', SOURCE . '/b/a');
    link(SOURCE . '/a', SOURCE . '/z');
    pushed();
    foreach (NAMES as $name) {
        same(stat(server_path($name, SOURCE . '/a'))['nlink'], 1, "names of a on $name without the option");
    }
    foreach (pushed(['hard_links' => true])->servers as $result) {
        same($result->files, 0, 'files sent to link what is there');
    }
    equal_to_source(['-H']);
    source(['alone' => 'z', 'b/a' => prose(60000)]);
    foreach (pushed(['hard_links' => true])->servers as $result) {
        same($result->files, 2, 'files sent, one of them with three names');
    }
    equal_to_source(['-H']);
    foreach (NAMES as $name) {
        same(stat(server_path($name, SOURCE . '/z'))['nlink'], 3, "names of a on $name");
    }
    check(status(['hard_links' => true])->ok, 'a status sees a difference');
    unlink(server_path('web1', SOURCE . '/z'));
    copy(server_path('web1', SOURCE . '/a'), server_path('web1', SOURCE . '/z'));
    touch(server_path('web1', SOURCE . '/z'), filemtime(SOURCE . '/z'));
    touch(server_path('web1', SOURCE), filemtime(SOURCE));
    check(status()->ok, 'a status without the option looks at names of one file');
    outcome(status(['hard_links' => true]), 'web1', Outcome::Differs);
});

test('copy_dirlinks: a symlink to a directory arrives as the directory', function () {
    tree(HUB . '/shared', ['lib/a.php' => prose(3000), 'lib/deep/b.php' => 'b', 'file' => 'f']);
    source(['real/x' => 'x', 'lib' => ['->', HUB . '/shared/lib'], 'file' => ['->', '../../shared/file'], 'dangling' => ['->', 'nowhere'],
        'real/same' => ['->', '../../../shared/lib']]);
    pushed();
    $links = differences('web1', ['-k']);
    check(str_contains($links, '/lib/a.php'), 'without the option it is a directory already');
    pushed(['copy_dirlinks' => true]);
    foreach (NAMES as $name) {
        same(differences($name, ['-k']), '', "what rsync -k would still change on $name");
        check(is_dir(server_path($name, SOURCE . '/lib')) && !is_link(server_path($name, SOURCE . '/lib')), 'lib is no directory');
        check(is_link(server_path($name, SOURCE . '/file')), 'a symlink to a file was followed');
    }
    tree(HUB . '/shared', ['lib/a.php' => 'changed']);
    pushed(['copy_dirlinks' => true]);
    same(differences('web1', ['-k']), '', 'what rsync -k would still change');
    check(status(['copy_dirlinks' => true])->ok, 'a status sees a difference');
});

test('copy_dirlinks: a loop stays a symlink, and is told of', function () {
    source(['a/f' => 'f', 'a/up' => ['->', '..'], 'self' => ['->', '.']]);
    $report = pushed(['copy_dirlinks' => true]);
    same(count($report->warnings), 2, 'warnings');
    check(str_ends_with($report->warnings[0], '/self leads to a directory that it lies in, and stays a symlink'), $report->warnings[0]);
    equal_to_source();
});

foreach (['octal' => 'D2750,F640', 'letters' => 'Dg+s,ug+w,Fo-rwx,+X', 'several' => ['a=rX', 'Fu+w'], 'a copy' => 'g=u,o='] as $what => $chmod) {
    test("chmod: $what", function () use ($chmod) {
        source(small_site());
        chmod(SOURCE . '/core/lib/a.php', 0755);
        chmod(SOURCE . '/sites', 0700);
        pushed(['chmod' => $chmod]);
        foreach (NAMES as $name) {
            same(differences($name, array_map(fn ($c) => "--chmod=$c", (array) $chmod)), '', "what rsync --chmod would still change on $name");
            check(differences($name) !== '', 'all modes are as they were here');
        }
        check(status(['chmod' => $chmod])->ok, 'a status sees a difference');
    });
}

test('chmod: what is no mode is refused before anything happens', function () {
    source(small_site());
    same(thrown(ValueError::class, fn () => push(['chmod' => ['D755', 'u+q']]))->getMessage(),
        'option chmod has "u+q", want clauses as rsync\'s, such as D2775,F664 or ug+w,Fo-w,+X', 'the message');
});

test('link_dest: what is equal in another directory is linked, the rest is sent', function () {
    source($site = small_site());
    pushed();
    $olds = [];
    foreach (NAMES as $name) {
        foreach (['old', 'older'] as $old) {
            run_here('mkdir', '-p', dirname($olds[$name][$old] = server_path($name, HUB . "/$old" . SOURCE)));
            run_here('cp', '-a', server_path($name, SOURCE), $olds[$name][$old]);
        }
        run_here('rm', '-rf', server_path($name, SOURCE));
        unlink($olds[$name]['old'] . '/core/misc/logo.png');
    }
    // web2 has an older version of a large file there, as a basis
    tree($olds['web2']['old'], ['core/lib/b.php' => substr_replace($site['core/lib/b.php'], 'old!', 30000, 4)]);
    tree($olds['web2']['older'], ['core/lib/b.php' => substr_replace($site['core/lib/b.php'], 'older', 30000, 5)]);
    $options = ['link_dest' => NAMESPACES ? [HUB . '/old', HUB . '/older'] : [substr(HUB, 1) . '/old', substr(HUB, 1) . '/older']];
    $report = pushed($options);
    equal_to_source();
    foreach (NAMES as $name) {
        $result = $report->servers[$name];
        same($result->files, $name === 'web2' ? 1 : 0, "files sent to $name");
        same(stat(server_path($name, SOURCE . '/index.php'))['ino'], stat($olds[$name]['old'] . '/index.php')['ino'], 'the file in old');
        same(stat(server_path($name, SOURCE . '/core/misc/logo.png'))['ino'], stat($olds[$name]['older'] . '/core/misc/logo.png')['ino'], 'the file in older');
    }
    check($report->servers['web2']->bytesMatched > 60000, "web2 matched {$report->servers['web2']->bytesMatched} bytes");
    foreach (pushed($options)->servers as $result) {
        same($result->outcome, Outcome::Unchanged, 'outcome of a second push');
    }
});

test('link_dest: a relative directory is below the root', function () {
    source(small_site());
    pushed();
    foreach (NAMES as $name) {
        run_here('mkdir', '-p', dirname($old = server_path($name, HUB . '/old' . SOURCE)));
        run_here('mv', server_path($name, SOURCE), $old);
    }
    foreach (pushed(['link_dest' => ltrim(HUB, '/') . '/old'])->servers as $result) {
        same($result->files, 0, 'files sent');
    }
    equal_to_source();
    same(thrown(ValueError::class, fn () => push(['link_dest' => array_fill(0, 21, '/x')]))->getMessage(),
        'option link_dest has 21 directories, want at most 20', 'the message');
});

foreach (['zstd', 'zlib', 'lz4', 'auto'] as $how) {
    test("compress $how: text shrinks, and what is compressed by its name is not tried again", function () use ($how) {
        source(['a.php' => prose(600000), 'b.php' => prose(600000, 2)]);
        foreach (pushed(['compress' => $how])->servers as $name => $result) {
            check($result->bytesSent < 700000, "$result->bytesSent bytes were sent to $name for 1200000 of text");
        }
        equal_to_source();
        source(['c.jpg' => prose(600000, 3), 'd.ZIP' => prose(600000, 4)]);
        foreach (pushed(['compress' => $how])->servers as $name => $result) {
            check($result->bytesSent > 1000000 && $result->bytesSent < 1250000, "$result->bytesSent bytes were sent to $name");
        }
        equal_to_source();
    });
}

finish();
