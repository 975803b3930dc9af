<?php

namespace Aegir\Scale\Command;

use Aegir\Scale\Report\Releases;

final class ReleasePruneCommand extends ReleaseCommand
{
    private const KEEP = 5;

    public function name(): string
    {
        return 'release-prune';
    }

    public function summary(): string
    {
        return 'Removes old releases of a path on every server of a group.';
    }

    public function help(): array
    {
        return [
            'Kept are the good releases that were served last, as many as --keep says, and always the one that is served and the'
            . ' good one that was served before it. What failed calls have left goes after a day. Uploads are in no release and'
            . ' stay.',
        ];
    }

    public function options(): array
    {
        return [
            Options::topology(),
            new Option('keep', OptionKind::Number, 'Keep so many good releases. Default: ' . self::KEEP . '.', 'N'),
            ...Options::connections(),
            Options::format('the report'),
        ];
    }

    public function examples(): array
    {
        return ['live /var/aegir/platforms/shop --keep=3' => 'Three releases are enough to go back to.'];
    }

    public function exitStatuses(): array
    {
        return [
            0 => 'every server has done it',
            1 => 'a server failed',
            2 => 'wrong usage or topology; no server was touched',
            130 => 'stopped by Ctrl-C (143: by SIGTERM)',
        ];
    }

    protected function call(object $topology, Input $input, callable $progress): \JsonSerializable
    {
        $options = $input->forEngine($this->options());
        $keep = $input->number('keep', self::KEEP);

        return $this->engine->pruneReleases($topology, $input->text('group'), $input->text('path'), $keep, $options);
    }

    protected function show(array $report, Input $input, Output $output): void
    {
        foreach ((new Releases($report))->removed() as $line) {
            $output->line($line);
        }
        parent::show($report, $input, $output);
    }
}
