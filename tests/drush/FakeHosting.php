<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Provision\Hosting;

/** What Aegir hosts, as a test says. */
final class FakeHosting implements Hosting
{
    /** @var array<string, list<string>> servers by group */
    public array $groups = [];
    /** @var array<string, array<string, string>> roots by web server and platform */
    public array $platforms = [];
    /** @var array<string, array<string, string>> directories by platform and site */
    public array $sites = [];
    /** @var list<string> "@alias command arguments" */
    public array $invoked = [];
    /** @var list<string> of these, those that fail */
    public array $failing = [];

    public function groupsOf(string $server): array
    {
        return array_keys(array_filter($this->groups, static fn (array $servers): bool => in_array($server, $servers, true)));
    }

    public function platforms(string $webServer): array
    {
        return $this->platforms[$webServer] ?? [];
    }

    public function sites(string $platform): array
    {
        return $this->sites[$platform] ?? [];
    }

    public function webServers(): array
    {
        return array_keys($this->platforms);
    }

    public function invoke(string $alias, string $command, array $arguments = []): bool
    {
        $this->invoked[] = $call = implode(' ', [$alias, $command, ...$arguments]);

        return !in_array($call, $this->failing, true);
    }
}
