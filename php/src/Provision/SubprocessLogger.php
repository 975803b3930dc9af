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
    private const TYPE = 'command';
    private const TEXT = 'Backend invoke: ';

    /** @param callable(): void $flush */
    public function __construct(private readonly object $logger, private $flush)
    {
    }

    public static function announces(mixed $type, mixed $message): bool
    {
        return $type === self::TYPE && is_string($message) && str_starts_with($message, self::TEXT);
    }

    public function log($level, $message, array $context = []): void
    {
        if (self::announces($level, $message)) {
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
