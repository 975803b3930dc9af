<?php

namespace Aegir\Scale\Report;

/** What a command said on the servers, for people, from the report's JSON form. */
final class CommandReport
{
    /** @param array<string, mixed> $report */
    public function __construct(private readonly array $report)
    {
    }

    /**
     * Each line of output with its server in front, server by server.
     *
     * @return iterable<array{bool, string}> whether it is from standard error, and the line
     */
    public function output(): iterable
    {
        foreach ($this->report['servers'] as $r) {
            $server = Text::clean($r['server']);
            foreach (Text::lines($r['stdout']) as $line) {
                yield [false, "$server: $line"];
            }
            foreach (Text::lines($r['stderr']) as $line) {
                yield [true, "$server (stderr): $line"];
            }
            if ($r['truncated']) {
                yield [true, "$server (stderr): there was more output than is kept"];
            }
        }
    }

    /** @return list<string> */
    public function table(): array
    {
        $rows = array_map(static fn (array $r): array => [
            Text::clean($r['server']),
            $r['outcome'] === 'synced' ? 'ok' : $r['outcome'],
            self::exit($r),
            sprintf('%.1F', $r['seconds']),
        ], array_values($this->report['servers']));

        return Table::lines(['server', 'outcome', '>exit', '>seconds'], $rows);
    }

    /** @return list<string> */
    public function bad(): array
    {
        $lines = [];
        foreach ($this->report['servers'] as $r) {
            if ($r['outcome'] !== 'synced') {
                $lines[] = Text::clean($r['server'] . ': ' . ($r['error'] ?? self::why($r)));
            }
        }

        return $lines;
    }

    public function summary(): string
    {
        $counts = array_count_values(array_column($this->report['servers'], 'outcome'));

        return Text::count(count($this->report['servers']), 'server') . ': ' . ($counts['synced'] ?? 0) . ' exited with 0; '
            . Text::seconds($this->report['seconds']);
    }

    public function failure(): string
    {
        $outcomes = array_column($this->report['servers'], 'outcome');
        $bad = count(array_diff($outcomes, ['synced']));

        return "the command did not exit with 0 on $bad of " . Text::count(count($outcomes), 'server');
    }

    /** @param array<string, mixed> $r */
    private static function exit(array $r): string
    {
        return (string) ($r['signal'] ?? $r['exitStatus'] ?? '-');
    }

    /** @param array<string, mixed> $r */
    private static function why(array $r): string
    {
        return match (true) {
            $r['outcome'] === 'skipped' => 'skipped: the call ended before it was its turn',
            $r['signal'] !== null => "killed by signal {$r['signal']}",
            $r['exitStatus'] !== null => "exit status {$r['exitStatus']}",
            default => 'it never ended',
        };
    }
}
