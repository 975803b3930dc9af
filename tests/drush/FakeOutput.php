<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Command\Output;
use Aegir\Scale\Report\NoProgress;
use Aegir\Scale\Report\Progress;

final class FakeOutput implements Output
{
    /** @var list<string> */
    public array $lines = [];
    /** @var list<string> */
    public array $notes = [];
    /** @var list<string> */
    public array $bad = [];
    /** @var list<string> */
    public array $failures = [];
    public bool $isQuiet = false;

    public function line(string $line): void
    {
        $this->lines[] = $line;
    }

    public function note(string $line): void
    {
        $this->notes[] = $line;
    }

    public function bad(string $line): void
    {
        $this->bad[] = $line;
    }

    public function fail(string $sentence): void
    {
        $this->failures[] = $sentence;
    }

    public function isQuiet(): bool
    {
        return $this->isQuiet;
    }

    public function progress(): Progress
    {
        return new NoProgress();
    }
}
