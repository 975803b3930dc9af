<?php

namespace Aegir\Scale\Command;

final class ReleaseListCommand extends ReleaseCommand
{
    public function name(): string
    {
        return 'release-list';
    }

    public function summary(): string
    {
        return 'Lists the releases of a path on every server of a group.';
    }

    public function help(): array
    {
        return [
            'A release is what sync --release=NAME made: PATH/.releases/NAME. The symbolic link PATH/current leads to the one that'
            . ' is served.',
            'In the list, newest first, the one that is served has a star in front. A release is good when it was switched to in'
            . ' a call that ended well; others are in brackets. Behind the list is what a failed sync began: a sync into the same'
            . ' release goes on with it.',
        ];
    }

    public function options(): array
    {
        return [Options::topology(), ...Options::connections(), Options::format('the report')];
    }

    public function examples(): array
    {
        return ['live /var/aegir/platforms/shop' => 'Which releases are on the servers of the cluster live?'];
    }

    public function exitStatuses(): array
    {
        return [
            0 => 'every server answered',
            1 => 'a server could not be asked',
            2 => 'wrong usage or topology; no server was asked',
            130 => 'stopped by Ctrl-C (143: by SIGTERM)',
        ];
    }

    protected function call(object $topology, Input $input, callable $progress): \JsonSerializable
    {
        $options = $input->forEngine($this->options());

        return $this->engine->releases($topology, $input->text('group'), $input->text('path'), $options);
    }
}
