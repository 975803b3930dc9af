<?php

namespace Aegir\Scale\Provision;

/**
 * What Drush's options for rsync mean, in the extension's words: taken when Aegir asks for a push, used when it is made.
 *
 * Drush's patterns have no anchor: "sites/*" is meant for the platform's sites, and would also leave out vendor/x/sites. They are anchored here,
 * to the platform or the site that is pushed.
 */
final readonly class SyncOptions
{
    /** What Drush leaves out of every copy unless include-vcs is set. */
    public const VCS = ['.git', '.gitignore', '.hg', '.hgignore', '.hgrags', '.bzr', '.bzrignore', '.bzrtags', '.svn'];

    /** What the extension does in any case, or what changes nothing on a server. */
    private const HARMLESS = ['archive', 'recursive', 'links', 'perms', 'times', 'group', 'owner', 'devices', 'specials', 'delete-after',
        'delete-before', 'delete-delay', 'delete-during', 'del', 'delay-updates', 'partial', 'whole-file', 'no-whole-file', 'quiet', 'verbose', 'stats', 'progress',
        'human-readable', 'itemize-changes', 'protect-args', 'secluded-args', 'include-conf'];

    private const FLAGS = ['keep-dirlinks', 'copy-dirlinks', 'omit-dir-times', 'checksum', 'update', 'numeric-ids', 'hard-links', 'relative'];

    private const LETTERS = ['k' => 'copy_dirlinks', 'K' => 'keep_dirlinks', 'O' => 'omit_dir_times', 'c' => 'checksum', 'u' => 'update',
        'H' => 'hard_links', 'R' => 'relative'];

    /**
     * @param array<string, mixed> $engine options of cluster_sync()
     * @param array<string, int|string> $connection keys of a topology's server
     * @param bool $isDirectoryOnly the caller excluded all that the path holds: it wants the directory to be there
     */
    public function __construct(public array $engine, public array $connection = [], public bool $isDirectoryOnly = false)
    {
    }

    /**
     * @param array<string, mixed> $options as given to drush_core_call_rsync()
     * @param string $path what is pushed
     * @param string|null $root the Drupal root that the path holds or lies in
     * @throws NoMapping
     */
    public static function fromDrush(array $options, string $path, ?string $root, Aegir $aegir): self
    {
        $connection = SshOptions::read((string) ($options['ssh-options'] ?? $aegir->option('ssh-options', '')));
        $rules = [];
        if (!array_key_exists('include-vcs', $options) && !$aegir->option('include-vcs', false)) {
            $rules = array_map(static fn (string $name): string => "- $name", self::VCS);
        }
        foreach (['include-paths' => '+', 'exclude-paths' => '-'] as $name => $sign) {
            foreach (array_filter(explode(':', (string) $aegir->option($name, '')), strlen(...)) as $pattern) {
                array_push($rules, ...self::anchored($sign, $pattern, $path, $root));
            }
        }
        if (array_key_exists('exclude-conf', $options) || $aegir->option('exclude-conf', false)) {
            $rules[] = '- settings.php';
        }
        if (array_key_exists('exclude-sites', $options) || $aegir->option('exclude-sites', false)) {
            $sites = ($root !== null && self::isBelow($root, $path) ? $root : rtrim($path, '/')) . '/sites';
            array_push($rules, '+ ' . self::pattern($sites, '/all'), '- ' . self::pattern($sites, '/*'));
        }
        $mode = $options['mode'] ?? $aegir->option('mode', false);
        $engine = self::mode(is_string($mode) && $mode !== '' ? $mode : 'akz');
        foreach (['include-vcs', 'include-paths', 'exclude-paths', 'include-files-processed', 'exclude-files-processed', 'exclude-conf',
            'exclude-sites', 'mode', 'ssh-options'] as $done) {
            unset($options[$done]);
        }
        // Stock writes --no-delete beside it, which no rsync knows.
        $engine['delete'] = ($options['delete'] ?? false) === true && !($options['no-delete'] ?? false);
        unset($options['delete'], $options['no-delete']);
        $isDirectoryOnly = ($options['exclude'] ?? null) === rtrim($path, '/') . '/*';

        foreach ($options as $name => $value) {
            if ($value !== null && !is_array($value)) {
                self::take((string) $name, $value, $engine, $rules);
            }
        }
        $engine['filter'] = $rules;

        return new self($engine, $connection, $isDirectoryOnly);
    }

    /** Equal for options that mean the same. */
    public function key(): string
    {
        return serialize([$this->engine, $this->connection, $this->isDirectoryOnly]);
    }

    /** A pattern for what lies in a directory of that very name. */
    public static function pattern(string $dir, string $rest): string
    {
        return (strpbrk($dir . $rest, '*?[') === false ? $dir : addcslashes($dir, '\\*?[')) . $rest;
    }

    public static function isBelow(string $path, string $dir): bool
    {
        return str_starts_with(rtrim($path, '/') . '/', rtrim($dir, '/') . '/');
    }

    /**
     * @param array<string, mixed> $engine
     * @param list<string> $rules
     */
    private static function take(string $name, mixed $value, array &$engine, array &$rules): void
    {
        if (in_array($name, self::FLAGS, true) && is_bool($value)) {
            $engine[strtr($name, '-', '_')] = $value;
        } elseif (in_array($name, self::HARMLESS, true) && $value === true) {
            return;
        } elseif ($value === true || $value === false) {
            $engine = self::flag($name, $value) + $engine;
        } elseif (in_array($name, ['include', 'exclude', 'filter'], true)) {
            $rules[] = self::rule($name, (string) $value);
        } else {
            $engine = self::value($name, (string) $value) + $engine;
        }
    }

    /** @return array<string, mixed> */
    private static function flag(string $name, bool $value): array
    {
        return match (true) {
            $name === 'compress' && $value => ['compress' => 'auto'],
            $name === 'no-compress' && $value => ['compress' => 'none'],
            default => throw new NoMapping("rsync's --$name" . ($value ? '' : '=')),
        };
    }

    /** @return array<string, mixed> */
    private static function value(string $name, string $value): array
    {
        $number = ctype_digit($value) && strlen($value) < 7 ? (int) $value : 0;

        return match (true) {
            $name === 'compress-level' => [],
            $name === 'compress-choice' && in_array($value, ['auto', 'none', 'zstd', 'lz4', 'zlib'], true) => ['compress' => $value],
            $name === 'bwlimit' && $number > 0 => ['bwlimit' => $number],
            $name === 'timeout' && $number > 0 && $number <= 86400 => ['timeout' => $number],
            $name === 'contimeout' && $number > 0 && $number <= 86400 => ['connect_timeout' => $number],
            $name === 'chmod' => ['chmod' => [$value]],
            $name === 'link-dest' => ['link_dest' => [$value]],
            $name === 'max-delete' && ($number > 0 || $value === '0') => ['max_delete' => $number],
            default => throw new NoMapping("rsync's --$name=$value"),
        };
    }

    /** rsync reads "- x" and "!" in an --exclude as rules of their own. */
    private static function rule(string $name, string $pattern): string
    {
        if ($pattern === '' || $pattern === '!' || str_contains($pattern, "\n") || ($name !== 'filter' && preg_match('/^[-+] /', $pattern) === 1)) {
            throw new NoMapping("rsync's --$name=$pattern");
        }

        return match ($name) {
            'include' => "+ $pattern",
            'exclude' => "- $pattern",
            default => $pattern,
        };
    }

    /** @return array<string, mixed> */
    private static function mode(string $letters): array
    {
        $engine = ['copy_dirlinks' => false, 'compress' => 'none'];
        if (!str_contains($letters, 'a')) {
            throw new NoMapping("rsync's -$letters");
        }
        foreach (str_split($letters) as $letter) {
            if (isset(self::LETTERS[$letter])) {
                $engine[self::LETTERS[$letter]] = true;
            } elseif ($letter === 'z') {
                $engine['compress'] = 'auto';
            } elseif (!str_contains('arlptgoDvqhPW', $letter)) {
                throw new NoMapping("rsync's -$letter");
            }
        }

        return $engine;
    }

    /**
     * files/* and private/* mean a site's uploads.
     *
     * @return list<string>
     */
    private static function anchored(string $sign, string $pattern, string $path, ?string $root): array
    {
        if (!in_array($pattern, ['files/*', 'private/*'], true)) {
            return [self::rule($sign === '+' ? 'include' : 'exclude', $pattern)];
        }
        if (preg_match('~^.*/sites/[^/]+(?=/|$)~', $path, $site) === 1) {
            return ["$sign " . self::pattern($site[0], "/$pattern")];
        }

        return ["$sign " . self::pattern($root !== null && self::isBelow($root, $path) ? $root : rtrim($path, '/'), "/sites/*/$pattern")];
    }
}
