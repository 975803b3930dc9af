<?php

namespace Aegir\Scale\Provision;

use Aegir\Scale\Report\Text;

/**
 * What may be removed on servers because it is missing on this machine.
 *
 * A missing path is an order to remove it only when all around it is as it was: a file system of this machine that is not mounted must not
 * empty the servers.
 */
final class Removal
{
    /** The option of a task that says: where things lie now is where they should lie. */
    public const MOVED = 'scale_moved';
    private const DRUPAL = 'index.php';

    private readonly string $records;
    /** The root of the platform that this command deletes. */
    private ?string $goingPlatform = null;

    /** @param string $state a directory of ours below Aegir's own, as /var/aegir/config/scale */
    public function __construct(
        private readonly Aegir $aegir,
        private readonly string $state,
        private readonly Mounts $mounts = new Mounts(),
    ) {
        $this->records = "$state/devices.json";
    }

    /** provision-delete of a platform says so before it begins. */
    public function platformIsGoing(string $root): void
    {
        // One that is missing already may lie on a file system that is not mounted.
        $this->goingPlatform = is_dir($root) ? $root : null;
    }

    /** After it: what is made under that name next is another one. */
    public function platformIsGone(): void
    {
        $known = $this->records();
        if ($this->goingPlatform !== null && !file_exists($this->goingPlatform) && isset($known[$this->goingPlatform])) {
            unset($known[$this->goingPlatform]);
            $this->write($known);
        }
    }

    /** Null when the path, which is missing here, may be removed on servers; else one sentence. */
    public function allowed(string $path): ?string
    {
        $path = self::withoutSlash($path);
        $bad = self::malformed($path);
        if ($bad !== null) {
            return $bad;
        }
        if (file_exists($path) || is_link($path)) {
            return self::no($path, 'it is still there on this machine');
        }
        $holder = $this->holds($path);
        if ($holder !== null) {
            return self::no($path, "$holder belongs to Aegir and would go with it");
        }
        if ($this->goingPlatform !== null && SyncOptions::isBelow($path, $this->goingPlatform) && !file_exists($this->goingPlatform)) {
            return $this->guardHomeOf($this->goingPlatform);
        }
        foreach ($this->innermostFirst($this->aegir->platformRoots()) as $root) {
            if ($path === $root) {
                return $this->guard($path) ?? self::no($path, 'only provision-delete removes a platform');
            }
            if (str_starts_with($path, "$root/")) {
                return $this->guard($path) ?? $this->allowedInPlatform($path, substr($path, strlen($root) + 1));
            }
        }
        $config = $this->config();
        if (preg_match('{^' . preg_quote($config, '{') . '/server_[^/]+/.}s', $path) === 1) {
            return $this->guard($path) ?? (is_dir($config . '/' . explode('/', substr($path, strlen($config) + 1))[0])
                ? null
                : self::no($path, 'the configuration of the whole server is missing here'));
        }

        return self::no($path, 'it is none of Aegir\'s sites, platforms or configuration files');
    }

    /**
     * Null when what holds the path is as it was; else one sentence. For pushes as well: an empty directory where a file system was mounted
     * must not be pushed.
     */
    public function guard(string $path): ?string
    {
        $path = self::withoutSlash($path);
        foreach ($this->bases($path) as $base) {
            $bad = $this->looksUnmounted($base);
            if ($bad !== null) {
                return $bad;
            }
        }

        return null;
    }

    /** Remembers on which file systems lies what holds the path; to be called when a task has gone well. */
    public function remember(string $path): void
    {
        $known = $this->records();
        $now = $known;
        foreach ($this->bases(self::withoutSlash($path)) as $base) {
            $identity = $this->looksUnmounted($base) === null ? $this->mounts->identity($this->real($base)) : null;
            if ($identity !== null) {
                $now[$base] = [
                    'mount' => $identity,
                    'below' => $this->mountedIn($base),
                    'drupal' => is_file("$base/" . self::DRUPAL),
                ];
            }
        }
        if ($now !== $known) {
            $this->write($now);
        }
    }

    /** @param array<string, array{mount: string, below: array<string, string>, drupal: bool}> $records */
    private function write(array $records): void
    {
        if (!is_dir($this->state)) {
            @mkdir($this->state, 0700);
        }
        $new = "$this->records." . getmypid();
        if (@file_put_contents($new, Text::json((object) $records) . "\n") === false || !@rename($new, $this->records)) {
            @unlink($new);
            $this->aegir->log(Text::clean("$this->records cannot be written: that a file system is not the one it was would not be seen"), 'warning');
        }
    }

    private function allowedInPlatform(string $path, string $below): ?string
    {
        $parts = explode('/', $below);
        if ($parts[0] !== 'sites' || !isset($parts[1])) {
            return self::no($path, 'of a platform only what lies in its sites directory may go');
        }
        if ($below === 'sites/sites.php') {
            return null;
        }
        $site = $this->aegir->sitePath();
        if ($site !== null && ($path === $site || str_starts_with($path, "$site/"))) {
            return is_dir($site) && preg_match('{^(files|private)(/|$)}', substr($path, strlen($site) + 1)) === 1 && basename($path) !== '.htaccess'
                ? self::no($path, 'uploads go with their site only')
                : null;
        }

        return self::no($path, $site === null ? 'no site is being worked on' : "the task is about $site");
    }

    /**
     * @param list<string> $roots
     * @return list<string>
     */
    private function innermostFirst(array $roots): array
    {
        usort($roots, static fn (string $a, string $b): int => strlen($b) <=> strlen($a));

        return $roots;
    }

    /** What of Aegir lies at the path or below it, apart from what is about to go. */
    private function holds(string $path): ?string
    {
        $precious = [$this->aegir->root(), $this->config(), $this->platforms(), ...$this->aegir->platformRoots()];
        foreach ($precious as $held) {
            $isOwn = $held === $path && in_array($path, $this->aegir->platformRoots(), true);
            if (!$isOwn && ($held === $path || str_starts_with($held, "$path/"))) {
                return $held;
            }
        }

        return null;
    }

    /** A platform that was deleted here: what it lay in must still be there. Composer's directory around a web root goes with it. */
    private function guardHomeOf(string $root): ?string
    {
        $home = is_dir(dirname($root)) ? dirname($root) : dirname($root, 2);
        $was = $this->records()[$root]['mount'] ?? null;
        $is = is_dir($home) ? $this->mounts->identity($this->real($home)) : null;
        if ($is === null || ($was !== null && $was !== $is)) {
            return self::unmounted($home, $was, $is);
        }

        return $home === $this->platforms() ? $this->looksUnmounted($home, mayBeEmpty: true) : null;
    }

    /**
     * The directories that a path depends on, outermost first.
     *
     * @return list<string>
     */
    private function bases(string $path): array
    {
        $bases = [];
        $current = $this->aegir->platformRoot();
        foreach ([$this->config(), $this->platforms(), ...$this->aegir->platformRoots()] as $base) {
            // A platform that composer made is pushed with the directory that its web root lies in.
            if ($path === $base || str_starts_with($path, "$base/") || ($base === $current && str_starts_with($base, "$path/"))) {
                $bases[] = $base;
            }
        }
        usort($bases, static fn (string $a, string $b): int => strlen($a) <=> strlen($b));

        return array_values(array_unique($bases));
    }

    private function looksUnmounted(string $base, bool $mayBeEmpty = false): ?string
    {
        $entries = @scandir($base);
        $was = $this->records()[$base]['mount'] ?? null;
        $is = $entries === false ? null : $this->mounts->identity($this->real($base));
        if ($entries === false) {
            return "$base is missing on this machine, although Aegir has it" . self::remedy();
        }
        $isMoved = (bool) $this->aegir->option(self::MOVED, false);
        if ($was !== null && $is !== null && $was !== $is && !$isMoved) {
            return self::unmounted($base, $was, $is);
        }
        foreach (array_diff_assoc($isMoved || !$this->isPlatform($base) ? [] : $this->records()[$base]['below'] ?? [], $this->mountedIn($base)) as $point => $was) {
            return self::unmounted($point, $was, $this->mounts->identity($point));
        }
        // Our own state directory is made by the first task, whether or not the file system is there.
        $isEmpty = array_diff($entries, ['.', '..', 'lost+found', basename($this->state)]) === [];

        if ($isEmpty && !$mayBeEmpty) {
            return "$base is empty on this machine, although Aegir has files there" . self::remedy();
        }

        // Provision writes settings of sites into an empty platform, too, and it is not empty any more.
        return !$isMoved && ($this->records()[$base]['drupal'] ?? false) && !is_file("$base/" . self::DRUPAL)
            ? "$base has no " . self::DRUPAL . ' any more, which it had when it was pushed last' . self::remedy() . self::moved()
            : null;
    }

    private function isPlatform(string $base): bool
    {
        return in_array($base, $this->aegir->platformRoots(), true);
    }

    /**
     * What is mounted in a platform, but for uploads: a push deletes none of these.
     *
     * @return array<string, string>
     */
    private function mountedIn(string $base): array
    {
        return $this->isPlatform($base) ? array_filter(
            $this->mounts->below($this->real($base)),
            static fn (string $point): bool => preg_match('{/sites/[^/]+/(files|private)(/|$)}', $point) !== 1,
            ARRAY_FILTER_USE_KEY,
        ) : [];
    }

    private static function unmounted(string $base, ?string $was, ?string $is): string
    {
        return Text::clean("$base lay on the file system \"$was\" and is on \"$is\" now") . self::remedy() . self::moved();
    }

    private static function moved(): string
    {
        return '. If that is as it should be, run it once with --' . self::MOVED;
    }

    private static function remedy(): string
    {
        return ': is a file system not mounted? Nothing is changed on the servers; mount it and run the task again';
    }

    /** @return array<string, array{mount: string, below: array<string, string>, drupal: bool}> by path */
    private function records(): array
    {
        $known = json_decode((string) @file_get_contents($this->records), true);

        return is_array($known)
            ? array_filter($known, static fn (mixed $of): bool => is_array($of) && is_string($of['mount'] ?? null)
                && is_array($of['below'] ?? null) && array_filter($of['below'], is_string(...)) === $of['below'] && is_bool($of['drupal'] ?? null))
            : [];
    }

    private function real(string $path): string
    {
        return realpath($path) ?: $path;
    }

    private function config(): string
    {
        return $this->aegir->root() . '/config';
    }

    private function platforms(): string
    {
        return $this->aegir->root() . '/platforms';
    }

    private static function no(string $path, string $why): string
    {
        return Text::clean("$path is not removed on the servers: $why");
    }

    private static function malformed(string $path): ?string
    {
        $isFine = preg_match('{^(/[^/\x00-\x1f]+)+$}D', $path) === 1 && preg_match('{/\.\.?(/|$)}D', $path) !== 1;

        return $isFine ? null : Text::clean("\"$path\" is not removed on the servers: want an absolute path without . and ..");
    }

    private static function withoutSlash(string $path): string
    {
        return strlen($path) > 1 ? rtrim($path, '/') : $path;
    }
}
