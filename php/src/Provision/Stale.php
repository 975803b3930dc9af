<?php

namespace Aegir\Scale\Provision;

use Aegir\Scale\Report\Text;

/**
 * What servers have missed, kept on this machine until they have it: state.json.
 *
 * A note says which path, not what it held: when the server is spoken to again, it gets what is there then.
 */
final class Stale
{
    private const MOST_NOTES = 1000;
    private const MOST_BYTES = 8 << 20;

    /** Paths that are not UTF-8 are no JSON. */
    private const BYTES = 'base64:';

    public function __construct(private readonly Aegir $aegir, private readonly Fleet $fleet)
    {
    }

    /** @return list<Push> */
    public function of(Server $server): array
    {
        $pushes = [];
        foreach ($this->read()[$server->name()]['missed'] ?? [] as $note) {
            $push = self::push($server, $note);
            if ($push !== null) {
                $pushes[] = $push;
            }
        }

        return $pushes;
    }

    /** Did it miss a restart? */
    public function wantsRestart(Server $server): bool
    {
        return (bool) ($this->read()[$server->name()]['restart'] ?? false);
    }

    /** @return list<string> names of servers that have missed something */
    public function servers(): array
    {
        return array_keys($this->read());
    }

    /** @param list<Push> $missed */
    public function mark(Server $server, array $missed, bool $restart, string $why): void
    {
        $this->change(function (array $all) use ($server, $missed, $restart, $why): array {
            $of = $all[$server->name()] ?? ['since' => date('c'), 'missed' => []];
            $of['why'] = self::text($why);
            $of['restart'] = $restart || ($of['restart'] ?? false);
            foreach ($missed as $push) {
                $of['missed'][sha1($push->key())] = ['path' => self::text($push->path), 'engine' => self::texts($push->options->engine),
                    'connection' => self::texts($push->options->connection), 'directory' => $push->options->isDirectoryOnly,
                    'removed' => $push->wasRemoved];
            }
            if (count($of['missed']) > self::MOST_NOTES) {
                $this->aegir->log("$server->alias has missed more than " . self::MOST_NOTES . ' changes: the oldest are forgotten, '
                    . 'verify its platforms and sites when it is back', 'warning');
                $of['missed'] = array_slice($of['missed'], -self::MOST_NOTES, null, true);
            }

            return [$server->name() => $of] + $all;
        });
    }

    /** @param list<Push> $done */
    public function clear(Server $server, array $done, bool $restarted): void
    {
        if (!isset($this->read()[$server->name()])) {
            return;
        }
        $this->change(static function (array $all) use ($server, $done, $restarted): array {
            $of = $all[$server->name()] ?? ['missed' => []];
            foreach ($done as $push) {
                unset($of['missed'][sha1($push->key())]);
            }
            $of['restart'] = ($of['restart'] ?? false) && !$restarted;
            $all[$server->name()] = $of;
            if ($of['missed'] === [] && !$of['restart']) {
                unset($all[$server->name()]);
            }

            return $all;
        });
    }

    /** @return array<string, array<string, mixed>> */
    private function read(): array
    {
        $file = $this->aegir->root() . '/config/scale/state.json';
        clearstatcache(true, $file);
        if (!is_file($file)) {
            return [];
        }
        $text = filesize($file) <= self::MOST_BYTES ? file_get_contents($file) : false;
        $state = $text === false ? null : json_decode($text, true, 16);
        if (!is_array($state) || ($state['version'] ?? null) !== 1 || !is_array($state['servers'] ?? null)) {
            @rename($file, "$file.damaged");
            $this->aegir->log("$file is damaged and was put aside as state.json.damaged: what servers have missed is not known. "
                . 'Verify the platforms and sites of those that were away.', 'warning');
            return [];
        }

        return array_filter($state['servers'], static fn (mixed $of): bool => is_array($of) && is_array($of['missed'] ?? null));
    }

    /** @param callable(array<string, array<string, mixed>>): array<string, array<string, mixed>> $how */
    private function change(callable $how): void
    {
        $mask = umask(0077);
        try {
            $dir = $this->fleet->state();
            $lock = @fopen("$dir/state.lock", 'c');
            if ($lock === false || !flock($lock, LOCK_EX)) {
                throw new \RuntimeException("cannot lock $dir/state.lock");
            }
            $state = ['version' => 1, 'servers' => (object) $how($this->read())];
            $text = json_encode($state, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR);
            if (@file_put_contents("$dir/state.json.new", "$text\n") !== strlen($text) + 1 || !rename("$dir/state.json.new", "$dir/state.json")) {
                throw new \RuntimeException("cannot write $dir/state.json");
            }
        } catch (\RuntimeException | \JsonException $e) {
            $this->aegir->log(Text::clean($e->getMessage())
                . ': what servers miss is not noted, verify their platforms and sites when they are back', 'warning');
        } finally {
            umask($mask);
        }
    }

    private static function push(Server $server, mixed $note): ?Push
    {
        if (!is_array($note) || !is_string($note['path'] ?? null) || !is_array($note['engine'] ?? null) || !is_array($note['connection'] ?? null)) {
            return null;
        }
        $path = self::bytes($note['path']);
        if (!str_starts_with($path, '/')) {
            return null;
        }

        $options = new SyncOptions(self::bytes($note['engine']), self::bytes($note['connection']), ($note['directory'] ?? false) === true);

        return new Push($server, $path, $options, ($note['removed'] ?? false) === true);
    }

    private static function text(string $bytes): string
    {
        return preg_match('//u', $bytes) === 1 && !str_starts_with($bytes, self::BYTES) ? $bytes : self::BYTES . base64_encode($bytes);
    }

    /** @param array<mixed> $values */
    private static function texts(array $values): array
    {
        return array_map(static fn (mixed $v): mixed => is_array($v) ? self::texts($v) : (is_string($v) ? self::text($v) : $v), $values);
    }

    private static function bytes(mixed $value): mixed
    {
        return match (true) {
            is_array($value) => array_map(self::bytes(...), $value),
            is_string($value) && str_starts_with($value, self::BYTES) => (string) base64_decode(substr($value, strlen(self::BYTES))),
            default => $value,
        };
    }
}
