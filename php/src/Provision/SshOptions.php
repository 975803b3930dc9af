<?php

namespace Aegir\Scale\Provision;

/** Drush's option ssh-options: what it says of a connection, in the keys of a topology's server. */
final class SshOptions
{
    /** How the extension keeps connections anyway, or what matters to people at a terminal only. */
    private const HARMLESS = ['batchmode', 'compression', 'connectionattempts', 'controlmaster', 'controlpath', 'controlpersist', 'escapechar',
        'forwardagent', 'forwardx11', 'gssapiauthentication', 'hashknownhosts', 'identitiesonly', 'kbdinteractiveauthentication', 'loglevel',
        'numberofpasswordprompts', 'passwordauthentication', 'preferredauthentications', 'pubkeyauthentication', 'requesttty',
        'serveralivecountmax', 'serveraliveinterval', 'tcpkeepalive', 'visualhostkey'];

    private const KEYS = ['port' => 'port', 'identityfile' => 'identity', 'user' => 'user', 'userknownhostsfile' => 'known_hosts',
        'connecttimeout' => 'connect_timeout'];

    private const FLAGS = ['p' => 'port', 'i' => 'identity', 'l' => 'user'];

    /**
     * @return array<string, int|string>
     * @throws NoMapping for an option whose meaning the extension does not have
     */
    public static function read(string $text): array
    {
        $keys = [];
        $words = self::words($text);
        while (($word = array_shift($words)) !== null) {
            if (preg_match('/^-[aCknqTtvx]+$/', $word) === 1) {
                continue;
            }
            if (preg_match('/^-([pilo])(.*)$/s', $word, $flag) !== 1) {
                throw new NoMapping("ssh's $word");
            }
            $value = $flag[2] !== '' ? $flag[2] : array_shift($words) ?? '';
            $new = $flag[1] === 'o' ? self::directive($value) : [self::FLAGS[$flag[1]] => $value];
            if (isset($new['identity'], $keys['identity'])) {
                throw new NoMapping('several keys in ssh-options');
            }
            // The first one counts, with ssh.
            $keys += $new;
        }

        return self::checked($keys);
    }

    /**
     * The same where there is no other way to go: nothing if an option has no meaning here.
     *
     * @return array<string, int|string>
     */
    public static function known(string $text): array
    {
        try {
            return self::read($text);
        } catch (NoMapping) {
            return [];
        }
    }

    /** @return array<string, string> */
    private static function directive(string $text): array
    {
        [$name, $value] = preg_split('/\s*=\s*|\s+/', trim($text), 2) + [1 => ''];
        $name = strtolower($name);
        if (in_array($name, self::HARMLESS, true) || ($name === 'stricthostkeychecking' && in_array(strtolower($value), ['yes', 'ask'], true))) {
            return [];
        }
        if (!isset(self::KEYS[$name]) || $value === '') {
            throw new NoMapping("ssh's -o $text");
        }

        return [self::KEYS[$name] => $value];
    }

    /**
     * @param array<string, string> $keys
     * @return array<string, int|string>
     */
    private static function checked(array $keys): array
    {
        foreach (['port', 'connect_timeout'] as $number) {
            if (isset($keys[$number])) {
                if (!ctype_digit($keys[$number])) {
                    throw new NoMapping("ssh's $number \"$keys[$number]\"");
                }
                $keys[$number] = (int) $keys[$number];
            }
        }
        foreach (['identity', 'known_hosts', 'user'] as $name) {
            // %h and the like, and lists of files, are ssh's own business.
            if (isset($keys[$name]) && (preg_match('/[%\s$]/', $keys[$name]) === 1 || $keys[$name] === '')) {
                throw new NoMapping("ssh's $name \"$keys[$name]\"");
            }
        }
        ksort($keys);

        return $keys;
    }

    /** @return list<string> */
    private static function words(string $text): array
    {
        if (preg_match('/[\\\\`$\']/', $text) === 1) {
            throw new NoMapping('a quoting in ssh-options');
        }
        preg_match_all('/(?:[^\s"]|"[^"]*")+/', $text, $found);

        return array_map(static fn (string $word): string => str_replace('"', '', $word), $found[0]);
    }
}
