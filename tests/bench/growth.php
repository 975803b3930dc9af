<?php

/** Prints what one more file, server and MB cost, from what bench/run.sh --case=growth measured. php growth.php RESULTS SERVERS METHOD... */

const NAMES = ['b' => '(b) all at once', 'e' => '(e) aegir_scale, connections kept'];
const FILES = 10000;            // more of them in the tree "many" than in "few"
const MEGABYTES = 20;           // more of them in "large" than in "few"

[, $directory, $servers] = $argv;
$median = function (string $key) use ($directory): float {
    $numbers = array_map(fn ($line) => (float) explode(' ', $line)[1], file("$directory/$key"));
    sort($numbers);
    return $numbers[intdiv(count($numbers), 2)];
};

// The part of a difference that is there once, and that of each server, in microseconds.
$split = fn (float $two, float $all) => [$two - 2 * ($each = ($all - $two) / ($servers - 2)), $each];

printf("  %-34s  %28s  %20s  %24s  %24s\n", '', 'nothing changed, us per file', 'ms per server', 'first copy, ms per MB', 'the same, compressed');
printf("  %-34s  %13s  %13s  %20s  %11s  %11s  %11s  %11s\n", '', 'once', 'each server', '(tree of 1,000)', 'once', 'each server', 'once', 'each server');
foreach (array_slice($argv, 3) as $method) {
    $cost = fn (string $what, string $tree, int $n) => $median("$what-$tree-$n-$method");
    $more = fn (string $what, string $tree) => $split($cost($what, $tree, 2) - $cost($what, 'few', 2), $cost($what, $tree, $servers) - $cost($what, 'few', $servers));
    $file = array_map(fn ($us) => $us / FILES, $more('nothing', 'many'));
    $server = $split($cost('nothing', 'few', 2), $cost('nothing', 'few', $servers))[1] / 1000;
    $plain = array_map(fn ($us) => $us / 1000 / MEGABYTES, $more('plain', 'large'));
    $packed = array_map(fn ($us) => $us / 1000 / MEGABYTES, $more('packed', 'large'));
    printf("  %-34s  %13.2f  %13.2f  %20.2f  %11.2f  %11.2f  %11.2f  %11.2f\n", NAMES[substr($method, -1)], ...$file, ...[$server], ...$plain, ...$packed);
}
