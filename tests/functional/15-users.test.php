<?php

/** As with Aegir: the user aegir everywhere, who owns /var/aegir and nothing else. */

require __DIR__ . '/lib.php';

use Aegir\Scale\Topology;

function as_aegir(): Topology
{
    needs_namespaces();
    run_here('chown', '-R', 'aegir:aegir', HUB);
    foreach (NAMES as $name) {
        run_here('chown', '-R', 'aegir:aegir', server_path($name, HUB));
    }
    return topology(function (&$spec) {
        foreach ($spec['servers'] as &$server) {
            $server['user'] = 'aegir';
        }
    });
}

test('the user aegir pushes what is its own', function () {
    source(small_site());
    went_well(push([], null, SOURCE, as_aegir()));
    equal_to_source();
    source(['index.php' => 'changed', 'new/file' => '1']);
    unlink(SOURCE . '/core/empty');
    went_well(push([], null, SOURCE, as_aegir()));
    equal_to_source();
});

test('directories of root above the pushed path are no failure for the user aegir', function () {
    $t = as_aegir();
    source(small_site());
    run_here('chown', '-R', 'aegir:aegir', HUB);
    run_here('touch', '-r', '/var', FLEET . '/var-of-hub');
    foreach (NAMES as $name) {
        // No two machines have the same time on /var.
        on($name, 'touch -d 2001-02-03 /var');
        afterwards($name, 'touch -r ' . FLEET . '/var-of-hub /var');
    }
    went_well(push(['omit_dir_times' => true], null, SOURCE, $t));
    foreach (NAMES as $name) {
        same(contents(server_path($name, SOURCE)), contents(SOURCE), "what is on $name");
    }
    source(['index.php' => 'changed']);
    went_well(push([], null, SOURCE, $t));
});

test('an owner that the user aegir cannot set is no failure', function () {
    source(small_site());
    $t = as_aegir();
    chown(SOURCE . '/index.php', 0);
    chgrp(SOURCE . '/index.php', 33);
    went_well(push([], null, SOURCE, $t));
    foreach (NAMES as $name) {
        same(contents(server_path($name, SOURCE)), contents(SOURCE), "what is on $name");
        same(fileowner(server_path($name, SOURCE . '/index.php')), 5999, "owner on $name");
    }
});

test('a directory that the user aegir may not write fails its server with the path', function () {
    source(small_site());
    $locked = server_path(NAMES[1], SOURCE . '/core');
    tree($locked, ['old' => 'x']);
    $t = as_aegir();
    run_here('chown', '-R', '0:0', $locked);
    $report = push([], null, SOURCE, $t);
    $result = outcome($report, NAMES[1], Aegir\Scale\Outcome::Failed);
    check(str_contains($result->error . $result->path, 'core'), "the error is: $result->error");
    same($report->committed, false, 'committed');
});

finish();
