<?php

namespace Aegir\Scale\Report;

/** For logs: a line whenever a server comes to another phase. */
final class PlainProgress implements Progress
{
    /** @var array<string, string> the phase that was told last, by server */
    private array $phases = [];

    /** @param \Closure(string): void $write takes one line */
    public function __construct(private readonly \Closure $write)
    {
    }

    public function update(string $server, string $phase, int $files, int $filesTotal, int $bytes, int $bytesTotal): void
    {
        if (($this->phases[$server] ?? '') === $phase) {
            return;
        }
        $this->phases[$server] = $phase;
        ($this->write)(Text::clean($server) . ": $phase" . $this->sizes($phase, $files, $bytes));
    }

    public function end(): void
    {
    }

    private function sizes(string $phase, int $files, int $bytes): string
    {
        return $phase === 'done' && $files > 0 ? ' (' . Text::count($files, 'file') . ', ' . Text::bytes($bytes) . ')' : '';
    }
}
