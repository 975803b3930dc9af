<?php

namespace Aegir\Scale\Provision;

use Aegir\Scale\Command\Engine;
use Aegir\Scale\Command\UsageException;

/** The extension for a command that names a group by Aegir's alias: the topology is made of Aegir's own servers. */
final class AliasEngine extends Engine
{
    /** The commands that put files on servers or take them from there: of a pack they go to the masters. */
    private const ABOUT_FILES = ['sync', 'fetch', 'release-list', 'release-switch', 'release-prune'];

    private readonly Stale $stale;

    /** @param list<Server> $servers */
    private function __construct(private readonly array $servers, private readonly Fleet $fleet, Aegir $aegir)
    {
        $this->stale = new Stale($aegir, $fleet);
    }

    public static function of(string $alias, string $command, Aegir $aegir, Fleet $fleet): self
    {
        $group = $aegir->group($alias);
        $servers = match (true) {
            $group === null => [],
            in_array($command, self::ABOUT_FILES, true) => $group->servers,
            default => $group->all(),
        };
        if ($servers === []) {
            throw new UsageException("$alias is no web server, cluster or pack other than this machine");
        }

        return new self($servers, $fleet, $aegir);
    }

    public function topology(string $file): object
    {
        return $this->fleet->topology($this->servers);
    }

    public function missed(): array
    {
        $missed = [];
        foreach ($this->servers as $server) {
            $missed[$server->name()] = count($this->stale->of($server)) + (int) $this->stale->wantsRestart($server);
        }

        return array_filter($missed);
    }
}
