<?php

namespace Aegir\Scale\Tests;

/** A program of its own, and what it said. */
final readonly class Program
{
    private function __construct(public int $status, public string $out, public string $err)
    {
    }

    /**
     * @param list<string> $words
     * @param array<string, string> $environment beside our own
     * @param int $interruptAfterMs sends SIGINT then; 0: never
     */
    public static function run(array $words, array $environment = [], int $interruptAfterMs = 0): self
    {
        $files = [tmpfile(), tmpfile()];
        $process = proc_open(
            $words,
            [['file', '/dev/null', 'r'], ...$files],
            $pipes,
            null,
            $environment + ['TERM' => 'dumb', 'COLUMNS' => '200'] + getenv(),
        );
        if ($interruptAfterMs > 0) {
            usleep($interruptAfterMs * 1000);
            proc_terminate($process, SIGINT);
        }
        $status = proc_close($process);
        foreach ($files as $file) {
            rewind($file);
        }

        return new self($status, stream_get_contents($files[0]), stream_get_contents($files[1]));
    }

    public static function console(string ...$words): self
    {
        return self::run([PHP_BINARY, self::top() . '/php/bin/aegir-scale', ...$words]);
    }

    /** @param array<string, mixed> $given see stand_in.php */
    public static function standIn(array $given, string ...$words): self
    {
        return self::run([PHP_BINARY, __DIR__ . '/stand_in.php', ...$words], ['STAND_IN' => json_encode((object) $given)]);
    }

    /** The Drush 8 to try, or null. */
    public static function drush(): ?string
    {
        $drush = getenv('DRUSH') ?: trim((string) shell_exec('command -v drush'));
        if ($drush === '') {
            return null;
        }

        return preg_match('/\b8\.\d/', self::run([$drush, '--version'])->out) === 1 ? $drush : null;
    }

    public static function top(): string
    {
        return dirname(__DIR__, 2);
    }
}
