<?php

namespace Aegir\Scale\Provision;

/** A path that a server is to have as it is on this machine when the push is made: or not to have, if it is gone here then. */
final readonly class Push
{
    public string $path;

    /** @param bool $wasRemoved an earlier task, which was allowed to, removed the path here and could not on the server */
    public function __construct(public Server $server, string $path, public SyncOptions $options, public bool $wasRemoved = false)
    {
        $this->path = self::plain($path);
    }

    /** Equal for pushes of which one is enough. */
    public function key(): string
    {
        return $this->server->name() . "\0" . $this->path . "\0" . $this->options->key();
    }

    /**
     * Is it missing on this machine? Not what cannot be seen, as in a directory that cannot be read: the push of that fails, and nothing is
     * removed because of it.
     */
    public function isGone(): bool
    {
        return self::isMissing($this->path);
    }

    private static function isMissing(string $path): bool
    {
        if ($path === '/' || is_link($path) || file_exists($path)) {
            return false;
        }
        $names = @scandir(dirname($path));

        return $names === false ? self::isMissing(dirname($path)) : !in_array(basename($path), $names, true);
    }

    /** Without doubled slashes and one at the end. */
    public static function plain(string $path): string
    {
        return rtrim(preg_replace('~/+~', '/', $path), '/') ?: '/';
    }
}
