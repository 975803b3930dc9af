<?php

namespace Aegir\Scale\Report;

/** What a check found on the servers of a group. */
final readonly class CheckReport implements \JsonSerializable
{
    /**
     * @param array<string, array<string, string|null>> $servers what each one is like, for the table; null where it did not answer
     * @param list<Finding> $findings
     */
    public function __construct(public array $servers, public array $findings, public float $seconds)
    {
    }

    public function jsonSerialize(): array
    {
        return [
            'ok' => !in_array(true, array_column($this->findings, 'isBad'), true),
            'seconds' => $this->seconds,
            'servers' => $this->servers,
            'findings' => $this->findings,
        ];
    }
}
