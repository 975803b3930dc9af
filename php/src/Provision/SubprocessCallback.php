<?php

namespace Aegir\Scale\Provision;

/** The same where Drush was given a function to log by, as in the front end's tasks. */
final class SubprocessCallback
{
    private const TYPE = 'command';
    private const TEXT = 'Backend invoke: ';

    /**
     * @param callable(array<string, mixed>): mixed $callback
     * @param callable(): void $flush
     */
    public function __construct(private $callback, private $flush)
    {
    }

    /** Is this the line that Drush logs right before it starts a process? */
    public static function announces(mixed $type, mixed $message): bool
    {
        return $type === self::TYPE && is_string($message) && str_starts_with($message, self::TEXT);
    }

    /** @param array<string, mixed> $entry */
    public function __invoke(array $entry): mixed
    {
        if (self::announces($entry['type'] ?? null, $entry['message'] ?? null)) {
            ($this->flush)();
        }

        return ($this->callback)($entry);
    }
}
