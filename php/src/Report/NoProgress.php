<?php

namespace Aegir\Scale\Report;

final class NoProgress implements Progress
{
    public function update(string $server, string $phase, int $files, int $filesTotal, int $bytes, int $bytesTotal): void
    {
    }

    public function end(): void
    {
    }
}
