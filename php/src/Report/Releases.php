<?php

namespace Aegir\Scale\Report;

/** The releases on servers for people, from the report's JSON form. */
final class Releases
{
    /** @param array<string, mixed> $report */
    public function __construct(private readonly array $report)
    {
    }

    /** @return list<string> */
    public function table(): array
    {
        $rows = array_map(static fn (array $r): array => [
            Text::clean($r['server']),
            $r['outcome'],
            $r['current'] ?? '-',
            $r['lastGood'] ?? '-',
            self::names($r),
        ], array_values($this->report['servers']));

        return Table::lines(['server', 'outcome', 'current', 'last good', 'releases'], $rows);
    }

    /** @return list<string> what a prune took away, a line per server */
    public function removed(): array
    {
        $lines = [];
        foreach ($this->report['servers'] as $r) {
            if ($r['removed'] !== []) {
                $lines[] = Text::clean($r['server']) . ': removed ' . implode(' ', $r['removed']);
            }
        }

        return $lines;
    }

    /** @return list<string> */
    public function bad(): array
    {
        $lines = [];
        foreach ($this->report['servers'] as $r) {
            if (!in_array($r['outcome'], ['synced', 'unchanged'], true)) {
                $lines[] = Text::clean($r['server'] . ': ' . ($r['error'] ?? 'skipped: the call ended before it was its turn'));
            }
        }

        return $lines;
    }

    public function failure(): string
    {
        $outcomes = array_column($this->report['servers'], 'outcome');
        $bad = count(array_diff($outcomes, ['synced', 'unchanged']));

        return "$bad of " . Text::count(count($outcomes), 'server') . ' did not do it';
    }

    /** @param array<string, mixed> $r */
    private static function names(array $r): string
    {
        $names = [];
        foreach ($r['releases'] as $id) {
            $name = in_array($id, $r['good'], true) ? $id : "($id)";
            $names[] = $id === $r['current'] ? "*$name" : $name;
        }
        $unfinished = $r['unfinished'] === [] ? '' : ' unfinished: ' . implode(' ', $r['unfinished']);

        return ltrim(implode(' ', $names) . $unfinished);
    }
}
