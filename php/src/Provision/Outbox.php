<?php

namespace Aegir\Scale\Provision;

use Aegir\Scale\Report\Text;

/**
 * What servers are to get: kept until order matters, then made at once.
 *
 *   push ──► queue ──► flush: before a command on a server, a fetch, a sub-process; at the end
 *                        │
 *                        ├──► done, noted marks of the server are cleared
 *                        └──► missed: noted, and made by whoever speaks to the server next
 */
final class Outbox
{
    /** @var array<string, Push> by key: a push that is asked for twice is made once */
    private array $queue = [];

    /** @var array<string, Push> all of this process */
    private array $made = [];

    /** @var array<string, Push> of these, those that removed something */
    private array $wasGone = [];

    /** @var array<string, Server> whose marks of earlier processes have been looked at */
    private array $known = [];

    /** @var array<string, Server> those that missed a restart in an earlier process */
    private array $owed = [];

    /** @var array<string, Server> those that got a configuration and have not loaded it */
    private array $unloaded = [];

    private bool $isFlushing = false;

    public function __construct(
        private readonly Aegir $aegir,
        private readonly Delivery $delivery,
        private readonly Remote $remote,
        private readonly Verdict $verdict,
        private readonly Stale $stale,
    ) {
    }

    public function push(Push $push): void
    {
        $this->queue[$push->key()] = $push;
        $this->remote->forget();
    }

    public function isEmpty(): bool
    {
        return $this->queue === [];
    }

    /**
     * Makes what is queued, and what servers that are spoken to have missed earlier.
     *
     * @param list<Server> $about servers that are about to be spoken to
     */
    public function flush(array $about = []): void
    {
        if ($this->isFlushing) {
            return;
        }
        $this->isFlushing = true;
        try {
            $this->make($about);
        } finally {
            $this->isFlushing = false;
        }
        $this->verdict->tell();
    }

    public function exec(Server $server, string $command): bool
    {
        if ($command === $server->restart && !$this->remote->isAhead($server, $command)) {
            $this->restartAhead([$server]);
        } elseif (!$this->remote->isAhead($server, $command)) {
            $this->flush([$server]);
        }
        $isGood = $this->remote->exec($server, $command);
        $this->verdict->tell();

        return $isGood;
    }

    /**
     * @param list<Server> $servers
     * @param (callable(Server): string)|null $instead
     */
    public function ahead(array $servers, string $command, ?callable $instead = null): void
    {
        $this->flush($servers);
        $this->remote->ahead($servers, $command, $instead);
        $this->verdict->tell();
    }

    /** @param list<Server> $servers */
    public function restartAhead(array $servers): void
    {
        $this->flush($servers);
        $bad = $this->remote->restartAhead($servers);
        foreach ($bad as $server) {
            $this->stale->mark($server, [], true, 'it was not reloaded');
        }
        foreach ($servers as $server) {
            if (!in_array($server, $bad, true)) {
                $this->stale->clear($server, [], true);
                unset($this->unloaded[$server->name()]);
            }
        }
        $this->verdict->tell();
    }

    public function forgetAhead(): void
    {
        $this->remote->forget();
    }

    /** At the end: what is queued, and restarts that were missed earlier, if no other has come since. */
    public function settle(): void
    {
        if ($this->queue !== []) {
            $this->flush();
        }
        [$owed, $this->owed] = [$this->owed, []];
        $owed = array_filter($owed, fn (Server $server): bool => $this->verdict->whyDead($server) === null && $this->stale->wantsRestart($server));
        if ($owed !== []) {
            $this->restartAhead(array_values($owed));
            $this->remote->forget();
        }
    }

    /** After a failure: every path of this process once more, as it is here now, and web servers load what they got. */
    public function converge(): void
    {
        foreach ($this->made + $this->queue as $push) {
            $this->push($push);
        }
        $this->flush();
        if ($this->unloaded !== []) {
            $this->restartAhead(array_values($this->unloaded));
            $this->remote->forget();
        }
    }

    /** @param list<Server> $about */
    private function make(array $about): void
    {
        [$pushes, $this->queue] = [$this->queue, []];
        clearstatcache();
        $servers = [];
        foreach ([...array_column($pushes, 'server'), ...$about] as $server) {
            $servers[$server->name()] = $server;
        }
        // What was gone, and has come since, as a key that is made after its directory was asked for.
        foreach (array_diff_key($this->made, $pushes) as $key => $push) {
            if (isset($this->wasGone[$key]) && !$push->isGone()) {
                $pushes[$key] = $push;
                $servers[$push->server->name()] = $push->server;
            }
        }
        $noted = [];
        foreach (array_diff_key($servers, $this->known) as $name => $server) {
            $noted[$name] = $this->stale->of($server);
            foreach ($noted[$name] as $push) {
                $pushes[$push->key()] ??= $push;
            }
        }
        $this->known += $servers;
        if ($pushes === []) {
            $missed = [];
        } else {
            $this->made = $pushes + $this->made;
            $this->wasGone = array_filter($this->made, static fn (Push $push): bool => $push->isGone());
            $missed = $this->delivered($pushes);
            foreach ($pushes as $push) {
                if ($this->delivery->hasChanged($push) && SyncOptions::isBelow($push->path, $this->aegir->root() . '/config')) {
                    $this->unloaded[$push->server->name()] = $push->server;
                }
            }
        }
        $this->note($servers, $pushes, $missed);
        $this->sayWhoHasThemNow($servers, $noted, $missed);
    }

    /**
     * @param array<string, Push> $pushes
     * @return array<string, Push> what was missed
     */
    private function delivered(array $pushes): array
    {
        try {
            return $this->delivery->make(array_values($pushes));
        } catch (\Throwable $e) {
            foreach (array_column(array_column($pushes, 'server'), null, 'alias') as $server) {
                $of = array_filter($pushes, static fn (Push $push): bool => $push->server->name() === $server->name());
                $this->stale->mark($server, array_values($of), false, 'the call was stopped');
            }
            throw $e;
        }
    }

    /**
     * @param array<string, Server> $servers
     * @param array<string, Push> $pushes
     * @param array<string, Push> $missed
     */
    private function note(array $servers, array $pushes, array $missed): void
    {
        foreach ($servers as $name => $server) {
            $of = static fn (Push $push): bool => $push->server->name() === $name;
            $bad = array_filter($missed, $of);
            if ($bad !== []) {
                $this->stale->mark($server, array_values($bad), false, $this->verdict->whyDead($server) ?? 'a push failed');
            }
            $this->stale->clear($server, array_values(array_filter(array_diff_key($pushes, $missed), $of)), false);
        }
    }

    /**
     * @param array<string, Server> $servers
     * @param array<string, list<Push>> $noted
     * @param array<string, Push> $missed
     */
    private function sayWhoHasThemNow(array $servers, array $noted, array $missed): void
    {
        foreach ($noted as $name => $pushes) {
            $server = $servers[$name];
            $isBad = $this->verdict->whyDead($server) !== null
                || array_filter($missed, static fn (Push $push): bool => $push->server->name() === $name) !== [];
            if (!$isBad) {
                $this->owed[$name] = $server;
            }
            if (!$isBad && $pushes !== []) {
                $this->aegir->log("$server->alias had missed " . Text::count(count($pushes), 'change') . ' of earlier tasks, and has them now', 'ok');
            }
        }
    }
}
