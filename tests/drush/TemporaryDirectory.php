<?php

namespace Aegir\Scale\Tests;

/** A directory of a test's own, which goes with it. */
trait TemporaryDirectory
{
    private string $dir = '';

    #[\PHPUnit\Framework\Attributes\Before]
    protected function makeDirectory(): void
    {
        $this->dir = sys_get_temp_dir() . '/scale-test-' . bin2hex(random_bytes(6));
        mkdir($this->dir);
    }

    #[\PHPUnit\Framework\Attributes\After]
    protected function removeDirectory(): void
    {
        exec('rm -rf ' . escapeshellarg($this->dir));
    }

    /** @param array<string, string|null> $tree content by path; null: a directory, "-> x": a link to x */
    private function tree(array $tree): void
    {
        foreach ($tree as $path => $content) {
            $path = "$this->dir/$path";
            is_dir(dirname($path)) || mkdir(dirname($path), 0777, true);
            if ($content === null) {
                is_dir($path) || mkdir($path);
            } elseif (str_starts_with($content, '-> ')) {
                symlink(substr($content, 3), $path);
            } else {
                file_put_contents($path, $content);
            }
        }
    }

    /**
     * Content by path of all below a directory, as tree() takes it; directories only when they are empty.
     *
     * @return array<string, string|null>
     */
    private function found(string $below): array
    {
        $found = [];
        foreach (is_dir("$this->dir/$below") ? scandir("$this->dir/$below") : [] as $name) {
            $path = "$this->dir/$below/$name";
            if ($name === '.' || $name === '..') {
                continue;
            }
            if (is_link($path)) {
                $found[$name] = '-> ' . readlink($path);
            } elseif (is_dir($path)) {
                $inside = $this->found("$below/$name");
                foreach ($inside as $rest => $content) {
                    $found["$name/$rest"] = $content;
                }
                $found += $inside === [] ? [$name => null] : [];
            } else {
                $found[$name] = file_get_contents($path);
            }
        }
        ksort($found);

        return $found;
    }
}
