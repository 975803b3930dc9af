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

finish();
