<?php

namespace Aegir\Scale\Report;

/**
 * For a terminal: a line per server, drawn again and again in the same place. With many servers one line for all of them.
 * Nothing of it is left at the end.
 */
final class TerminalProgress implements Progress
{
    private const MOST_LINES = 8;
    private const PAUSE_SECONDS = 0.1;
    private const BAR = 20;

    /** @var array<string, array{phase: string, files: int, filesTotal: int, bytes: int, bytesTotal: int}> */
    private array $servers = [];
    private int $drawn = 0;
    private float $last = 0.0;

    /**
     * @param \Closure(string): void $write takes bytes as they are
     * @param int $width of the terminal, in columns
     * @param \Closure(): float $now seconds
     */
    public function __construct(private readonly \Closure $write, private readonly int $width, private readonly \Closure $now)
    {
    }

    public static function onStandardError(): self
    {
        $width = (int) getenv('COLUMNS');

        return new self(
            static function (string $bytes): void {
                fwrite(STDERR, $bytes);
            },
            $width > 20 ? $width : 80,
            static fn (): float => microtime(true),
        );
    }

    public function update(string $server, string $phase, int $files, int $filesTotal, int $bytes, int $bytesTotal): void
    {
        $this->servers[$server] = compact('phase', 'files', 'filesTotal', 'bytes', 'bytesTotal');
        $now = ($this->now)();
        if ($this->drawn === 0 || $now - $this->last >= self::PAUSE_SECONDS) {
            $this->last = $now;
            $this->draw(count($this->servers) > self::MOST_LINES ? [$this->summary()] : $this->lines());
        }
    }

    public function end(): void
    {
        if ($this->drawn > 0) {
            ($this->write)($this->back());
            $this->drawn = 0;
        }
    }

    /** @param list<string> $lines */
    private function draw(array $lines): void
    {
        $text = $this->back();
        foreach ($lines as $line) {
            $text .= Text::cut($line, $this->width - 1) . "\n";
        }
        ($this->write)($text);
        $this->drawn = count($lines);
    }

    /** To the first line that was drawn, everything below erased. */
    private function back(): string
    {
        return $this->drawn > 0 ? "\e[{$this->drawn}A\r\e[J" : '';
    }

    /** @return list<string> */
    private function lines(): array
    {
        $names = array_map(static fn ($name): string => Text::clean((string) $name), array_keys($this->servers));
        $width = max(array_map(Text::width(...), $names));
        $lines = [];
        foreach (array_values($this->servers) as $i => $s) {
            $name = $names[$i] . str_repeat(' ', $width - Text::width($names[$i]));
            $lines[] = rtrim(sprintf('%s  %-8s  %s', $name, $s['phase'], $this->amount($s['bytes'], $s['bytesTotal'])));
        }

        return $lines;
    }

    private function summary(): string
    {
        $phases = array_count_values(array_column($this->servers, 'phase'));
        $done = $phases['done'] ?? 0;
        unset($phases['done']);
        $busy = array_map(static fn (string $phase, int $count): string => "$count $phase", array_keys($phases), $phases);
        $sum = fn (string $of): int => array_sum(array_column($this->servers, $of));

        return rtrim("$done of " . count($this->servers) . ' done  ' . $this->amount($sum('bytes'), $sum('bytesTotal')) . '  '
            . implode(', ', $busy));
    }

    private function amount(int $bytes, int $total): string
    {
        if ($total <= 0) {
            return '';
        }
        $filled = (int) (self::BAR * min($bytes, $total) / $total);

        return '[' . str_repeat('#', $filled) . str_repeat('.', self::BAR - $filled) . '] '
            . Text::bytes($bytes) . ' of ' . Text::bytes($total);
    }
}
