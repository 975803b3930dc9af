<?php

namespace Aegir\Scale\Provision;

/** The command that tests a web server's configuration before it is loaded. */
final class ConfigTest
{
    /** From the restart command, so that sudo lets it pass as it does that one; "" when none can be told. */
    public static function of(string $restart): string
    {
        if (preg_match('~^((?:\S+\s+)*\S*\b(?:apache2ctl|apachectl|httpd|apache2))\s+(?:-k\s+)?(?:graceful|restart|reload)$~', trim($restart), $found) === 1) {
            return preg_match('~\b(httpd|apache2)$~', $found[1]) === 1 && !str_contains($found[1], 'init.d') ? "$found[1] -t" : "$found[1] configtest";
        }
        if (preg_match('~^((?:\S+\s+)*\S*/init\.d/nginx)\s+(?:reload|restart)$~', trim($restart), $found) === 1) {
            return "$found[1] configtest";
        }
        if (preg_match('~^((?:\S+\s+)*(?:\S*/)?nginx)\s+-s\s+reload$~', trim($restart), $found) === 1) {
            return "$found[1] -t";
        }

        return '';
    }

    /**
     * The test itself could not be made, as when sudo does not allow it: that says nothing of the configuration.
     *
     * @param array<string, mixed> $ran a RunResult's JSON form
     */
    public static function wasNotMade(array $ran): bool
    {
        return $ran['exitStatus'] !== null && (in_array($ran['exitStatus'], [126, 127], true)
            || preg_match('/^(sudo: |Sorry, user |.*\bis not in the sudoers file)/m', $ran['stderr']) === 1
            || preg_match('/^(\*\s*)?Usage: /mi', $ran['stdout'] . "\n" . $ran['stderr']) === 1);
    }
}
