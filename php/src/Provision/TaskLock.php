<?php

namespace Aegir\Scale\Provision;

use Aegir\Scale\Report\Text;

/**
 * Tasks on one platform, one after the other.
 *
 * Each name (the root of a platform) is a file that is locked with flock() until this process ends, however it ends. The file says
 * who has it. The commands that a task starts in processes of their own do not wait for it: they find its nonce in their environment.
 */
final class TaskLock
{
    /** The environment variable that holds the nonce of a task, for what it starts. */
    public const NONCE = 'AEGIR_SCALE_TASK';
    /** Seconds: a first copy of a large platform takes long. */
    public const PATIENCE = 1800;
    private const NAP_MICROSECONDS = 250_000;
    private const LONGEST_NAME = 200;

    /** @var array<string, resource> by name */
    private array $held = [];

    /** @param string $directory is made when its parent is there, or the parent of that */
    public function __construct(private readonly Aegir $aegir, private readonly string $directory)
    {
    }

    public function __destruct()
    {
        $this->release();
    }

    /**
     * Waits until all of them are ours. False when that took too long, which fails the command.
     *
     * @param list<string> $names in any order; those that this task has already are fine
     * @param string $command what the owner is doing, for others to read
     */
    public function take(array $names, string $command): bool
    {
        $names = array_unique($names);
        sort($names);                          // all tasks in one order, or two of them wait for each other for ever
        $deadline = hrtime(true) + $this->patience() * 1_000_000_000;
        foreach ($names as $name) {
            if (!isset($this->held[$name]) && !$this->takeOne($name, $command, $deadline)) {
                return false;
            }
        }

        return true;
    }

    public function release(): void
    {
        foreach ($this->held as $file) {
            ftruncate($file, 0);
            fclose($file);
        }
        $this->held = [];
    }

    private function takeOne(string $name, string $command, int $deadline): bool
    {
        $path = $this->directory . '/' . self::fileName($name);
        $file = $this->open($path);
        if ($file === null) {
            $this->aegir->log("no other task is kept from $name meanwhile: " . Text::clean($path) . ' cannot be written', 'warning');

            return true;
        }
        $hasTold = false;
        while (!flock($file, LOCK_EX | LOCK_NB)) {
            $owner = self::owner($file);
            if (($owner['nonce'] ?? '') !== '' && $owner['nonce'] === getenv(self::NONCE) && Ancestry::has((int) ($owner['pid'] ?? 0))) {
                return true;
            }
            if (hrtime(true) >= $deadline) {
                $this->aegir->fail('AEGIR_SCALE_LOCKED', "another task works on $name: " . self::describe($owner)
                    . "; we waited {$this->patience()} s for it (the option scale_lock_wait). Run the task again when that one has ended");

                return false;
            }
            if (!$hasTold) {
                $this->aegir->log("waiting for the task that works on $name: " . self::describe($owner), 'ok');
                $hasTold = true;
            }
            usleep(self::NAP_MICROSECONDS);
        }
        $this->sign($file, $command);
        $this->held[$name] = $file;

        return true;
    }

    /** @return resource|null "e": what we start must not keep the lock when we have ended */
    private function open(string $path)
    {
        foreach ([dirname($this->directory), $this->directory] as $directory) {
            if (!is_dir($directory)) {
                @mkdir($directory, 0700);
            }
        }

        return @fopen($path, 'c+e') ?: null;
    }

    /** @param resource $file */
    private function sign($file, string $command): void
    {
        $nonce = getenv(self::NONCE);
        if ($nonce === false || $nonce === '') {
            $nonce = bin2hex(random_bytes(16));
            putenv(self::NONCE . "=$nonce");
        }
        $user = function_exists('posix_getpwuid') ? posix_getpwuid(posix_geteuid())['name'] ?? posix_geteuid() : get_current_user();
        ftruncate($file, 0);
        rewind($file);
        fwrite($file, Text::json([
            'owner' => $user . '@' . gethostname(),
            'pid' => getmypid(),
            'since' => date('c'),
            'command' => $command,
            'nonce' => $nonce,
        ]) . "\n");
        fflush($file);
    }

    /**
     * @param resource $file
     * @return array<string, mixed> empty while the owner is about to sign
     */
    private static function owner($file): array
    {
        rewind($file);
        $owner = json_decode((string) stream_get_contents($file, 65536), true);

        return is_array($owner) ? array_filter($owner, is_scalar(...)) : [];
    }

    /** @param array<string, mixed> $owner */
    private static function describe(array $owner): string
    {
        if (!isset($owner['owner'], $owner['pid'], $owner['since'], $owner['command'])) {
            return 'its owner has not signed yet';
        }

        return Text::clean("{$owner['owner']} (pid {$owner['pid']}, since {$owner['since']}, doing {$owner['command']})");
    }

    private function patience(): int
    {
        $seconds = $this->aegir->option('scale_lock_wait', self::PATIENCE);

        return is_numeric($seconds) && $seconds >= 0 ? (int) $seconds : self::PATIENCE;
    }

    /** "/var/aegir/platforms/d7" is "var+aegir+platforms+d7.lock". */
    private static function fileName(string $name): string
    {
        $plain = preg_replace('/[^A-Za-z0-9._-]/', '+', trim($name, '/'));
        $isExact = strtr($plain, '+', '/') === trim($name, '/') && strlen($plain) <= self::LONGEST_NAME;

        return ($isExact ? $plain : substr($plain, -self::LONGEST_NAME) . '-' . substr(hash('sha256', $name), 0, 16)) . '.lock';
    }
}
