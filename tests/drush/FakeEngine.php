<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Command\Engine;

/** Says what it is told to, and remembers what it was asked. */
final class FakeEngine extends Engine
{
    /** @var array<string, mixed> */
    public array $asked = [];
    public bool $isLoaded = true;
    public ?\Throwable $throws = null;

    /** @param array<string, mixed> $report */
    public function __construct(public array $report = [])
    {
    }

    public function isLoaded(): bool
    {
        return $this->isLoaded;
    }

    public function topology(string $file): object
    {
        $this->asked['file'] = $file;

        return new \stdClass();
    }

    public function sync(object $t, string $group, array $paths, array $options, ?callable $progress = null): \JsonSerializable
    {
        return $this->answer(compact('group', 'paths', 'options'));
    }

    public function fetch(object $t, string $group, array $paths, array $options, ?callable $progress = null): \JsonSerializable
    {
        return $this->answer(compact('group', 'paths', 'options'));
    }

    public function run(object $t, string $group, array $argv, array $options, ?callable $progress = null): \JsonSerializable
    {
        return $this->answer(compact('group', 'argv', 'options'));
    }

    public function status(object $t, string $group, array $paths, array $options): \JsonSerializable
    {
        return $this->answer(compact('group', 'paths', 'options'));
    }

    public function releases(object $t, string $group, string $path, array $options): \JsonSerializable
    {
        return $this->answer(compact('group', 'path', 'options'));
    }

    public function switchRelease(object $t, string $group, string $path, string $id, array $options): \JsonSerializable
    {
        return $this->answer(compact('group', 'path', 'id', 'options'));
    }

    public function pruneReleases(object $t, string $group, string $path, int $keep, array $options): \JsonSerializable
    {
        return $this->answer(compact('group', 'path', 'keep', 'options'));
    }

    public function sessions(): array
    {
        return [];
    }

    private function answer(array $asked): \JsonSerializable
    {
        $this->asked += $asked;
        if ($this->throws !== null) {
            throw $this->throws;
        }

        return new class ($this->report) implements \JsonSerializable {
            public function __construct(private readonly array $report)
            {
            }

            public function jsonSerialize(): array
            {
                return $this->report;
            }
        };
    }
}
