<?php

namespace Aegir\Scale\Command;

final class ReleaseSwitchCommand extends ReleaseCommand
{
    public function name(): string
    {
        return 'release-switch';
    }

    public function summary(): string
    {
        return 'Makes a release the one that is served, on every server of a group.';
    }

    public function help(): array
    {
        return [
            'This is how one goes back to a release that was good, and forth again. On each server one symbolic link is renamed;'
            . ' files are not touched. Databases are not switched.',
            'No server switches unless all have the release. When a server fails in the switch, the others go back to what they'
            . ' served; --max-failures changes that.',
        ];
    }

    public function arguments(): array
    {
        return [...parent::arguments(), new Argument('release', 'The name of the release.')];
    }

    public function options(): array
    {
        return [
            Options::topology(),
            new Option('max-failures', OptionKind::Number, 'So many servers may fail without keeping the others from switching.'
                . ' Default: 0.', 'N', 'max_failures'),
            ...Options::connections(),
            Options::format('the report'),
        ];
    }

    public function examples(): array
    {
        return ['live /var/aegir/platforms/shop 2024-11-22' => 'Goes back to that release.'];
    }

    public function exitStatuses(): array
    {
        return [
            0 => 'every server serves the release',
            1 => 'a server failed, was kept from switching or was switched back',
            2 => 'wrong usage or topology; no server was touched',
            130 => 'stopped by Ctrl-C (143: by SIGTERM); the report says how each server was left',
        ];
    }

    protected function call(object $topology, Input $input, callable $progress): \JsonSerializable
    {
        $options = $input->forEngine($this->options());

        return $this->engine->switchRelease($topology, $input->text('group'), $input->text('path'), $input->text('release'), $options);
    }
}
