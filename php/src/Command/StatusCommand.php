<?php

namespace Aegir\Scale\Command;

final class StatusCommand extends PathsCommand
{
    public function name(): string
    {
        return 'status';
    }

    public function summary(): string
    {
        return 'Lists what a sync with the same options would change on every server of a group.';
    }

    public function help(): array
    {
        return [
            'Nothing is changed. Each line has a code and a path as the server sees it; the code is that of rsync\'s'
            . ' --itemize-changes: "<f" is a file whose content or attributes differ (c checksum, s size, t time, p permissions,'
            . ' o owner, g group), "cd" a directory and "cL" a link to be made, pluses mean that it is missing there, and'
            . ' "*deleting" marks what is on the server alone.',
            'Values are given with an equals sign, as --exclude=*.log. Options that may be repeated take one value each time;'
            . ' commas in it are part of it.',
        ];
    }

    public function options(): array
    {
        return [
            Options::topology(),
            ...Options::paths(),
            ...Options::connections(),
            Options::limit(),
            Options::format('the report'),
        ];
    }

    public function examples(): array
    {
        return [
            'live /var/aegir/platforms/shop' => 'Is every server of the cluster live as this machine?',
            'live /var/aegir/platforms/shop --checksum --limit=0' => 'Compares every byte and lists every path.',
        ];
    }

    public function exitStatuses(): array
    {
        return [
            0 => 'every server is as the source',
            1 => 'a server differs, or could not be asked',
            2 => 'wrong usage, topology or source; no server was asked',
            130 => 'stopped by Ctrl-C (143: by SIGTERM)',
        ];
    }

    protected function call(object $topology, Input $input, callable $progress): \JsonSerializable
    {
        $options = $input->forEngine($this->options());

        return $this->engine->status($topology, $input->text('group'), $input->words('paths'), $options);
    }
}
