<?php

namespace Aegir\Scale\Command;

use Aegir\Scale\Report\ServerReport;
use Aegir\Scale\Report\Text;

final class FetchCommand extends ClusterCommand
{
    private const LIMIT = 50;

    public function name(): string
    {
        return 'fetch';
    }

    public function summary(): string
    {
        return 'Brings what is new in directories of every server of a group to this machine.';
    }

    public function help(): array
    {
        return [
            'For uploads that lie on the servers. Nothing here is deleted, and no file here is replaced by an older one. Of files'
            . ' with one name the newest wins; other content under that name is kept beside it as NAME.SERVER-CONFLICT, and told.',
            'Only regular files and directories are brought. Patterns that begin with a slash begin at the path. This machine needs'
            . ' rsync, too.',
        ];
    }

    public function arguments(): array
    {
        return [
            new Argument('group', 'A cluster, a pack or a server of the topology.'),
            new Argument('paths', 'Absolute paths of directories, the same on the servers and here.', isList: true),
        ];
    }

    public function options(): array
    {
        $wanted = ['filter', 'include', 'exclude', 'checksum'];

        return [
            Options::topology(),
            new Option('itemize', OptionKind::Flag, 'List every file that was brought. Default: off.', '', 'itemize'),
            ...array_filter(Options::paths(), static fn (Option $o): bool => in_array($o->name, $wanted, true)),
            ...Options::connections(),
            Options::limit(),
            Options::format('the report'),
        ];
    }

    public function examples(): array
    {
        return ['live /var/aegir/platforms/shop/sites/shop.example/files' => 'Gathers what visitors uploaded.'];
    }

    public function exitStatuses(): array
    {
        return [
            0 => 'every server was asked, and what is new is here; conflicts are told',
            1 => 'a server failed',
            2 => 'wrong usage or topology, or a directory here cannot be written',
            130 => 'stopped by Ctrl-C (143: by SIGTERM)',
        ];
    }

    protected function call(object $topology, Input $input, callable $progress): \JsonSerializable
    {
        $options = $input->forEngine($this->options());

        return $this->engine->fetch($topology, $input->text('group'), $input->words('paths'), $options, $progress);
    }

    protected function show(array $report, Input $input, Output $output): void
    {
        $servers = new ServerReport($report);
        foreach ([...$servers->changes($input->number('limit', self::LIMIT)), ...$servers->table()] as $line) {
            $output->line($line);
        }
        $output->line(Text::count($report['files'], 'file') . ' put in place, ' . Text::bytes($report['bytes']) . '; '
            . Text::count(count($report['warnings']), 'conflict') . '; ' . Text::seconds($report['seconds']));
    }

    protected function bad(array $report): array
    {
        return [...array_map(Text::clean(...), $report['warnings']), ...(new ServerReport($report))->bad()];
    }

    protected function failure(array $report): string
    {
        $bad = count(array_diff(array_column($report['servers'], 'outcome'), ['synced', 'unchanged']));

        return "$bad of " . Text::count(count($report['servers']), 'server') . ' could not be fetched from';
    }
}
