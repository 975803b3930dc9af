<?php

namespace Aegir\Scale\Provision;

/** Which processes this one comes from. What is in the environment may have come from one that has ended, by way of a daemon. */
final class Ancestry
{
    /** True when it is this process, or one above it. */
    public static function has(int $pid): bool
    {
        // [pid] ([name]) [state] [parent] ...
        for ($at = getmypid(), $depth = 0; $at > 0 && $depth < 1000; $depth++) {
            if ($at === $pid) {
                return true;
            }
            $stat = (string) @file_get_contents("/proc/$at/stat");
            $at = (int) (explode(' ', substr($stat, (int) strrpos($stat, ')')))[2] ?? 0);
        }

        return false;
    }
}
