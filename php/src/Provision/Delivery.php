<?php

namespace Aegir\Scale\Provision;

use Aegir\Scale\CancelledException;
use Aegir\Scale\Command\Engine;
use Aegir\Scale\Report\Text;
use Aegir\Scale\ScaleException;
use Aegir\Scale\TopologyException;

/**
 * Makes pushes, with as few calls as there are sets of options and servers. The file system is looked at now.
 *
 *   there, a tree        cluster_sync
 *   there, but empty     the directory itself: nothing below it is removed on a server
 *   gone                 rm on the servers, if it is below what Aegir owns
 */
final class Delivery
{
    private const MOST_WARNINGS = 5;

    /** @var list<string> that have been told */
    private array $refusals = [];

    /** @var array<string, true> servers on which the call just made changed something */
    private array $touched = [];

    /** @var array<string, Push> by key, those of the last make() that changed something on their server */
    private array $changed = [];

    public function __construct(
        private readonly Aegir $aegir,
        private readonly Fleet $fleet,
        private readonly Engine $engine,
        private readonly Verdict $verdict,
        private readonly Removal $removal,
    ) {
    }

    /**
     * @param list<Push> $pushes
     * @return array<string, Push> what was missed, by the push's key
     */
    public function make(array $pushes): array
    {
        clearstatcache();
        $this->changed = [];
        $missed = [];
        foreach ($this->calls($this->allowed($pushes)) as $call) {
            $missed += $this->call(...$call);
        }

        return $missed;
    }

    /** Did the last make() change anything on the server by it? */
    public function hasChanged(Push $push): bool
    {
        return isset($this->changed[$push->key()]);
    }

    /**
     * Without those that look as if a file system of this machine was not mounted, or are gone and may not go on the servers.
     *
     * @param list<Push> $pushes
     * @return list<Push>
     */
    private function allowed(array $pushes): array
    {
        $verdicts = [];
        foreach ($pushes as $i => $push) {
            $isRemoval = self::kind($push) === 'gone' && !$push->wasRemoved;
            $verdicts[$push->path . "\0" . $isRemoval] ??= [$isRemoval ? $this->removal->allowed($push->path) : $this->removal->guard($push->path)];
            if ($verdicts[$push->path . "\0" . $isRemoval][0] !== null) {
                unset($pushes[$i]);
            }
        }
        foreach (array_diff(array_unique(array_filter(array_column($verdicts, 0))), $this->refusals) as $sentence) {
            $this->refusals[] = $sentence;
            $this->aegir->fail('SCALE_REFUSED', $sentence);
        }

        return array_values($pushes);
    }

    /**
     * Calls that have one kind, one set of options and one set of servers, in the order of the pushes.
     *
     * @param list<Push> $pushes
     * @return list<array{string, SyncOptions, list<Push>}> kind, options and pushes
     */
    private function calls(array $pushes): array
    {
        $kinds = array_map(self::kind(...), $pushes);
        $united = self::united(array_filter($pushes, static fn (int $i): bool => $kinds[$i] === 'tree', ARRAY_FILTER_USE_KEY));
        $byPath = $optionsOf = [];
        foreach ($pushes as $i => $push) {
            $options = $united[$push->key()] ?? $push->options;
            $same = $kinds[$i] . "\0" . ($kinds[$i] === 'gone' ? serialize($options->connection) : $options->key());
            $optionsOf[$same] = [$kinds[$i], $options];
            $byPath[$same][$push->path][$push->server->name()] = $push;
        }
        $calls = [];
        foreach ($byPath as $same => $paths) {
            foreach ($paths as $of) {
                ksort($of);
                $set = $same . "\0" . implode(' ', array_keys($of));
                $calls[$set] = [...$optionsOf[$same], [...$calls[$set][2] ?? [], ...array_values($of)]];
            }
        }

        return array_values($calls);
    }

    /**
     * @param array<Push> $pushes
     * @return array<string, SyncOptions>
     */
    private static function united(array $pushes): array
    {
        $byServer = $united = [];
        foreach ($pushes as $push) {
            $byServer[$push->server->name()][] = $push;
        }
        foreach ($byServer as $of) {
            $united += Union::of($of);
        }

        return $united;
    }

    private static function kind(Push $push): string
    {
        if ($push->isGone()) {
            return 'gone';
        }
        $isEmpty = is_dir($push->path) && !is_link($push->path) && count(@scandir($push->path) ?: []) === 2;

        return $isEmpty || ($push->options->isDirectoryOnly && is_dir($push->path)) ? 'directory' : 'tree';
    }

    /**
     * @param non-empty-list<Push> $call
     * @return array<string, Push>
     */
    private function call(string $kind, SyncOptions $options, array $call): array
    {
        $servers = array_values(array_column(array_map(static fn (Push $p): array => [$p->server->name(), $p->server], $call), 1, 0));
        $paths = array_values(array_unique(array_column($call, 'path')));
        $isGone = $kind === 'gone';
        $dead = array_filter($servers, fn (Server $server): bool => $this->verdict->whyDead($server) !== null);
        $alive = array_values(array_udiff($servers, $dead, static fn (Server $a, Server $b): int => strcmp($a->alias, $b->alias)));
        $bad = array_column($dead, null, 'alias');
        $this->touched = [];
        if ($alive !== []) {
            $bad += match ($kind) {
                'tree' => $this->sync($alive, self::outermost($paths), $options->engine, $options->connection),
                'directory' => $this->directories($alive, $paths, $options),
                'gone' => $this->remove($alive, $paths, $options->connection),
            };
        }
        $missed = [];
        foreach ($call as $push) {
            if (isset($this->touched[$push->server->name()])) {
                $this->changed[$push->key()] = $push;
            }
            if (isset($bad[$push->server->alias])) {
                $missed[$push->key()] = $isGone ? new Push($push->server, $push->path, $push->options, true) : $push;
            }
        }
        if ($bad === [] && !$isGone) {
            array_map($this->removal->remember(...), $paths);
        }

        return $missed;
    }

    /**
     * @param list<Server> $servers
     * @param list<string> $paths
     * @param array<string, mixed> $options
     * @param array<string, int|string> $connection
     * @return array<string, Server> those that are not as the source, by alias
     */
    private function sync(array $servers, array $paths, array $options, array $connection, bool $isRetry = false): array
    {
        // The extension's own guard has to be told of each path when a platform was moved; ours, of the platform.
        $options += ['commit' => 'together', 'max_failures' => count($servers) - 1, 'guard' => false];
        try {
            $topology = $this->fleet->topology($servers, $connection);
            $report = $this->engine->sync($topology, Fleet::GROUP, $paths, $options)->jsonSerialize();
        } catch (CancelledException $e) {
            throw $e;
        } catch (ScaleException | \ValueError $e) {
            return $this->refused($e, $servers, $paths, $options, $connection);
        }
        $this->warn($report['warnings']);
        $bad = $again = [];
        foreach ($servers as $server) {
            $r = $report['servers'][$server->name()] ?? ['outcome' => 'skipped', 'phase' => 'connect', 'error' => 'was not spoken to'];
            if ($r['outcome'] !== 'unchanged' && $r['phase'] !== 'connect') {
                $this->touched[$server->name()] = true;
            }
            if (in_array($r['outcome'], ['synced', 'unchanged'], true)) {
                continue;
            }
            $why = self::why($r);
            if ($r['phase'] !== 'connect') {
                $this->verdict->bad($server, $why);
                $bad[$server->alias] = $server;
            } elseif ($isRetry || $this->verdict->isSuspect($server)) {
                $this->verdict->dead($server, $why);
                $bad[$server->alias] = $server;
            } else {
                $again[] = $server;
            }
        }
        $this->aegir->log(self::summary($paths, $servers, $report), 'info');

        return $bad + ($again === [] ? [] : $this->sync($again, $paths, ['max_failures' => count($again) - 1] + $options, $connection, true));
    }

    /**
     * The source is at fault, or an option: each path by itself, so that one does not keep the others. What is at fault here is not noted
     * as missed there.
     *
     * @param list<Server> $servers
     * @param list<string> $paths
     * @param array<string, mixed> $options
     * @param array<string, int|string> $connection
     * @return array<string, Server>
     */
    private function refused(\Throwable $e, array $servers, array $paths, array $options, array $connection): array
    {
        if ($e instanceof TopologyException) {
            $this->aegir->fail('SCALE_TOPOLOGY', Text::clean('what Aegir knows of its servers is wrong: ' . $e->getMessage()));
            return array_column($servers, null, 'alias');
        }
        if (count($paths) > 1) {
            $bad = [];
            foreach ($paths as $path) {
                $bad += $this->sync($servers, [$path], $options, $connection);
            }
            return $bad;
        }
        // Filters left nothing of it: it is as good as empty.
        if (str_contains($e->getMessage(), "$paths[0] is empty: ") && ($options['delete'] ?? true)) {
            return $this->directories($servers, $paths, new SyncOptions($options, $connection));
        }
        $this->aegir->fail('PROVISION_FILE_SYNC_FAILED', Text::clean("$paths[0] was not copied to any server: " . $e->getMessage()));

        return [];
    }

    /**
     * Directories with nothing in them to be sent: their parents are pushed, with nothing else in them.
     *
     * @param list<Server> $servers
     * @param list<string> $paths
     * @return array<string, Server>
     */
    private function directories(array $servers, array $paths, SyncOptions $options): array
    {
        $parents = array_values(array_unique(array_map(dirname(...), $paths)));
        $rules = [
            ...array_map(static fn (string $path): string => '+ ' . SyncOptions::pattern($path, '/'), $paths),
            ...array_map(static fn (string $path): string => '- ' . SyncOptions::pattern($path, '/*'), $paths),
            ...array_map(static fn (string $path): string => '- ' . SyncOptions::pattern($path, '/*'), $parents),
        ];

        return $this->sync($servers, self::outermost($parents), ['delete' => false, 'filter' => $rules] + $options->engine, $options->connection);
    }

    /**
     * @param list<Server> $servers
     * @param list<string> $paths
     * @param array<string, int|string> $connection
     * @return array<string, Server>
     */
    private function remove(array $servers, array $paths, array $connection): array
    {
        $argv = ['rm', '-rf', '--one-file-system', '--', ...self::outermost($paths)];
        $bad = [];
        foreach ([false, true] as $isRetry) {
            $report = $this->engine->run($this->fleet->topology($servers, $connection), Fleet::GROUP, $argv, [])->jsonSerialize();
            $again = [];
            foreach ($servers as $server) {
                $r = $report['servers'][$server->name()];
                $this->touched[$server->name()] = true;
                if ($r['outcome'] === 'synced') {
                    continue;
                }
                $why = 'could not remove ' . implode(' ', $paths) . ': ' . (trim($r['stderr']) ?: $r['error'] ?? $r['outcome']);
                if (!Remote::isLost($r) || $isRetry || $this->verdict->isSuspect($server)) {
                    Remote::isLost($r) ? $this->verdict->dead($server, Text::clean($why)) : $this->verdict->bad($server, Text::clean($why));
                    $bad[$server->alias] = $server;
                } else {
                    $again[] = $server;
                }
            }
            if ($again === []) {
                break;
            }
            $servers = $again;
        }

        return $bad;
    }

    /** @param list<string> $warnings */
    private function warn(array $warnings): void
    {
        foreach (array_slice($warnings, 0, self::MOST_WARNINGS) as $warning) {
            $this->aegir->log(Text::clean($warning), str_contains($warning, 'vanished') ? 'info' : 'warning');
        }
        if (count($warnings) > self::MOST_WARNINGS) {
            $this->aegir->log('… and ' . (count($warnings) - self::MOST_WARNINGS) . ' more of these', 'info');
        }
    }

    /**
     * A path that lies below another one is pushed with it.
     *
     * @param list<string> $paths
     * @return list<string>
     */
    private static function outermost(array $paths): array
    {
        return array_values(array_filter($paths, static function (string $path) use ($paths): bool {
            foreach ($paths as $other) {
                if ($other !== $path && SyncOptions::isBelow($path, $other)) {
                    return false;
                }
            }

            return true;
        }));
    }

    /**
     * @param list<string> $paths
     * @param list<Server> $servers
     * @param array<string, mixed> $report
     */
    private static function summary(array $paths, array $servers, array $report): string
    {
        $more = count($paths) > 1 ? ' and ' . (count($paths) - 1) . ' more' : '';
        $sent = array_sum(array_column($report['servers'], 'bytesSent'));

        $what = "$paths[0]$more to " . Text::count(count($servers), 'server');

        return Text::clean("$what: " . Text::bytes($sent) . ' sent, ' . Text::seconds($report['seconds']));
    }

    /** @param array<string, mixed> $result a ServerResult's JSON form */
    private static function why(array $result): string
    {
        $error = $result['error'] ?? $result['outcome'];
        $path = $result['path'] ?? '';

        return Text::clean($path === '' || str_contains($error, $path) ? $error : "$error ($path)");
    }
}
