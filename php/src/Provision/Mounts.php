<?php

namespace Aegir\Scale\Provision;

/**
 * On which file system a path lies, told so that it is the same after a reboot.
 *
 * Numbers of devices are handed out anew at every boot, so what /proc/self/mountinfo says of the mount is taken: its source, its type and
 * which directory of it is mounted; and the UUID in place of the source for a disk that has one.
 */
final class Mounts
{
    private const UUIDS = '/dev/disk/by-uuid';

    public function __construct(private readonly string $mountinfo = '/proc/self/mountinfo')
    {
    }

    /** Null when it cannot be told. The path need not be there. */
    public function identity(string $path): ?string
    {
        $best = null;
        foreach ($this->all() as [$point, $name]) {
            // A later line covers an earlier one at the same place.
            if (SyncOptions::isBelow($path, $point) && ($best === null || strlen($point) >= strlen($best[0]))) {
                $best = [$point, $name];
            }
        }

        return $best[1] ?? null;
    }

    /**
     * What is mounted below a directory.
     *
     * @return array<string, string> identities by place
     */
    public function below(string $path): array
    {
        $below = [];
        foreach ($this->all() as [$point, $name]) {
            if ($point !== $path && SyncOptions::isBelow($point, $path)) {
                $below[$point] = $name;
            }
        }
        ksort($below);

        return $below;
    }

    /** @return list<array{string, string}> place, "" for /, and identity */
    private function all(): array
    {
        $all = [];
        foreach (@file($this->mountinfo, FILE_IGNORE_NEW_LINES) ?: [] as $line) {
            // [id] [parent] [major:minor] [root] [mount point] [options] [tags ...] - [type] [source] [options]
            [$front, $back] = explode(' - ', $line, 2) + [1 => ''];
            $front = array_map(self::plain(...), explode(' ', $front));
            $back = array_map(self::plain(...), explode(' ', $back));
            if (count($front) >= 6 && count($back) >= 2) {
                $all[] = [rtrim($front[4], '/'), self::source($back[1]) . ' ' . $back[0] . ' ' . $front[3]];
            }
        }

        return $all;
    }

    private static function source(string $source): string
    {
        if (str_starts_with($source, '/dev/')) {
            foreach (@scandir(self::UUIDS) ?: [] as $uuid) {
                if ($uuid[0] !== '.' && realpath(self::UUIDS . "/$uuid") === realpath($source)) {
                    return "UUID=$uuid";
                }
            }
        }

        return $source;
    }

    /** Blanks and backslashes are written as \040 and so on. */
    private static function plain(string $word): string
    {
        return preg_replace_callback('/\\\\([0-7]{3})/', static fn (array $m): string => chr(octdec($m[1])), $word);
    }
}
