<?php

namespace Aegir\Scale\Command;

use Aegir\Scale\Report\CommandReport;

final class RunCommand extends ClusterCommand
{
    public function name(): string
    {
        return 'run';
    }

    public function summary(): string
    {
        return 'Runs a command on every server of a group at once.';
    }

    public function help(): array
    {
        return [
            'The words behind -- are the command and its arguments. No shell reads them on the servers: for a pipe or a star, run'
            . ' sh -c "...".',
            'When all are done, each server\'s output is printed with its name in front, what came on standard error goes to'
            . ' standard error, and a table says how each one exited.',
        ];
    }

    public function arguments(): array
    {
        return [
            new Argument('group', 'A cluster, a pack or a server of the topology.'),
            new Argument('words', 'The command and its arguments, behind --.', isList: true),
        ];
    }

    public function options(): array
    {
        return [
            Options::topology(),
            new Option('input', OptionKind::Text, 'The command\'s standard input: a file of this machine, or - for our own'
                . ' standard input. Default: empty.', 'FILE'),
            ...Options::connections(),
            Options::format('the report'),
        ];
    }

    public function examples(): array
    {
        return [
            'live -- df -h /var/aegir' => 'How full are the disks of the cluster live?',
            'live --servers=web1 --timeout=20 -- sudo systemctl reload nginx' => 'Reloads nginx on one of them.',
        ];
    }

    public function exitStatuses(): array
    {
        return [
            0 => 'the command exited with 0 on every server',
            1 => 'on a server it exited with another status, or could not be run',
            2 => 'wrong usage or topology; nothing was run',
            130 => 'stopped by Ctrl-C (143: by SIGTERM); connections are cut, commands may go on',
        ];
    }

    protected function call(object $topology, Input $input, callable $progress): \JsonSerializable
    {
        $options = $input->forEngine($this->options());
        $file = $input->option('input', '');
        if ($file !== '') {
            $options['input'] = $this->read($file);
        }

        return $this->engine->run($topology, $input->text('group'), $input->words('words'), $options, $progress);
    }

    protected function show(array $report, Input $input, Output $output): void
    {
        $command = new CommandReport($report);
        foreach ($command->output() as [$isError, $line]) {
            $isError ? $output->note($line) : $output->line($line);
        }
        foreach ([...$command->table(), $command->summary()] as $line) {
            $output->line($line);
        }
    }

    protected function bad(array $report): array
    {
        return (new CommandReport($report))->bad();
    }

    protected function failure(array $report): string
    {
        return (new CommandReport($report))->failure();
    }

    private function read(string $file): string
    {
        $bytes = @file_get_contents($file === '-' ? 'php://stdin' : $file);
        if ($bytes === false) {
            throw new UsageException("--input: \"$file\" cannot be read");
        }

        return $bytes;
    }
}
