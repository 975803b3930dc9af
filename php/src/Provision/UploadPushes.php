<?php

namespace Aegir\Scale\Provision;

/**
 * A push that holds uploads of sites, as two: all else, as it was asked for; and the uploads, which never replace what is newer on a server
 * and delete nothing there.
 */
final class UploadPushes
{
    private const NAMES = ['files', 'private'];

    /**
     * What is to be pushed instead of $push; nothing when it is about uploads that are shared.
     *
     * @param string|null $root the Drupal root that the task is about
     * @return list<Push>
     */
    public static function of(Push $push, ?string $root, Uploads $mode): array
    {
        if ($root === null) {
            return [$push];
        }
        $root = rtrim($root, '/');
        $site = self::site($push->path, $root);
        if ($site !== null && self::covers($push->path, $site)) {
            return $mode === Uploads::Shared ? [] : [self::with($push, [], ['delete' => false, 'update' => true])];
        }
        $sites = match (true) {
            $site !== null => $push->path === $site ? [$site] : [],
            SyncOptions::isBelow($root, $push->path) && !self::leavesSitesOut($push, $root) => self::sitesOf($root),
            default => [],
        };
        if ($sites === [] || self::leavesUploadsOut($push, $sites[0])) {
            return [$push];
        }
        $uploads = array_merge(...array_map(self::paths(...), $sites));
        $pushes = [self::with($push, array_map(static fn (string $path): string => "- $path", $uploads))];
        if ($mode !== Uploads::Shared) {
            $pushes[] = self::with($push, [], ['delete' => false, 'update' => true], self::only($push->path, $uploads));
        }

        return $pushes;
    }

    /**
     * Patterns for the uploads of one site.
     *
     * @return list<string>
     */
    public static function paths(string $sitePath): array
    {
        return array_map(static fn (string $name): string => SyncOptions::pattern(rtrim($sitePath, '/'), "/$name"), self::NAMES);
    }

    /** Is the path one of the two directories of the site, or below one? */
    public static function covers(string $path, string $sitePath): bool
    {
        foreach (self::NAMES as $name) {
            if (SyncOptions::isBelow($path, "$sitePath/$name")) {
                return true;
            }
        }

        return false;
    }

    /** The directory of the site that the path is or lies in. */
    private static function site(string $path, string $root): ?string
    {
        $isSite = preg_match('{^' . preg_quote("$root/sites/", '{') . '([^/]+)(/|$)}', $path, $m) === 1 && !in_array($m[1], ['all', 'sites.php'], true);

        // A link is another name of a site.
        return $isSite && !is_link("$root/sites/$m[1]") ? "$root/sites/$m[1]" : null;
    }

    /** @return list<string> */
    private static function sitesOf(string $root): array
    {
        $sites = [];
        foreach (@scandir("$root/sites") ?: [] as $name) {
            if ($name[0] !== '.' && $name !== 'all' && is_dir("$root/sites/$name") && !is_link("$root/sites/$name")) {
                $sites[] = "$root/sites/$name";
            }
        }

        return $sites;
    }

    private static function leavesSitesOut(Push $push, string $root): bool
    {
        return in_array('- ' . SyncOptions::pattern("$root/sites", '/*'), $push->options->engine['filter'] ?? [], true);
    }

    private static function leavesUploadsOut(Push $push, string $site): bool
    {
        return $push->options->isDirectoryOnly
            || in_array('- ' . SyncOptions::pattern($site, '/files/*'), $push->options->engine['filter'] ?? [], true);
    }

    /**
     * Rules that let nothing of a path pass but these directories below it, and the way to them.
     *
     * @param list<string> $uploads
     * @return list<string>
     */
    private static function only(string $path, array $uploads): array
    {
        $rules = [];
        foreach ($uploads as $upload) {
            for ($way = $upload; strlen($way) > strlen(SyncOptions::pattern($path, '')); $way = dirname($way)) {
                $rules[$way] = "+ $way/";
            }
            $rules["$upload/**"] = "+ $upload/**";
        }

        return [...array_values($rules), '- ' . SyncOptions::pattern($path, '/**')];
    }

    /**
     * @param list<string> $first rules that are asked before those of the push
     * @param array<string, mixed> $engine
     * @param list<string> $last
     */
    private static function with(Push $push, array $first, array $engine = [], array $last = []): Push
    {
        $engine += $push->options->engine;
        $engine['filter'] = [...$first, ...$engine['filter'] ?? [], ...$last];

        return new Push($push->server, $push->path, new SyncOptions($engine, $push->options->connection, $push->options->isDirectoryOnly));
    }
}
