<?php

/** Prints what bench/run.sh measured. php table.php RESULTS [--servers=N] METHOD... */

const NAMES = [
    'a' => '(a) rsync, one after the other',
    'b' => '(b) all at once',
    'c' => '(c) all at once, warm masters',
    'd' => '(d) aegir_scale, new process',
    'e' => '(e) aegir_scale, connections kept',
];

function median(array $numbers): float
{
    sort($numbers);
    $half = intdiv(count($numbers), 2);
    return count($numbers) % 2 ? $numbers[$half] : ($numbers[$half - 1] + $numbers[$half]) / 2;
}

$directory = $argv[1];
$methods = array_slice($argv, 2);
$servers = null;
if (str_starts_with($methods[0], '--servers=')) {
    $servers = (int) substr(array_shift($methods), 10);
}
$rows = [];
foreach ($methods as $method) {
    $runs = array_map(fn ($line) => array_map('floatval', explode(' ', $line)), file("$directory/$method", FILE_IGNORE_NEW_LINES));
    $letter = substr($method, -1);
    $rows[$letter] = [
        'wall' => median(array_column($runs, 0)) / 1e6,
        'near' => median(array_column($runs, 1)) / 1e6,
        'far' => median(array_column($runs, 2)) / 1e6,
        'memory' => (float) @file_get_contents("$directory/$method.memory"),
    ];
}

if ($servers !== null) {
    $line = "  %-4s %-34s  %7s  %9s  %9s  %9s  %9s\n";
    if ($servers === 8) {
        printf($line, 'N', '', 'wall s', 'CPU here', 'per N ms', 'memory MB', 'CPU far');
    }
    foreach ($rows as $letter => $row) {
        printf($line, "$servers", NAMES[$letter], ...array_map(fn ($n) => number_format($n, 2), [$row['wall'], $row['near'], 1000 * $row['near'] / $servers, $row['memory'], $row['far']]));
    }
    exit;
}

$line = "  %-34s  %7s  %9s  %9s  %9s  %9s  %9s\n";
$against = isset($rows['c']) ? 'c' : 'b';
printf($line, '', 'wall s', 'CPU here', 'CPU far', 'memory MB', "wall/($against)", 'CPU/(b)');
foreach ($rows as $letter => $row) {
    $ratio = fn (string $what, string $to) => isset($rows[$to]) && $rows[$to][$what] > 0 ? number_format($row[$what] / $rows[$to][$what], 2) : '';
    printf($line, NAMES[$letter], number_format($row['wall'], 3), number_format($row['near'], 3), number_format($row['far'], 3), number_format($row['memory'], 1),
        $ratio('wall', $against), $ratio('near', 'b'));
}
