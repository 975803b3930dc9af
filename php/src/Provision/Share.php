<?php

namespace Aegir\Scale\Provision;

use Aegir\Scale\Command\Engine;
use Aegir\Scale\Report\Text;

/**
 * A directory that this machine and the servers have mounted at the same path, and the script that works in it.
 *
 * Nothing of it is touched by this process itself: a dead mount would take it along. A child that does not come back is left behind.
 */
final class Share
{
    private const SCRIPT = __DIR__ . '/shared-uploads.sh';
    /** Seconds: comparing many large files is silent, and takes as long as it takes. */
    private const LONG = 86400;
    /** Seconds between two looks whether the mount still answers while the script works. */
    private const LOOK = 30;
    /** Who may write in the directory itself can put a link in a site's place, and Provision would follow it. */
    private const WRITE_TOKEN = '[ -d "$1" ] || { echo "it is no directory" >&2; exit 1; }
        [ -z "$(find "$1/" -maxdepth 0 -perm /022 ! -perm -1000)" ] || { echo "others than its owner may write in it, chmod go-w it" >&2; exit 1; }
        printf %s "$2" >"$3"';
    private const MOST_OUTPUT = 1 << 20;

    private readonly string $script;

    public function __construct(
        private readonly Fleet $fleet,
        private readonly Engine $engine,
        public readonly string $path,
        /** Seconds for what takes no time when the mount is well. */
        private readonly int $soon = 15,
    ) {
        $isFine = preg_match('{^(/[^/\x00-\x1f]+)+$}D', $path) === 1 && preg_match('{/\.\.?(/|$)}D', $path) !== 1;
        if (!$isFine) {
            throw new ShareException("the shared directory is \"$path\", want an absolute path without . and ..");
        }
        $this->script = (string) file_get_contents(self::SCRIPT);
    }

    /** The directory that belongs to a site alone: two sites of one Aegir never have one URI. */
    public function home(string $sitePath): string
    {
        $uri = explode('/sites/', $sitePath);
        $key = count($uri) > 1 ? strtr(end($uri), '/', '+') : '';
        if (preg_match('/^[A-Za-z0-9][A-Za-z0-9._+-]*$/D', $key) !== 1) {
            throw new ShareException("\"$sitePath\" is no directory of a site, want ROOT/sites/URI");
        }

        return "$this->path/$key";
    }

    /**
     * Whether each server sees the directory that we see, and has work to do for a site.
     *
     * @param list<Server> $servers
     * @return array<string, array{state: string, why: string}> by server name; state is ok, todo or bad
     */
    public function look(array $servers, string $sitePath): array
    {
        $secret = bin2hex(random_bytes(16));
        $token = $this->path . '/.aegir-scale-check.' . substr($secret, 0, 8);
        $this->answers(['sh', '-c', self::WRITE_TOKEN, 'sh', $this->path, $secret, $token]);
        try {
            return array_map(
                static fn (array $r): array => $r['outcome'] === 'synced' && preg_match('/^(ok|todo)$/m', $r['stdout'], $m) === 1
                    ? ['state' => $m[1], 'why' => '']
                    : ['state' => 'bad', 'why' => self::why($r)],
                $this->there($servers, ['check', $token, $secret, $sitePath, $this->home($sitePath)], $this->soon),
            );
        } finally {
            $this->spawn(['rm', '-f', $token], $this->soon);
        }
    }

    /**
     * The script, here.
     *
     * @return list<string> its lines
     */
    public function here(string $verb, string ...$words): array
    {
        [$status, $out, $err] = $this->spawn(['sh', '-c', $this->script, 'sh', $verb, 'hub', ...$words], null);
        if ($status !== 0) {
            throw new ShareException(Text::clean($err !== '' ? strtok($err, "\n") : "the script for $this->path ended with $status"));
        }

        return Text::lines($out);
    }

    /**
     * The script, on one server.
     *
     * @return list<string> its lines
     */
    public function on(Server $server, string $verb, string ...$words): array
    {
        $result = $this->there([$server], [$verb, ...$words], self::LONG)[$server->name()];
        if ($result['outcome'] !== 'synced') {
            throw new ShareException($server->name() . ': ' . self::why($result));
        }

        return Text::lines($result['stdout']);
    }

    /** Throws when the mount here does not answer. */
    public function mustAnswer(): void
    {
        $this->answers(['stat', '--', $this->path]);
    }

    /**
     * @param list<Server> $servers
     * @param list<string> $words the verb and what follows WHO
     * @return array<string, array<string, mixed>>
     */
    private function there(array $servers, array $words, int $timeout): array
    {
        $results = [];
        $options = ['timeout' => $timeout];
        // Each is told its own name, for what it keeps twice; to look, none is needed.
        $groups = $words[0] === 'check' ? [$servers] : array_map(static fn (Server $s): array => [$s], $servers);
        foreach (array_filter($groups) as $group) {
            $argv = ['sh', '-c', $this->script, 'sh', $words[0], $group[0]->name(), ...array_slice($words, 1)];
            $report = $this->engine->run($this->fleet->topology($group), Fleet::GROUP, $argv, $options);
            $results += json_decode(Text::json($report), true)['servers'];
        }

        return $results;
    }

    /** @param list<string> $argv */
    private function answers(array $argv): void
    {
        [$status, , $err] = $this->spawn($argv, $this->soon);
        if ($status !== 0) {
            throw new ShareException($status === null
                ? "$this->path on this machine does not answer within " . $this->soon . ' s: is the server that it is mounted from well?'
                : Text::clean("$this->path on this machine cannot be used: " . strtok($err . "\n", "\n")));
        }
    }

    /**
     * @param list<string> $argv
     * @return array{?int, string, string} exit status (null: it was given up), output, errors
     */
    private function spawn(array $argv, ?int $seconds): array
    {
        $process = proc_open($argv, [['file', '/dev/null', 'r'], ['pipe', 'w'], ['pipe', 'w']], $pipes);
        if ($process === false) {
            throw new ShareException("$argv[0] could not be started");
        }
        $text = [1 => '', 2 => ''];
        $began = $looked = hrtime(true);
        while ($pipes !== []) {
            $ready = $pipes;
            $none = null;
            // A signal ends the wait early.
            if (@stream_select($ready, $none, $none, 0, 200_000)) {
                foreach ($ready as $i => $pipe) {
                    $bytes = fread($pipe, 65536);
                    if ($bytes === '' || $bytes === false) {
                        fclose($pipe);
                        unset($pipes[$i]);
                    } elseif (strlen($text[$i]) < self::MOST_OUTPUT) {
                        $text[$i] .= $bytes;
                    }
                }
            }
            $now = hrtime(true);
            if ($seconds !== null ? $now - $began > $seconds * 1e9 : $now - $looked > self::LOOK * 1e9 && !$this->isAlive()) {
                // It may hang in the kernel, so nobody waits for it.
                proc_terminate($process, 9);

                return [null, $text[1], $seconds !== null ? '' : "$this->path does not answer any more"];
            }
            $looked = $now - $looked > self::LOOK * 1e9 ? $now : $looked;
        }

        return [proc_close($process), $text[1], $text[2]];
    }

    private function isAlive(): bool
    {
        return $this->spawn(['stat', '--', $this->path], $this->soon)[0] === 0;
    }

    /** @param array<string, mixed> $result */
    private static function why(array $result): string
    {
        $first = Text::lines($result['stderr'])[0] ?? '';

        return Text::clean($first !== '' ? $first : $result['error'] ?? "the script ended with {$result['exitStatus']}");
    }
}
