<?php

namespace Aegir\Scale\Provision;

/** What Drush and Provision are asked and told. Tests put another in its place. */
interface Aegir
{
    /** @param string $type success, ok, info, warning or error; a warning or an error colours the task */
    public function log(string $message, string $type = 'info'): void;

    /** Fails the command, once its hook has ended. */
    public function fail(string $code, string $message): void;

    /** An option of Drush, wherever it was set. */
    public function option(string $name, mixed $default = null): mixed;

    /**
     * What the caller of shell_exec() reads the output from.
     *
     * @param list<string> $lines
     */
    public function output(array $lines): void;

    /**
     * $flush is called before Drush starts a process of its own, which may look at servers.
     *
     * @param callable(): void $flush
     */
    public function watch(callable $flush): void;

    /** drush --simulate: nothing is changed anywhere. */
    public function isSimulated(): bool;

    /** Aegir's own directory on this machine, usually /var/aegir. */
    public function root(): string;

    /** The server of an alias; null when there is none, or it is no server. */
    public function server(string $alias): ?Server;

    /** What an alias stands for as a web server; null when it is local only. */
    public function group(string $alias): ?Group;

    /** The web server of the site or platform that the command works on; null when it is about something else. */
    public function currentGroup(): ?Group;

    /** The site that the command works on: its directory; null when it is about something else. */
    public function sitePath(): ?string;

    /** The root of the platform that the command works on, or that its site lies in. */
    public function platformRoot(): ?string;

    /** Is the site its own platform, so that one goes with the other? With DevShop's Provision 4 it is. */
    public function siteIsPlatform(): bool;

    /**
     * Every root of a platform that Aegir knows: below these, and in its own config directory, may things be removed on servers.
     *
     * @return list<string>
     */
    public function platformRoots(): array;
}
