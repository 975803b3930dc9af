<?php

namespace Aegir\Scale\Command;

final class SyncCommand extends PathsCommand
{
    public function name(): string
    {
        return 'sync';
    }

    public function summary(): string
    {
        return 'Copies paths of this machine to every server of a group, all at once.';
    }

    public function help(): array
    {
        return [
            'The tree is read once and sent to all servers. They switch together: changed files are put beside the old ones, and'
            . ' renamed into place only when every server has all of them. When one server fails, all go on serving what they'
            . ' served before; --max-failures and --commit=each change that.',
            'What is gone from the source is removed on the servers, below the pushed paths only. Uploads of Drupal sites are'
            . ' never removed.',
            'Values are given with an equals sign, as --exclude=*.log. Options that may be repeated take one value each time;'
            . ' commas in it are part of it.',
        ];
    }

    public function options(): array
    {
        return [
            Options::topology(),
            new Option('dry-run', OptionKind::Flag, 'Change nothing, tell what would be changed. Default: off.', '', 'dry_run'),
            new Option('itemize', OptionKind::Flag, 'List every path that was changed, in rsync\'s --itemize-changes form.'
                . ' Default: off.', '', 'itemize'),
            new Option('release', OptionKind::Text, 'Put the path, one directory, into PATH/.releases/NAME, with hard links to what'
                . ' is the same in the release before, and when all servers have it make the symbolic link PATH/current lead to it.'
                . ' Filters begin at the path. Default: the path itself is replaced.', 'NAME', 'release'),
            new Option('commit', OptionKind::Text, 'together: the servers switch only when all are ready. each: a server switches'
                . ' as soon as it is ready. Default: together.', 'together|each', 'commit'),
            new Option('max-failures', OptionKind::Number, 'So many servers may fail without keeping the others from switching.'
                . ' Default: 0.', 'N', 'max_failures'),
            new Option('max-delete', OptionKind::Number, 'A server on which more entries would be deleted fails before anything is changed'
                . ' there; a dry run on all servers comes first. Default: no limit.', 'N', 'max_delete'),
            new Option('no-guard', OptionKind::Flag, 'Push also an empty directory, and a source that is on another file system than at the last'
                . ' push of that path to that group. Default: both are refused, as they are what a disk or share that is not mounted looks'
                . ' like.', '', 'guard', false),
            ...Options::paths(),
            ...Options::connections(),
            Options::limit(),
            Options::format('the report'),
        ];
    }

    public function examples(): array
    {
        return [
            'live /var/aegir/platforms/shop' => 'Makes the servers of the cluster live equal to this machine.',
            'live /var/aegir/platforms/shop --dry-run --itemize' => 'Tells what that would change.',
            'live /var/aegir/platforms/shop --release=2024-11-23' => 'A release of its own; release-switch goes back.',
            'live /srv/app --servers=web1,web2 --exclude=*.log --exclude=/srv/app/tmp/' => 'Two of the servers, without logs and'
                . ' temporary files.',
        ];
    }

    public function exitStatuses(): array
    {
        return [
            0 => 'every server is as the source; of a dry run: every server could be compared',
            1 => 'a server failed, or was kept from switching',
            2 => 'wrong usage, topology or source; no server was touched',
            130 => 'stopped by Ctrl-C (143: by SIGTERM); the report says how each server was left',
        ];
    }

    protected function call(object $topology, Input $input, callable $progress): \JsonSerializable
    {
        $options = $input->forEngine($this->options());

        return $this->engine->sync($topology, $input->text('group'), $input->words('paths'), $options, $progress);
    }
}
