<?php

namespace Aegir\Scale\Provision;

/**
 * A platform without its sites, and one of its sites: one push instead of two. The tree is read once, and code and site are switched
 * together.
 *
 *   ROOT         - .git …  + ROOT/sites/all  - ROOT/sites/*
 *   ROOT/sites/x - ROOT/sites/x/files  - .git …
 *   both         - ROOT/sites/x/files  - .git …  + ROOT/sites/x  + ROOT/sites/all  - ROOT/sites/*
 */
final class Union
{
    /**
     * @param list<Push> $pushes of one server
     * @return array<string, SyncOptions> by the push's key, the options of those that become one
     */
    public static function of(array $pushes): array
    {
        $united = [];
        foreach ($pushes as $platform) {
            $rules = $platform->options->engine['filter'] ?? [];
            $sites = self::sites($rules);
            if ($sites === null || !SyncOptions::isBelow($sites, $platform->path)) {
                continue;
            }
            $base = array_slice($rules, 0, -2);
            $first = $within = [];
            foreach ($pushes as $site) {
                $own = self::ownRules($site, $platform, $sites, $base);
                if ($own !== null) {
                    array_push($first, ...$own);
                    $within[$site->key()] = '+ ' . SyncOptions::pattern($site->path, '');
                }
            }
            if ($within !== []) {
                $all = [...$first, ...$base, ...array_values(array_unique($within)), ...array_slice($rules, -2)];
                $engine = ['filter' => $all] + $platform->options->engine;
                $united += array_fill_keys([$platform->key(), ...array_keys($within)], new SyncOptions($engine, $platform->options->connection));
            }
        }

        return $united;
    }

    /**
     * The directory whose contents the last two rules leave out, but for "all".
     *
     * @param list<string> $rules
     */
    private static function sites(array $rules): ?string
    {
        [$all, $none] = array_slice($rules, -2) + ['', ''];

        return preg_match('~^- (/[^*?[\\\\]*/sites)/\*$~', $none, $found) === 1 && $all === "+ $found[1]/all" ? $found[1] : null;
    }

    /**
     * What a push has before the rules that both have; null when it is no site of the platform, or is pushed otherwise.
     *
     * @param list<string> $base
     * @return list<string>|null
     */
    private static function ownRules(Push $site, Push $platform, string $sites, array $base): ?array
    {
        [$a, $b] = [$site->options, $platform->options];
        $rules = $a->engine['filter'] ?? [];
        $own = array_slice($rules, 0, count($rules) - count($base));
        // The guard is the platform's: it looks at the whole tree.
        $isSame = array_diff_key($a->engine, ['filter' => 0, 'guard' => 0]) == array_diff_key($b->engine, ['filter' => 0, 'guard' => 0])
            && $a->connection === $b->connection && !$a->isDirectoryOnly && !$b->isDirectoryOnly;
        if (!$isSame || dirname($site->path) !== $sites || [...$own, ...$base] !== $rules) {
            return null;
        }
        foreach ($own as $rule) {
            if (!str_starts_with($rule, '- ' . SyncOptions::pattern($site->path, '/'))) {
                return null;
            }
        }

        return $own;
    }
}
