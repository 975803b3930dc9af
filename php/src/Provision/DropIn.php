<?php

namespace Aegir\Scale\Provision;

use Aegir\Scale\Command\Engine;
use Aegir\Scale\Report\Text;

/**
 * What Provision's classes call instead of rsync and ssh. Of one process: a child of it, and a sub-Drush, has its own.
 *
 * Each method is given the stock way as well, and goes it where the option scale is off, or an option has no meaning here.
 */
final class DropIn
{
    private static ?self $instance = null;

    public readonly Fleet $fleet;
    public readonly Safeguards $safeguards;
    public readonly Removal $removal;
    public readonly UploadGathering $uploads;
    private readonly Outbox $outbox;
    private readonly SiteFetch $fetch;
    private readonly Verdict $verdict;
    private readonly int $pid;

    /** @var array<string, true> */
    private array $said = [];

    public function __construct(public readonly Aegir $aegir, public readonly Engine $engine = new Engine())
    {
        $this->fleet = new Fleet($aegir, $engine);
        $this->safeguards = new Safeguards($aegir, $this->fleet, $engine);
        $this->verdict = new Verdict($aegir);
        $this->removal = $this->safeguards->removal;
        $this->uploads = $this->safeguards->gathering;
        $remote = new Remote($aegir, $this->fleet, $engine, $this->verdict);
        $delivery = new Delivery($aegir, $this->fleet, $engine, $this->verdict, $this->removal);
        $this->outbox = new Outbox($aegir, $delivery, $remote, $this->verdict, new Stale($aegir, $this->fleet));
        $this->fetch = new SiteFetch($aegir, $this->fleet, $engine, $this->verdict);
        $this->pid = getmypid();
    }

    /** The one of this Drush. */
    public static function get(): self
    {
        if (self::$instance === null) {
            self::$instance = new self(new DrushAegir());
            register_shutdown_function([self::class, 'end']);
        }

        return self::$instance;
    }

    /** Another one, for tests; null: none yet. */
    public static function put(?self $instance): void
    {
        self::$instance = $instance;
    }

    /** Was there anything to do in this process? */
    public static function isUsed(): bool
    {
        return self::$instance !== null;
    }

    /**
     * @param array<string, mixed> $options for rsync, as Drush takes them
     * @param callable(array<string, mixed>): bool $stock is given more options
     */
    public function sync(string $alias, string $path, array $options, callable $stock): bool
    {
        return $this->guarded(function () use ($alias, $path, $options, $stock): bool {
            $server = $this->aegir->server($alias);
            if ($server === null || $server->isLocal) {
                return true;
            }
            if ($server->isOff || $this->aegir->isSimulated()) {
                return $stock([]);
            }
            try {
                $push = new Push($server, $path, SyncOptions::fromDrush($options, Push::plain($path), $this->aegir->platformRoot(), $this->aegir));
            } catch (NoMapping $e) {
                $this->sayOnce('files are copied by rsync, because of ' . $e->getMessage());
                $this->outbox->flush();
                return $this->byRsync($server, $path, $options, $stock);
            }
            $this->aegir->watch($this->flush(...));
            array_map($this->outbox->push(...), $this->parts($push));

            return true;
        });
    }

    /**
     * The stock way, but what visitors uploaded is left out of it: rsync would delete that, or put older files over it.
     *
     * @param array<string, mixed> $options
     * @param callable(array<string, mixed>): bool $stock
     */
    private function byRsync(Server $server, string $path, array $options, callable $stock): bool
    {
        $plain = new Push($server, $path, new SyncOptions(['copy_dirlinks' => true, 'keep_dirlinks' => true, 'omit_dir_times' => true, 'filter' => []]));
        $parts = array_key_exists('exclude-sites', $options) ? [$plain] : $this->parts($plain);
        $rules = $parts[0]->options->engine['filter'] ?? [];
        if (!isset($parts[0]) || ($rules === [] && $parts[0]->key() !== $plain->key())) {
            // Nothing but uploads.
            array_map($this->outbox->push(...), $parts);
            return true;
        }
        if ($this->mapsSsh()) {
            $this->aegir->watch($this->flush(...));
            array_map($this->outbox->push(...), array_slice($parts, 1));
        }

        return $stock($rules === [] ? [] : $this->without($rules, $options));
    }

    /**
     * Drush passes on one --filter only, which names a file.
     *
     * @param list<string> $rules
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    private function without(array $rules, array $options): array
    {
        $file = $this->fleet->state() . '/uploads-' . substr(sha1(implode("\n", $rules)), 0, 12) . '.rules';
        if (isset($options['filter']) || preg_grep('/\n/', $rules) !== [] || file_put_contents($file, implode("\n", $rules) . "\n") === false) {
            return ['delete' => null];
        }

        return ['filter' => "merge $file"];
    }

    /** @return list<Push> */
    private function parts(Push $push): array
    {
        return UploadPushes::of($push, $this->aegir->platformRoot(), $this->aegir->currentGroup()?->uploads ?? Uploads::Protect);
    }

    /** @param callable(): bool $stock */
    public function exec(string $alias, string $command, callable $stock): bool
    {
        return $this->guarded(function () use ($alias, $command, $stock): bool {
            $server = $this->aegir->server($alias);
            if ($server === null || $server->isLocal || $server->isOff || $this->aegir->isSimulated() || !$this->mapsSsh()) {
                return $stock();
            }

            return $this->outbox->exec($server, $command);
        });
    }

    /**
     * @param list<string> $aliases
     * @param callable(string): bool $stock is given an alias
     */
    public function fetch(array $aliases, string $path, callable $stock): bool
    {
        return $this->guarded(function () use ($aliases, $path, $stock): bool {
            $isGood = true;
            $servers = [];
            foreach ($this->servers($aliases) as $server) {
                if ($server->isOff || $this->aegir->isSimulated()) {
                    $isGood = $stock($server->alias) && $isGood;
                } else {
                    $servers[] = $server;
                }
            }
            if ($servers === []) {
                return $isGood;
            }
            $this->outbox->flush($servers);
            $isGood = $this->fetch->fetch($servers, $path) && $isGood;
            $this->verdict->tell();

            return $isGood;
        });
    }

    /** What visitors uploaded to the servers of a cluster: before a site is pushed, and before a backup, which asks for its files. */
    public function gather(string $alias, string $path): void
    {
        $this->guarded(function () use ($alias, $path): void {
            $group = $this->aegir->group($alias);
            if ($group === null || $group->isOff || $this->aegir->isSimulated()) {
                return;
            }
            $path = Push::plain($path);
            $current = $this->aegir->sitePath();
            $isInSite = preg_match('~^(.*/sites/(?!all/)[^/]+)/(files/)?$~', "$path/", $site) === 1;
            if (isset($site[2])) {
                $this->outbox->flush($group->servers);
                $this->uploads->forBackup($group, $site[1]);
            } elseif ($isInSite) {
                $this->uploads->before($group, $site[1]);
            } elseif ($current !== null && SyncOptions::isBelow($current, $path)) {
                // DevShop pushes a site with its platform.
                $this->uploads->before($group, $current);
            }
            array_map($this->verdict->suspect(...), $this->uploads->missing($site[1] ?? $current ?? ''));
        });
    }

    /**
     * The web servers of a group are about to be restarted, one after the other.
     *
     * @param list<string> $aliases
     */
    public function restartAhead(array $aliases): void
    {
        $this->guarded(fn () => $this->outbox->restartAhead($this->ours($aliases)));
    }

    /**
     * A command is about to be run on the servers of a group, one after the other.
     *
     * @param list<string> $aliases
     * @param (callable(Server): string)|null $instead what a server that cannot be asked is taken to have said
     */
    public function ahead(array $aliases, string $command, ?callable $instead = null): void
    {
        $this->guarded(fn () => $this->outbox->ahead($this->ours($aliases), $command, $instead));
    }

    public function forgetAhead(): void
    {
        $this->outbox->forgetAhead();
    }

    public function flush(): void
    {
        $this->guarded(function (): void {
            if (!$this->outbox->isEmpty()) {
                $this->outbox->flush();
            }
        });
    }

    /** A command has ended well. */
    public function settle(): void
    {
        $this->guarded($this->outbox->settle(...));
    }

    /** A command has failed and was rolled back on this machine: so are the servers. */
    public function converge(): void
    {
        $this->guarded(fn () => $this->outbox->converge());
    }

    /** The end of the process, however it ends. */
    public static function end(): void
    {
        if (self::$instance === null || self::$instance->pid !== getmypid()) {
            return;
        }
        try {
            self::$instance->settle();
        } catch (\Exception $e) {
            self::$instance->aegir->fail('SCALE_FAILED', Text::clean($e->getMessage()));
        }
    }

    /**
     * Those that we serve, and that are not this machine.
     *
     * @param list<string> $aliases
     * @return list<Server>
     */
    private function ours(array $aliases): array
    {
        if ($this->aegir->isSimulated()) {
            return [];
        }

        return array_values(array_filter($this->servers($aliases), fn (Server $server): bool => !$server->isOff && $this->mapsSsh()));
    }

    /**
     * @param list<string> $aliases
     * @return list<Server> none is this machine
     */
    private function servers(array $aliases): array
    {
        $servers = array_map($this->aegir->server(...), array_values(array_unique($aliases)));

        return array_values(array_filter($servers, static fn (?Server $server): bool => $server !== null && !$server->isLocal));
    }

    private function mapsSsh(): bool
    {
        try {
            SshOptions::read((string) $this->aegir->option('ssh-options', ''));
            return true;
        } catch (NoMapping $e) {
            $this->sayOnce('commands are run by ssh, because of ' . $e->getMessage());
            return false;
        }
    }

    private function sayOnce(string $line): void
    {
        if (!isset($this->said[$line])) {
            $this->said[$line] = true;
            $this->aegir->log(Text::clean($line), 'info');
        }
    }

    /**
     * Drush catches nothing but exceptions: an error would end the process with no rollback.
     *
     * @template T
     * @param callable(): T $call
     * @return T
     */
    private function guarded(callable $call): mixed
    {
        try {
            return $call();
        } catch (\Error $e) {
            throw new \RuntimeException('aegir_scale: ' . $e->getMessage() . " ({$e->getFile()}:{$e->getLine()})", 0, $e);
        }
    }
}
