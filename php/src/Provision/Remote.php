<?php

namespace Aegir\Scale\Provision;

use Aegir\Scale\Command\Engine;
use Aegir\Scale\Report\Text;

/**
 * Commands on servers. What callers are about to run on one server after the other is run on all at once, ahead, and each is then answered
 * from what is remembered.
 */
final class Remote
{
    /** As Provision reads it, over line ends. */
    private const DATABASE_SAYS = ["/Access denied for user 'intntnllyInvalid'@'([^']*)'/", "/Host '([^']*)' is not allowed to connect to/"];

    /** @var array<string, array<string, array<string, mixed>>> a RunResult's JSON form, by server and command */
    private array $ahead = [];

    public function __construct(
        private readonly Aegir $aegir,
        private readonly Fleet $fleet,
        private readonly Engine $engine,
        private readonly Verdict $verdict,
    ) {
    }

    /** As drush_shell_exec(): did it exit with 0? The output is the caller's by Aegir::output(). */
    public function exec(Server $server, string $command): bool
    {
        $ran = $this->ahead[$server->name()][$command] ?? null;
        unset($this->ahead[$server->name()][$command]);
        $ran ??= $this->run([$server], [$server->name() => $command], false)[$server->name()];
        $lines = [...Text::lines($ran['stdout']), ...Text::lines($ran['stderr'])];
        if (self::isLost($ran)) {
            $lines[] = self::why($ran);
        }
        $this->aegir->output(self::withoutForgedHost($server, $lines));

        return $ran['outcome'] === 'synced';
    }

    /**
     * By this output Provision learns under which name the database knows a server, and it writes that name into SQL as it is.
     *
     * @param list<string> $lines
     * @return list<string>
     */
    private static function withoutForgedHost(Server $server, array $lines): array
    {
        foreach (self::DATABASE_SAYS as $pattern) {
            preg_match_all($pattern, implode('', $lines), $hosts);
            if (preg_grep('/^[A-Za-z0-9._:-]+$/D', $hosts[1], PREG_GREP_INVERT) !== []) {
                return ["$server->alias names a host under which the database knows it, want a name or an address: " . str_replace("'", '', $hosts[1][0])];
            }
        }

        return $lines;
    }

    public function isAhead(Server $server, string $command): bool
    {
        return isset($this->ahead[$server->name()][$command]);
    }

    /**
     * Runs a command that may as well be run twice on all of them, ahead.
     *
     * @param list<Server> $servers
     * @param (callable(Server): string)|null $instead what one that cannot be asked is taken to have said
     */
    public function ahead(array $servers, string $command, ?callable $instead = null): void
    {
        $ran = $this->run($servers, array_fill_keys(self::names($servers), $command), true);
        foreach ($servers as $server) {
            $of = $ran[$server->name()];
            if ($instead !== null && self::isLost($of)) {
                $of = ['exitStatus' => 1, 'stderr' => $instead($server)] + $of;
            }
            $this->ahead[$server->name()][$command] = $of;
        }
    }

    /**
     * Tests the configuration on all of them, and restarts those where it is right, ahead. Where it is wrong, the restart is answered with
     * what the test said.
     *
     * @param list<Server> $servers
     * @return list<Server> those that were not restarted
     */
    public function restartAhead(array $servers): array
    {
        $servers = array_values(array_filter($servers, static fn (Server $server): bool => $server->restart !== ''));
        $wrong = $this->wronglyConfigured($servers);
        $right = array_values(array_filter($servers, static fn (Server $server): bool => !in_array($server, $wrong, true)));
        $ran = $this->run($right, array_combine(self::names($right), array_column($right, 'restart')), true);
        foreach ($right as $server) {
            $this->ahead[$server->name()][$server->restart] = $ran[$server->name()];
            if ($ran[$server->name()]['outcome'] !== 'synced') {
                $this->verdict->bad($server, "\"$server->restart\" failed: " . self::why($ran[$server->name()]));
                $wrong[] = $server;
            }
        }

        return $wrong;
    }

    /**
     * @param list<Server> $servers
     * @return list<Server>
     */
    private function wronglyConfigured(array $servers): array
    {
        $tested = array_values(array_filter($servers, static fn (Server $server): bool => $server->test !== ''));
        $ran = $this->run($tested, array_combine(self::names($tested), array_column($tested, 'test')), true);
        $wrong = [];
        foreach ($tested as $server) {
            $test = $ran[$server->name()];
            if ($test['outcome'] === 'synced') {
                continue;
            }
            if (ConfigTest::wasNotMade($test)) {
                $this->aegir->log("$server->alias: its configuration is not tested, as \"$server->test\" cannot be run: " . self::why($test), 'info');
                continue;
            }
            $this->ahead[$server->name()][$server->restart] = $test;
            $this->verdict->bad($server, (self::isLost($test) ? '' : 'the configuration is wrong, it was not reloaded: ') . self::why($test));
            $wrong[] = $server;
        }

        return $wrong;
    }

    /** What nobody asked for is not kept for later. */
    public function forget(): void
    {
        $this->ahead = [];
    }

    /**
     * @param list<Server> $servers
     * @param array<string, string> $commands by server
     * @return array<string, array<string, mixed>> RunResults in their JSON form, by server
     */
    private function run(array $servers, array $commands, bool $mayBeRepeated): array
    {
        $ran = [];
        foreach ($servers as $server) {
            $dead = $this->verdict->whyDead($server);
            if ($dead !== null) {
                $ran[$server->name()] = self::never($server, $dead);
            }
        }
        foreach (array_unique($commands) as $command) {
            $on = array_values(array_filter($servers, static fn (Server $s): bool => $commands[$s->name()] === $command && !isset($ran[$s->name()])));
            for ($try = 0; $on !== [] && $try < 2; $try++) {
                foreach ($this->call($on, $command) as $name => $r) {
                    $ran[$name] = $r;
                }
                $on = array_values(array_filter(
                    $on,
                    fn (Server $s): bool => $mayBeRepeated && self::isLost($ran[$s->name()]) && !$this->verdict->isSuspect($s),
                ));
            }
        }
        foreach ($servers as $server) {
            if (self::isLost($ran[$server->name()])) {
                $this->verdict->dead($server, self::why($ran[$server->name()]));
            }
        }

        return $ran;
    }

    /**
     * @param non-empty-list<Server> $servers
     * @return array<string, array<string, mixed>>
     */
    private function call(array $servers, string $command): array
    {
        // The very string that stock gives to ssh, which hands it to a shell.
        $argv = ['sh', '-c', escapeshellcmd($command)];
        $connection = SshOptions::read((string) $this->aegir->option('ssh-options', ''));

        return $this->engine->run($this->fleet->topology($servers, $connection), Fleet::GROUP, $argv, [])->jsonSerialize()['servers'];
    }

    /**
     * The server was not reached, or was lost before the command ended.
     *
     * @param array<string, mixed> $ran a RunResult's JSON form
     */
    public static function isLost(array $ran): bool
    {
        return $ran['exitStatus'] === null && $ran['signal'] === null;
    }

    /** @return array<string, mixed> */
    private static function never(Server $server, string $why): array
    {
        return ['server' => $server->name(), 'outcome' => 'failed', 'exitStatus' => null, 'signal' => null, 'stdout' => '', 'stderr' => '',
            'truncated' => false, 'seconds' => 0.0, 'error' => $why];
    }

    /** @param array<string, mixed> $ran */
    private static function why(array $ran): string
    {
        $said = Text::lines(trim($ran['stderr'] . "\n" . $ran['stdout']));

        return $said !== [] && !self::isLost($ran) ? implode(' ', array_slice($said, 0, 3)) : Text::clean($ran['error'] ?? $ran['outcome']);
    }

    /**
     * @param array<Server> $servers
     * @return list<string>
     */
    private static function names(array $servers): array
    {
        return array_map(static fn (Server $server): string => $server->name(), array_values($servers));
    }
}
