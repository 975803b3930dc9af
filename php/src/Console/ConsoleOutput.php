<?php

namespace Aegir\Scale\Console;

use Aegir\Scale\Command\Output;
use Aegir\Scale\Report\NoProgress;
use Aegir\Scale\Report\PlainProgress;
use Aegir\Scale\Report\Progress;
use Aegir\Scale\Report\TerminalProgress;

/** Standard output and standard error as they are, without Symfony's formatting: what servers say is no markup. */
final class ConsoleOutput implements Output
{
    public function __construct(private readonly bool $isQuiet)
    {
    }

    public function line(string $line): void
    {
        fwrite(STDOUT, $line . "\n");
    }

    public function note(string $line): void
    {
        fwrite(STDERR, $line . "\n");
    }

    public function bad(string $line): void
    {
        $this->line($line);
    }

    public function fail(string $sentence): void
    {
        $this->note("aegir-scale: $sentence");
    }

    public function isQuiet(): bool
    {
        return $this->isQuiet;
    }

    public function progress(): Progress
    {
        if ($this->isQuiet) {
            return new NoProgress();
        }
        if (stream_isatty(STDERR) && getenv('TERM') !== 'dumb') {
            return TerminalProgress::onStandardError();
        }

        return new PlainProgress($this->note(...));
    }
}
