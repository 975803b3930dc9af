<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Command\Engine;

/**
 * Servers that are directories: what the hub calls HUB/x is BASE/NAME/x on the server NAME. Commands really run; every call is
 * remembered. A server in $dead answers nothing.
 */
final class LocalServersEngine extends Engine
{
    /** @var list<array<string, mixed>> */
    public array $calls = [];
    /** @var array<string, string> why, by server */
    public array $dead = [];
    /** @var array<string, mixed> what a fetch reports, apart from servers */
    public array $fetched = [];
    public ?\Throwable $throws = null;

    public function __construct(private readonly string $hub, private readonly string $base)
    {
    }

    public function topologyOf(array $spec): object
    {
        return (object) $spec;
    }

    public function fetch(object $t, string $group, array $paths, array $options, ?callable $progress = null): \JsonSerializable
    {
        $this->calls[] = ['fetch', $paths, $options, array_keys($t->servers)];
        if ($this->throws !== null) {
            throw $this->throws;
        }
        $servers = array_map(fn (string $name): array => Reports::server($name, isset($this->dead[$name]) ? 'failed' : 'unchanged', [
            'error' => $this->dead[$name] ?? null,
            'phase' => 'connect',
        ]), array_keys($t->servers));

        return $this->report($this->fetched + Reports::sync($servers, $this->dead === []));
    }

    public function run(object $t, string $group, array $argv, array $options, ?callable $progress = null): \JsonSerializable
    {
        $this->calls[] = ['run', array_slice($argv, 4), array_keys($t->servers)];

        return $this->report(Reports::run(array_map(fn (string $name): array => $this->ran($name, $argv), array_keys($t->servers))));
    }

    /**
     * @param list<string> $argv
     * @return array<string, mixed>
     */
    private function ran(string $name, array $argv): array
    {
        if (isset($this->dead[$name])) {
            return Reports::ran($name, null, '', ['error' => $this->dead[$name]]);
        }
        $argv = array_map(fn (string $word): string => str_starts_with($word, "$this->hub/") ? "$this->base/" . substr($name, 7) . substr($word, strlen($this->hub)) : $word, $argv);
        $process = proc_open($argv, [1 => ['pipe', 'w'], 2 => ['pipe', 'w']], $pipes);
        $out = stream_get_contents($pipes[1]);
        $err = stream_get_contents($pipes[2]);
        $status = proc_close($process);

        return Reports::ran($name, $status, $out, ['stderr' => $err, 'error' => $status === 0 ? null : "it exited with $status"]);
    }

    /** @param array<string, mixed> $report */
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
