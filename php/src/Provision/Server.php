<?php

namespace Aegir\Scale\Provision;

/** A web server as Aegir's alias describes it. */
final readonly class Server
{
    public function __construct(
        /** "@server_web1" */
        public string $alias,
        public string $host,
        public string $user,
        /** Its http_restart_cmd, "" when it has none. */
        public string $restart = '',
        /** The command that tests the configuration before a reload, "" for none. */
        public string $test = '',
        /** This machine: nothing is copied to it, commands run here. */
        public bool $isLocal = false,
        /** Its option scale is off: it is served the stock way. */
        public bool $isOff = false,
    ) {
    }

    /** What it is called in a topology. */
    public function name(): string
    {
        return ltrim($this->alias, '@');
    }
}
