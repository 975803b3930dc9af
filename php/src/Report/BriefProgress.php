<?php

namespace Aegir\Scale\Report;

/** For logs that must stay short, as a task's in the front end: a line when the first server comes to a phase. */
final class BriefProgress implements Progress
{
    /** @var array<string, true> */
    private array $phases = [];

    /** @param \Closure(string): void $write takes one line */
    public function __construct(private readonly \Closure $write)
    {
    }

    public function update(string $server, string $phase, int $files, int $filesTotal, int $bytes, int $bytesTotal): void
    {
        if (!isset($this->phases[$phase])) {
            $this->phases[$phase] = true;
            ($this->write)("$phase: first on " . Text::clean($server));
        }
    }

    public function end(): void
    {
    }
}
