<?php

namespace Aegir\Scale\Command;

use Aegir\Scale\Report\ServerReport;

/** A command that compares paths of this machine with the servers: sync and status. */
abstract class PathsCommand extends ClusterCommand
{
    private const LIMIT = 50;

    public function arguments(): array
    {
        return [
            new Argument('group', 'A cluster, a pack or a server of the topology.'),
            new Argument('paths', 'Absolute paths on this machine.', isList: true),
        ];
    }

    protected function show(array $report, Input $input, Output $output): void
    {
        $servers = new ServerReport($report);
        $changes = $servers->changes($input->number('limit', self::LIMIT));
        foreach ([...$changes, ...$servers->table(), $servers->summary()] as $line) {
            $output->line($line);
        }
    }

    protected function bad(array $report): array
    {
        $servers = new ServerReport($report);

        return [...$servers->warnings(), ...$servers->bad()];
    }

    protected function failure(array $report): string
    {
        return (new ServerReport($report))->failure();
    }
}
