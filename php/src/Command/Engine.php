<?php

namespace Aegir\Scale\Command;

use Aegir\Scale\Topology;

use function Aegir\Scale\cluster_fetch;
use function Aegir\Scale\cluster_run;
use function Aegir\Scale\cluster_status;
use function Aegir\Scale\cluster_sync;
use function Aegir\Scale\pool_stats;
use function Aegir\Scale\release_list;
use function Aegir\Scale\release_prune;
use function Aegir\Scale\release_switch;

/** The extension, as the commands see it. Tests put another in its place. */
class Engine
{
    public function isLoaded(): bool
    {
        return extension_loaded('aegir_scale');
    }

    /** @return Topology */
    public function topology(string $file): object
    {
        return Topology::fromFile($file);
    }

    /**
     * @param array<string, mixed> $spec the same keys
     * @return Topology
     */
    public function topologyOf(array $spec): object
    {
        return Topology::fromArray($spec);
    }

    /** @return list<\Aegir\Scale\Problem> */
    public function problems(string $file): array
    {
        return Topology::problems($file);
    }

    /**
     * @param list<string> $paths
     * @param array<string, mixed> $options
     */
    public function sync(object $t, string $group, array $paths, array $options, ?callable $progress = null): \JsonSerializable
    {
        return cluster_sync($t, $group, $paths, $options, $progress);
    }

    /**
     * @param list<string> $paths
     * @param array<string, mixed> $options
     */
    public function fetch(object $t, string $group, array $paths, array $options, ?callable $progress = null): \JsonSerializable
    {
        return cluster_fetch($t, $group, $paths, $options, $progress);
    }

    /**
     * @param list<string> $argv
     * @param array<string, mixed> $options
     */
    public function run(object $t, string $group, array $argv, array $options, ?callable $progress = null): \JsonSerializable
    {
        return cluster_run($t, $group, $argv, $options, $progress);
    }

    /**
     * @param list<string> $paths
     * @param array<string, mixed> $options
     */
    public function status(object $t, string $group, array $paths, array $options): \JsonSerializable
    {
        return cluster_status($t, $group, $paths, $options);
    }

    /** @param array<string, mixed> $options */
    public function releases(object $t, string $group, string $path, array $options): \JsonSerializable
    {
        return release_list($t, $group, $path, $options);
    }

    /** @param array<string, mixed> $options */
    public function switchRelease(object $t, string $group, string $path, string $id, array $options): \JsonSerializable
    {
        return release_switch($t, $group, $path, $id, $options);
    }

    /** @param array<string, mixed> $options */
    public function pruneReleases(object $t, string $group, string $path, int $keep, array $options): \JsonSerializable
    {
        return release_prune($t, $group, $path, $keep, $options);
    }

    /** @return list<array<string, mixed>> */
    public function sessions(): array
    {
        return pool_stats()['sessions'];
    }

    /**
     * What servers have missed while they were away, where somebody keeps account of that.
     *
     * @return array<string, positive-int> changes, by server
     */
    public function missed(): array
    {
        return [];
    }
}
