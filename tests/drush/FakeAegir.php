<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Provision\Aegir;
use Aegir\Scale\Provision\Group;
use Aegir\Scale\Provision\Server;

/** A Drush and a Provision that say what they are told to, and remember what they are told. */
final class FakeAegir implements Aegir
{
    /** @var list<array{string, string}> type and message */
    public array $log = [];
    /** @var list<array{string, string}> code and message */
    public array $failures = [];
    /** @var array<string, mixed> */
    public array $options = [];
    /** @var list<string> */
    public array $output = [];
    public bool $isSimulated = false;
    /** @var array<string, Server> */
    public array $servers = [];
    /** @var array<string, Group> */
    public array $groups = [];
    public ?Group $currentGroup = null;
    public ?string $sitePath = null;
    public ?string $platformRoot = null;
    /** @var list<string> */
    public array $platformRoots = [];
    /** @var list<callable(): void> */
    public array $watchers = [];

    public function __construct(public string $root = '/var/aegir')
    {
    }

    public function log(string $message, string $type = 'info'): void
    {
        $this->log[] = [$type, $message];
    }

    public function fail(string $code, string $message): void
    {
        $this->failures[] = [$code, $message];
    }

    public function option(string $name, mixed $default = null): mixed
    {
        return $this->options[$name] ?? $default;
    }

    public function output(array $lines): void
    {
        $this->output = $lines;
    }

    public function watch(callable $flush): void
    {
        $this->watchers[] = $flush;
    }

    public function isSimulated(): bool
    {
        return $this->isSimulated;
    }

    public function root(): string
    {
        return $this->root;
    }

    public function server(string $alias): ?Server
    {
        return $this->servers[$alias] ?? null;
    }

    public function group(string $alias): ?Group
    {
        return $this->groups[$alias] ?? null;
    }

    public function currentGroup(): ?Group
    {
        return $this->currentGroup;
    }

    public function sitePath(): ?string
    {
        return $this->sitePath;
    }

    public function platformRoot(): ?string
    {
        return $this->platformRoot;
    }

    public function siteIsPlatform(): bool
    {
        return false;
    }

    public function platformRoots(): array
    {
        return $this->platformRoots;
    }

    /**
     * The messages of one type.
     *
     * @return list<string>
     */
    public function told(string $type): array
    {
        return array_values(array_map(static fn (array $l): string => $l[1], array_filter($this->log, static fn (array $l): bool => $l[0] === $type)));
    }
}
