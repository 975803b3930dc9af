<?php

namespace Aegir\Scale\Provision;

use Aegir\Scale\Command\Engine;
use Aegir\Scale\Topology;

/**
 * Aegir's servers, as the extension wants them.
 *
 * The topology is made from Aegir's server aliases. The file of state()/topology.yml or of the environment variable
 * AEGIR_SCALE_TOPOLOGY may add what Aegir does not know of a server: the keys of its entry under "servers" that has the alias
 * without "@" as its name.
 */
final class Fleet
{
    /** The one group of a topology made here. */
    public const GROUP = 'aegir';

    private const KEYS = ['port', 'identity', 'known_hosts', 'root', 'transport', 'connect_timeout', 'timeout', 'admin'];

    /** @var array<string, Topology> */
    private array $topologies = [];

    /** @var array<string, mixed>|null the file, normalised; empty when there is none */
    private ?array $file = null;

    public function __construct(private readonly Aegir $aegir, private readonly Engine $engine = new Engine())
    {
    }

    /**
     * One group, GROUP, of these servers; each is called by its name().
     *
     * @param list<Server> $servers
     * @param array<string, int|string>|null $connection keys that hold for all of them; null: those of Drush's ssh-options
     * @return Topology
     */
    public function topology(array $servers, ?array $connection = null): object
    {
        $connection ??= SshOptions::known((string) $this->aegir->option('ssh-options', ''));
        $key = serialize([$servers, $connection]);
        if (!isset($this->topologies[$key])) {
            $entries = [];
            foreach ($servers as $server) {
                $known = array_intersect_key($this->file()['servers'][$server->name()] ?? [], array_flip(self::KEYS));
                $entries[$server->name()] = $connection + ['host' => $server->host, 'user' => $server->user]
                    + array_filter($known, static fn (mixed $value): bool => $value !== null && $value !== '');
            }
            $this->topologies[$key] = $this->engine->topologyOf([
                'version' => 1,
                'servers' => $entries,
                'clusters' => [self::GROUP => ['servers' => array_keys($entries)]],
            ]);
        }

        return $this->topologies[$key];
    }

    /** Where we keep what must outlive a task. The directory is made when it is missing, for Aegir's user only. */
    public function state(): string
    {
        $dir = $this->aegir->root() . '/config/scale';
        if (!is_dir($dir) && !@mkdir($dir, 0700, true) && !is_dir($dir)) {
            throw new \RuntimeException("cannot make the directory $dir");
        }

        return $dir;
    }

    /** What the file says of a cluster's uploads; null when it says nothing. */
    public function uploads(string $alias): ?Uploads
    {
        return Uploads::tryFrom((string) ($this->cluster($alias)['uploads'] ?? ''));
    }

    /** The directory of the cluster's storage, as the file says; "" when it says none. */
    public function shared(string $alias): string
    {
        $storage = $this->cluster($alias)['storage'] ?? '';

        return (string) ($this->file()['storage'][$storage]['path'] ?? '');
    }

    /** @return array<string, mixed> */
    private function cluster(string $alias): array
    {
        return $this->file()['clusters'][ltrim($alias, '@')] ?? [];
    }

    /** @return array<string, mixed> */
    private function file(): array
    {
        if ($this->file === null) {
            $named = getenv('AEGIR_SCALE_TOPOLOGY');
            $file = is_string($named) && $named !== '' ? $named : $this->aegir->root() . '/config/scale/topology.yml';
            $this->file = is_file($file) || $named ? $this->engine->topology($file)->toArray() : [];
        }

        return $this->file;
    }
}
