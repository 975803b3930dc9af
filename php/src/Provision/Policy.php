<?php

namespace Aegir\Scale\Provision;

/** When a task has failed: the server option scale_policy. Servers that are well are brought up to date in any case. */
enum Policy: string
{
    /** One bad server fails the task. The default. */
    case All = 'all';
    /** More than half of the servers must be well. */
    case Quorum = 'quorum';
    /** One must be well. */
    case Any = 'any';

    public function isMet(int $good, int $all): bool
    {
        return match ($this) {
            self::All => $good === $all,
            self::Quorum => 2 * $good > $all,
            self::Any => $good > 0 || $all === 0,
        };
    }
}
