<?php

namespace Aegir\Scale\Provision;

use Psr\Log\AbstractLogger;

/**
 * Drush's logger, which hears of a sub-process before it is started: there is no hook for that. All lines go on unchanged.
 *
 * The interface is that of Drush's own vendor directory.
 */
final class SubprocessLogger extends AbstractLogger
{
    /** @param callable(): void $flush */
    public function __construct(private readonly object $logger, private $flush)
    {
    }

    public function log($level, $message, array $context = []): void
    {
        if (SubprocessCallback::announces($level, $message)) {
            ($this->flush)();
        }
        $this->logger->log($level, $message, $context);
    }

    /** @param array<mixed> $arguments */
    public function __call(string $method, array $arguments): mixed
    {
        return $this->logger->$method(...$arguments);
    }
}
