<?php

/** Sizes that hurt: a file of 1 GB, a hundred thousand files. */

require __DIR__ . '/lib.php';

use Aegir\Scale\Outcome;

test('a file of one gigabyte arrives, and a change in it costs little', function () {
    source(['small' => 'x']);
    run_here('bash', '-c', 'yes "one line of a log file, number 123456789" | head -c 1000000000 >"$1"', '-', SOURCE . '/big');
    $two = ['servers' => array_slice(NAMES, 0, 2)];
    $report = push($two);
    foreach ($two['servers'] as $name) {
        outcome($report, $name, Outcome::Synced);
        check($report->servers[$name]->bytesSent < 200000000, "{$report->servers[$name]->bytesSent} bytes were sent of what compresses well");
    }
    equal_to_source([], SOURCE, $two['servers']);
    run_here('bash', '-c', 'printf changed | dd of="$1" bs=1 seek=500000000 conv=notrunc status=none', '-', SOURCE . '/big');
    $report = push($two);
    foreach ($two['servers'] as $name) {
        outcome($report, $name, Outcome::Synced);
        check($report->servers[$name]->bytesSent < 3000000, "{$report->servers[$name]->bytesSent} bytes were sent for 7");
    }
    equal_to_source([], SOURCE, $two['servers']);
});

test('a hundred thousand files arrive', function () {
    mkdir(SOURCE);
    run_here('perl', '-e', 'for $d (0..999) { mkdir "$ARGV[0]/d$d"; for $f (0..99) { open F, ">", "$ARGV[0]/d$d/file-number-$f.php"; print F "content $d $f\n"; close F; } }', SOURCE);
    $two = ['servers' => array_slice(NAMES, 0, 2)];
    $report = push($two);
    check($report->files >= 101001 && $report->files < 101010, "$report->files entries in the source, want 101001 and the parents");
    foreach ($two['servers'] as $name) {
        same(outcome($report, $name, Outcome::Synced)->files, 100000, "files sent to $name");
    }
    equal_to_source([], SOURCE, $two['servers']);
    $report = push($two);
    foreach ($two['servers'] as $name) {
        outcome($report, $name, Outcome::Unchanged);
    }
    run_here('bash', '-c', 'rm -r "$1"/d5*', '-', SOURCE);
    $report = push($two);
    foreach ($two['servers'] as $name) {
        same($report->servers[$name]->deleted, 111 * 101, "deleted on $name");
    }
    equal_to_source([], SOURCE, $two['servers']);
});

test('a real application arrives', function () {
    $tree = getenv('AEGIR_SCALE_TOP') . '/build/trees/mediawiki';
    is_dir($tree) || throw new Skip('build/trees/mediawiki is not there, tests/demo.sh fetches it');
    run_here('cp', '-a', $tree, SOURCE);
    pushed();
    equal_to_source();
});

finish();
