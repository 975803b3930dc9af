<?php

namespace Aegir\Scale\Command;

use Aegir\Scale\CancelledException;

/**
 * Ctrl-C (and SIGTERM) while the extension works.
 *
 * The first one asks the call to stop: $progress then returns false, so that the call ends tidily and reports how each server
 * was left. A call that has nothing to tell for a second is ended by an exception. The second one ends the process.
 */
final class Interrupt
{
    private const PATIENCE_SECONDS = 1;

    private int $signal = 0;

    /** The signal that came, or 0. */
    public function signal(): int
    {
        return $this->signal;
    }

    /** The call has heard of the signal and gets the time it needs to end tidily. */
    public function isHeard(): void
    {
        pcntl_alarm(0);
    }

    /**
     * @template T
     * @param callable(): T $call
     * @return T
     */
    public function during(callable $call): mixed
    {
        if (!function_exists('pcntl_async_signals')) {
            return $call();
        }
        $handlers = [];
        $async = pcntl_async_signals(true);
        foreach ([SIGINT => $this->ask(...), SIGTERM => $this->ask(...), SIGALRM => $this->insist(...)] as $signal => $handler) {
            $handlers[$signal] = pcntl_signal_get_handler($signal);
            pcntl_signal($signal, $handler);
        }
        try {
            return $call();
        } finally {
            if ($this->signal !== 0) {
                pcntl_alarm(0);
            }
            foreach ($handlers as $signal => $handler) {
                pcntl_signal($signal, $handler);
            }
            pcntl_async_signals($async);
        }
    }

    private function ask(int $signal): void
    {
        $this->signal = $signal;
        pcntl_signal($signal, SIG_DFL);
        pcntl_alarm(self::PATIENCE_SECONDS);
    }

    private function insist(): void
    {
        throw new CancelledException('stopped at once; how the servers were left is not known');
    }
}
