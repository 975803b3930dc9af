<?php

namespace Aegir\Scale\Provision;

/** The same where Drush was given a function to log by, as in the front end's tasks. */
final class SubprocessCallback
{
    /**
     * @param callable(array<string, mixed>): mixed $callback
     * @param callable(): void $flush
     */
    public function __construct(private $callback, private $flush)
    {
    }

    /** @param array<string, mixed> $entry */
    public function __invoke(array $entry): mixed
    {
        if (SubprocessLogger::announces($entry['type'] ?? null, $entry['message'] ?? null)) {
            ($this->flush)();
        }

        return ($this->callback)($entry);
    }
}
