<?php

namespace Aegir\Scale\Report;

/** Shows how far the servers have come while a call runs. */
interface Progress
{
    public function update(string $server, string $phase, int $files, int $filesTotal, int $bytes, int $bytesTotal): void;

    /** Before anything else is written. */
    public function end(): void;
}
