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

finish();
