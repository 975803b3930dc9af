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

    /** Without doubled slashes and one at the end. */
    public static function plain(string $path): string
    {
        return rtrim(preg_replace('~/+~', '/', $path), '/') ?: '/';
    }
}
