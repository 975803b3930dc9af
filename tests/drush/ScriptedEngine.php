<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Command\Engine;

/** Servers that answer what they are told to; every call is remembered. */
final class ScriptedEngine extends Engine
{
    /** @var list<array<string, mixed>> */
    public array $calls = [];
    /** @var array<string, string> why nobody can log in, by server */
    public array $dead = [];
    /** @var array<string, string> why a push fails there, by server */
    public array $failing = [];
    /** Servers are as the source already. */
    public bool $isUnchanged = false;
    /** @var array<string, array{int, string}> exit status and standard error of commands, by "SERVER COMMAND" or "COMMAND" */
    public array $exits = [];
    /** @var callable(list<string>): ?\Throwable what a sync of these paths throws */
    public $refusal = null;
    /** @var array<string, mixed> what a fetch reports, apart from servers */
    public array $fetched = [];
    /** @var list<array<string, mixed>> what a fetch says was changed, for each server */
    public array $changes = [];

    public function topologyOf(array $spec): object
    {
        return (object) $spec;
    }

    public function sync(object $t, string $group, array $paths, array $options, ?callable $progress = null): \JsonSerializable
    {
        $this->calls[] = ['what' => 'sync', 'servers' => array_keys($t->servers), 'paths' => $paths, 'options' => $options];
        $thrown = $this->refusal === null ? null : ($this->refusal)($paths);
        if ($thrown !== null) {
            throw $thrown;
        }

        return $this->report(Reports::sync(array_map(fn (string $name): array => match (true) {
            isset($this->dead[$name]) => Reports::server($name, 'failed', ['phase' => 'connect', 'error' => $this->dead[$name]]),
            isset($this->failing[$name]) => Reports::server($name, 'failed', ['phase' => 'transfer', 'error' => $this->failing[$name]]),
            default => Reports::server($name, $this->isUnchanged ? 'unchanged' : 'synced'),
        }, array_keys($t->servers)), $this->dead + $this->failing === []));
    }

    public function fetch(object $t, string $group, array $paths, array $options, ?callable $progress = null): \JsonSerializable
    {
        $this->calls[] = ['what' => 'fetch', 'servers' => array_keys($t->servers), 'paths' => $paths, 'options' => $options];
        $servers = array_map(fn (string $name): array => Reports::server($name, isset($this->dead[$name]) ? 'failed' : 'synced', [
            'phase' => isset($this->dead[$name]) ? 'connect' : 'done',
            'error' => $this->dead[$name] ?? null,
            'changes' => $this->changes,
        ]), array_keys($t->servers));

        return $this->report($this->fetched + Reports::sync($servers, $this->dead === []));
    }

    public function run(object $t, string $group, array $argv, array $options, ?callable $progress = null): \JsonSerializable
    {
        $command = $argv[0] === 'sh' ? $argv[2] : implode(' ', $argv);
        $this->calls[] = ['what' => 'run', 'servers' => array_keys($t->servers), 'command' => $command];

        return $this->report(Reports::run(array_map(function (string $name) use ($command): array {
            [$exit, $said] = $this->exits["$name $command"] ?? $this->exits[$command] ?? [0, ''];

            return isset($this->dead[$name])
                ? Reports::ran($name, null, '', ['error' => $this->dead[$name]])
                : Reports::ran($name, $exit, "on $name\n", ['stderr' => $said, 'error' => $exit === 0 ? null : "the command exited with status $exit"]);
        }, array_keys($t->servers))));
    }

    /**
     * The calls in few words: "sync 1,2 /a /b", "run 1 true".
     *
     * @return list<string>
     */
    public function story(): array
    {
        return array_map(static fn (array $call): string => $call['what'] . ' ' . str_replace('server_web', '', implode(',', $call['servers'])) . ' '
            . ($call['command'] ?? implode(' ', $call['paths'])), $this->calls);
    }

    private function report(array $report): \JsonSerializable
    {
        return new class ($report) implements \JsonSerializable {
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
