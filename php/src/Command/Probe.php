<?php

namespace Aegir\Scale\Command;

use Aegir\Scale\Report\Finding;
use Aegir\Scale\Report\Text;

/** What a server tells of itself, and what is wrong with that. The script is fixed; the paths are its arguments. */
final readonly class Probe
{
    /** Each line is a key, a space and a value. What cannot be told is left out. Of a path that is not there its nearest parent counts. */
    private const SCRIPT = <<<'SH'
        export LC_ALL=C
        echo "clock $(date +%s)"
        echo "user $(id -un)"
        echo "uid $(id -u)"
        echo "gid $(id -g)"
        echo "rsync $(rsync --version 2>/dev/null | sed -n '1s/^rsync *version *v*\([0-9.]*\).*/\1/p')"
        echo "sshd $(PATH=$PATH:/usr/sbin:/usr/local/sbin sshd -V 2>&1 </dev/null | sed -n 's/^\(OpenSSH_[^ ,]*\).*/\1/p' | head -n 1)"
        for path do
            while [ ! -e "$path" ] && [ "$path" != / ]; do path=$(dirname -- "$path"); done
            space=$(timeout 10 df -Pk -- "$path" 2>/dev/null | sed -n '2s/^.* \([0-9][0-9]*\)  *\([0-9][0-9]*\)% \/.*/\1 \2/p')
            inodes=$(timeout 10 df -Pi -- "$path" 2>/dev/null | sed -n '2s/^.* \([0-9][0-9]*\)  *\([0-9][0-9]*\)% \/.*/\1 \2/p')
            [ -w "$path" ] && may=yes || may=no
            echo "path ${space:-- -} ${inodes:-- -} $may $path"
        done
        SH;

    private const FACTS = [
        'clock' => '/^\d{1,12}$/D',
        'user' => '/^[\w.-]{1,32}$/D',
        'uid' => '/^\d{1,10}$/D',
        'gid' => '/^\d{1,10}$/D',
        'rsync' => '/^[\d.]{1,20}$/D',
        'sshd' => '/^OpenSSH_[\w.]{1,20}$/D',
    ];
    private const OLDEST_RSYNC = '3.1.2';
    private const SKEW_SECONDS = 2;
    private const FULL_PERCENT = 90;
    private const BURSTING_PERCENT = 98;

    /** @param array<string, string> $facts @param list<array{free: ?int, used: ?int, inodes: ?int, inodesUsed: ?int, mayWrite: bool, path: string}> $places */
    private function __construct(private string $server, public array $facts, private array $places)
    {
    }

    /**
     * @param list<string> $paths
     * @return list<string>
     */
    public static function argv(array $paths): array
    {
        return ['sh', '-c', self::SCRIPT, 'probe', ...$paths];
    }

    public static function read(string $server, string $stdout): self
    {
        $facts = [];
        $places = [];
        foreach (explode("\n", $stdout) as $line) {
            [$key, $value] = explode(' ', $line, 2) + [1 => ''];
            if ($key === 'path' && preg_match('~^(\d+|-) (\d+|-) (\d+|-) (\d+|-) (yes|no) (/.*)$~s', $value, $m) === 1) {
                $places[] = ['free' => self::number($m[1]), 'used' => self::number($m[2]), 'inodes' => self::number($m[3]),
                    'inodesUsed' => self::number($m[4]), 'mayWrite' => $m[5] === 'yes', 'path' => $m[6]];
            } elseif (isset(self::FACTS[$key]) && preg_match(self::FACTS[$key], $value) === 1) {
                $facts[$key] = $value;
            }
        }

        return new self($server, $facts, $places);
    }

    /**
     * Seconds by which its clock is wrong for certain: it was read between these two times of this machine.
     */
    public function skew(float $before, float $after): int
    {
        $clock = (int) ($this->facts['clock'] ?? $after);

        return $clock > $after ? (int) floor($clock - $after) : -(int) floor(max(0, $before - 1 - $clock));
    }

    /** The fullest of the places that were asked for, as "91%", or null. */
    public function fullest(): ?string
    {
        $used = array_filter(array_column($this->places, 'used'), is_int(...));

        return $used === [] ? null : max($used) . '%';
    }

    /** @return list<Finding> */
    public function findings(float $before, float $after): array
    {
        $findings = [];
        $version = $this->facts['rsync'] ?? null;
        if ($version === null) {
            $findings[] = $this->bad('it has no rsync', 'install the package rsync there');
        } elseif (version_compare($version, self::OLDEST_RSYNC, '<')) {
            $findings[] = $this->bad("its rsync is $version, " . self::OLDEST_RSYNC . ' is the oldest that works', 'install a newer rsync there');
        } elseif (version_compare($version, '3.2', '<')) {
            $findings[] = $this->may("its rsync is $version and cannot be asked for zstd: pushes to it need more of the network", 'install rsync 3.2 or newer there');
        }
        $skew = $this->skew($before, $after);
        if (abs($skew) >= self::SKEW_SECONDS) {
            $findings[] = $this->may(
                'its clock is ' . Text::count(abs($skew), 'second') . ($skew > 0 ? ' ahead' : ' behind')
                    . ': the newest of several uploads is not known for certain',
                'let systemd-timesyncd or chrony keep the time there and here',
            );
        }
        foreach ($this->places as $place) {
            $findings = [...$findings, ...$this->ofPlace($place)];
        }

        return $findings;
    }

    /**
     * @param array{free: ?int, used: ?int, inodes: ?int, inodesUsed: ?int, mayWrite: bool, path: string} $place
     * @return list<Finding>
     */
    private function ofPlace(array $place): array
    {
        $path = $place['path'];
        $findings = [];
        if (!$place['mayWrite']) {
            $user = $this->facts['user'] ?? 'its user';
            $findings[] = $this->bad("$user may not write to $path", "give $path to that user, or remount it if it is read-only");
        }
        foreach ([['used', 'free', 'its disk'], ['inodesUsed', 'inodes', 'the table of inodes of its disk']] as [$used, $free, $what]) {
            if ($place[$used] === null || $place[$used] < self::FULL_PERCENT) {
                continue;
            }
            $left = $free === 'free' ? Text::bytes(1024 * (int) $place[$free]) : Text::count((int) $place[$free], 'inode');
            $found = "$what is {$place[$used]}% full at $path, $left left";
            $fix = 'make room there, or prune old releases';
            $findings[] = $place[$used] >= self::BURSTING_PERCENT ? $this->bad($found, $fix) : $this->may($found, $fix);
        }

        return $findings;
    }

    private function bad(string $found, string $fix): Finding
    {
        return new Finding($this->server, true, $found, $fix);
    }

    private function may(string $found, string $fix): Finding
    {
        return new Finding($this->server, false, $found, $fix);
    }

    private static function number(string $digits): ?int
    {
        return $digits === '-' ? null : (int) $digits;
    }
}
