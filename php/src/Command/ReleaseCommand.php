<?php

namespace Aegir\Scale\Command;

use Aegir\Scale\Report\Releases;

/** A command about the releases of a path: list, switch and prune. */
abstract class ReleaseCommand extends ClusterCommand
{
    public function arguments(): array
    {
        return [
            new Argument('group', 'A cluster, a pack or a server of the topology.'),
            new Argument('path', 'The absolute path that was pushed with sync --release.'),
        ];
    }

    protected function show(array $report, Input $input, Output $output): void
    {
        foreach ((new Releases($report))->table() as $line) {
            $output->line($line);
        }
    }

    protected function bad(array $report): array
    {
        return (new Releases($report))->bad();
    }

    protected function failure(array $report): string
    {
        return (new Releases($report))->failure();
    }
}
