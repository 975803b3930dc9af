<?php

namespace Aegir\Scale\Command;

use Aegir\Scale\Report\Progress;

/** Where a command writes; each front end has one. What is given is clean text already. */
interface Output
{
    /** A line of the result: standard output. */
    public function line(string $line): void;

    /** A line for people beside the result: standard error. */
    public function note(string $line): void;

    /** A server that is not well, in a list of them below the result. */
    public function bad(string $line): void;

    /** Why the exit status is not 0, in one sentence. */
    public function fail(string $sentence): void;

    public function isQuiet(): bool;

    public function progress(): Progress;
}
