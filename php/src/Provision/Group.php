<?php

namespace Aegir\Scale\Provision;

/** A web server of Aegir that stands for several: a cluster or a pack; or one remote server on its own. */
final readonly class Group
{
    /**
     * @param string $alias "@server_cluster"
     * @param list<Server> $servers those that get files: all of a cluster, the masters of a pack; none is local
     * @param list<Server> $slaves of a pack: they see the files of the masters, and get configuration only
     * @param string $shared the directory that holds uploads, of Uploads::Shared; the same path here and on all servers
     * @param bool $isOff its option scale is off: all of its servers are served the stock way
     */
    public function __construct(
        public string $alias,
        public bool $isPack,
        public array $servers,
        public array $slaves = [],
        public Policy $policy = Policy::All,
        public Uploads $uploads = Uploads::Gather,
        public string $shared = '',
        public bool $isOff = false,
    ) {
    }

    /** @return list<Server> */
    public function all(): array
    {
        return [...$this->servers, ...$this->slaves];
    }

    public function has(Server $server): bool
    {
        return in_array($server->alias, array_column($this->all(), 'alias'), true);
    }
}
