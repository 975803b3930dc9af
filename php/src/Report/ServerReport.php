<?php

namespace Aegir\Scale\Report;

/** A sync's or a status's report for people, from its JSON form. */
final class ServerReport
{
    private const NAMES = ['server', 'outcome', '>files', '>deleted', '>sent', '>matched', '>seconds'];

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
            (string) $r['files'],
            (string) $r['deleted'],
            Text::bytes($r['bytesSent']),
            Text::bytes($r['bytesMatched']),
            sprintf('%.1F', $r['seconds']),
        ], array_values($this->report['servers']));

        return Table::lines(self::NAMES, $rows);
    }

    /**
     * What is not well, a line per server.
     *
     * @return list<string>
     */
    public function bad(): array
    {
        $lines = [];
        foreach ($this->report['servers'] as $r) {
            $why = $this->whyBad($r);
            if ($why !== null) {
                $lines[] = Text::clean($r['server']) . ': ' . Text::clean($why);
            }
        }

        return $lines;
    }

    /**
     * The differences or changes, server by server.
     *
     * @param int $limit lines per server; 0: all of them
     * @return list<string>
     */
    public function changes(int $limit): array
    {
        $lines = [];
        foreach ($this->report['servers'] as $r) {
            $changes = $r['changes'] ?? [];
            if ($changes === []) {
                continue;
            }
            $lines[] = Text::clean($r['server']) . ': ' . Text::count(count($changes), 'path');
            $shown = $limit > 0 ? array_slice($changes, 0, $limit) : $changes;
            foreach ($shown as $change) {
                $lines[] = sprintf('  %-11s %s', Text::clean($change['code']), Text::clean($change['path']));
            }
            if (count($shown) < count($changes)) {
                $lines[] = '  … and ' . (count($changes) - count($shown)) . ' more';
            }
        }

        return $lines;
    }

    /** @return list<string> */
    public function warnings(): array
    {
        return array_map(static fn (string $text): string => 'the source: ' . Text::clean($text), $this->report['warnings'] ?? []);
    }

    /** "3 servers: 2 synced, 1 failed; the source has 12 entries, 3.4 MiB; 0.8 s" */
    public function summary(): string
    {
        $counts = array_count_values(array_column($this->report['servers'], 'outcome'));
        $outcomes = [];
        foreach (['synced', 'unchanged', 'differs', 'staged', 'failed', 'skipped'] as $outcome) {
            if (isset($counts[$outcome])) {
                $outcomes[] = $counts[$outcome] . ' ' . $outcome;
            }
        }
        $entries = Text::count($this->report['files'], 'entry', 'entries');

        return Text::count(count($this->report['servers']), 'server') . ': ' . implode(', ', $outcomes)
            . "; the source has $entries, " . Text::bytes($this->report['bytes']) . '; ' . Text::seconds($this->report['seconds']);
    }

    public function failure(): string
    {
        $outcomes = array_column($this->report['servers'], 'outcome');
        $bad = count(array_diff($outcomes, ['synced', 'unchanged']));

        return $bad === 0 ? 'the source could not be read as a whole' : "$bad of " . Text::count(count($outcomes), 'server')
            . ' ' . ($bad === 1 ? 'is' : 'are') . ' not as the source';
    }

    /** @param array<string, mixed> $r */
    private function whyBad(array $r): ?string
    {
        if ($r['error'] !== null) {
            $path = $r['path'] ?? '';
            $isNamed = $path === '' || str_contains($r['error'], $path);

            $what = $r['outcome'] === 'failed' ? "failed in {$r['phase']}" : $r['outcome'];

            return "$what: {$r['error']}" . ($isNamed ? '' : " ($path)");
        }

        return match ($r['outcome']) {
            'staged' => 'staged: it was ready, but another server was not; it serves what it served before',
            'skipped' => 'skipped: the call ended before it was its turn',
            'failed' => "failed in {$r['phase']}",
            default => null,
        };
    }
}
