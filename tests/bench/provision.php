<?php

/** Prints what bench/provision.sh measured. php provision.php RESULTS */

const COLUMNS = ['wall', 'cpu', 'processes', 'handshakes', 'bytes', 'php', 'sleeps'];
const NAMES = ['alone' => 'alone, N = 0', 'stock' => 'stock', 'master' => 'stock, ControlMaster', 'ours' => 'aegir_scale'];

function median(array $numbers): float
{
    sort($numbers);
    $half = intdiv(count($numbers), 2);
    return count($numbers) % 2 ? $numbers[$half] : ($numbers[$half - 1] + $numbers[$half]) / 2;
}

$runs = [];
foreach (file($argv[1], FILE_IGNORE_NEW_LINES) as $line) {
    [$n, $task, $method] = $words = explode(' ', $line);
    $runs[$task][$n][$method][] = array_combine(COLUMNS, array_map('floatval', array_slice($words, 3)));
}
$middle = fn (string $task, int|string $n, string $method): ?array => isset($runs[$task][$n][$method])
    ? array_combine(COLUMNS, array_map(fn (string $column): float => median(array_column($runs[$task][$n][$method], $column)), COLUMNS))
    : null;

$line = "  %3s  %-21s  %7s  %7s  %9s  %10s  %9s  %5s  %6s  %10s  %8s\n";
foreach (array_diff(array_keys($runs), ['start']) as $task) {
    echo "\n$task\n";
    printf($line, 'N', '', 'wall s', 'CPU s', 'processes', 'handshakes', 'kB', 'PHPs', 'sleeps', 'wall/stock', 'wall/N=0');
    foreach ($runs[$task] as $n => $methods) {
        $stock = $middle($task, $n, 'stock');
        $alone = $middle($task, $n, 'alone');
        foreach (array_keys($methods) as $method) {
            $row = $middle($task, $n, $method);
            $ratio = fn (?array $to): string => $to !== null && $to['wall'] > 0 ? number_format($row['wall'] / $to['wall'], 2) : '';
            printf($line, $n, NAMES[$method], number_format($row['wall'], 2), number_format($row['cpu'], 2), number_format($row['processes']),
                number_format($row['handshakes']), number_format($row['bytes'] / 1000), $row['php'], $row['sleeps'], $ratio($stock), $ratio($alone));
        }
    }
}
$starts = [];
foreach ($runs['start'] ?? [] as $methods) {
    foreach ($methods as $of) {
        array_push($starts, ...array_column($of, 'wall'));
    }
}
if ($starts !== []) {
    printf("\na start of Drush takes %.2f s; sleeps are seconds that Provision would sleep besides, and are in no other column\n", median($starts));
}
if (isset($runs['verify'][4]['ours'])) {
    echo "wanted: wall of verify by aegir_scale at N = 4 at most 1.25 of N = 0, that is 1.25 in the last column\n";
}
