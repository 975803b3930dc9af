<?php

namespace Aegir\Scale\Provision;

/** What Aegir hosts, and where: read from its aliases. */
interface Hosting
{
    /** @return list<string> aliases of the clusters and packs that name this server */
    public function groupsOf(string $server): array;

    /** @return array<string, string> the root of each platform, by its alias, whose web server is this one */
    public function platforms(string $webServer): array;

    /** @return array<string, string> the directory of each site of a platform, by its alias */
    public function sites(string $platform): array;

    /** @return list<string> aliases of all web servers that platforms name */
    public function webServers(): array;

    /**
     * A command of Drush in a process of its own. True when it ended well.
     *
     * @param list<string> $arguments
     */
    public function invoke(string $alias, string $command, array $arguments = []): bool;
}
