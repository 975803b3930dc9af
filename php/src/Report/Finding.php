<?php

namespace Aegir\Scale\Report;

/** One thing that a check found, and what to do about it. */
final readonly class Finding implements \JsonSerializable
{
    /** @param bool $isBad it breaks something now; else it will, or may */
    public function __construct(
        public string $server,
        public bool $isBad,
        public string $found,
        public string $fix,
    ) {
    }

    public function jsonSerialize(): array
    {
        return [
            'server' => $this->server,
            'level' => $this->isBad ? 'error' : 'warning',
            'found' => Text::clean($this->found),
            'fix' => Text::clean($this->fix),
        ];
    }
}
