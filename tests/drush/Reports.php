<?php

namespace Aegir\Scale\Tests;

/** Reports in their JSON form. */
final class Reports
{
    /** @param list<array<string, mixed>> $servers */
    public static function sync(array $servers, bool $ok = true, array $warnings = []): array
    {
        return [
            'ok' => $ok,
            'committed' => $ok,
            'seconds' => 1.25,
            'files' => 12,
            'bytes' => 3 << 20,
            'servers' => array_column($servers, null, 'server'),
            'warnings' => $warnings,
        ];
    }

    public static function server(string $name, string $outcome, array $more = []): array
    {
        return $more + [
            'server' => $name,
            'outcome' => $outcome,
            'phase' => 'done',
            'files' => 3,
            'deleted' => 1,
            'bytesSent' => 1536,
            'bytesMatched' => 0,
            'seconds' => 0.84,
            'error' => null,
            'path' => null,
            'changes' => [],
        ];
    }

    /** @param list<array<string, mixed>> $servers */
    public static function run(array $servers, bool $ok = true): array
    {
        return ['ok' => $ok, 'seconds' => 0.5, 'servers' => array_column($servers, null, 'server')];
    }

    public static function ran(string $name, int|string|null $exit, string $stdout = '', array $more = []): array
    {
        return $more + [
            'server' => $name,
            'outcome' => $exit === 0 ? 'synced' : 'failed',
            'exitStatus' => is_int($exit) ? $exit : null,
            'signal' => is_string($exit) ? $exit : null,
            'stdout' => $stdout,
            'stderr' => '',
            'truncated' => false,
            'seconds' => 0.1,
            'error' => null,
        ];
    }
}
