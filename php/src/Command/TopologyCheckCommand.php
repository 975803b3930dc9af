<?php

namespace Aegir\Scale\Command;

use Aegir\Scale\Report\Text;

final class TopologyCheckCommand extends Command
{
    private const PARTS = [
        'servers' => ['server', 'servers'],
        'storage' => ['storage', 'storages'],
        'clusters' => ['cluster', 'clusters'],
        'packs' => ['pack', 'packs'],
        'balancers' => ['balancer', 'balancers'],
    ];

    public function name(): string
    {
        return 'topology-check';
    }

    public function summary(): string
    {
        return 'Says everything that is wrong with a topology file.';
    }

    public function help(): array
    {
        return [
            'Every problem is a line of its own: file:line:column: what was found and what would be right. No server is'
            . ' asked.',
        ];
    }

    public function arguments(): array
    {
        return [
            new Argument('file', 'The YAML file. Default: the environment variable AEGIR_SCALE_TOPOLOGY, else '
                . self::TOPOLOGY . '.', isRequired: false),
        ];
    }

    public function options(): array
    {
        return [Options::format('{"ok", "file", "problems"}')];
    }

    public function examples(): array
    {
        return ['topology.yml' => 'Checks that file.'];
    }

    public function exitStatuses(): array
    {
        return [0 => 'nothing is wrong', 1 => 'there are problems', 2 => 'wrong usage, or the file cannot be read'];
    }

    protected function perform(Input $input, Output $output): int
    {
        $isJson = $this->wantsJson($input);
        $file = $input->text('file');
        $file = $file === '' ? self::defaultTopology() : $file;
        $problems = $this->engine->problems($file);
        if ($isJson) {
            $output->line(Text::json(['ok' => $problems === [], 'file' => Text::clean($file), 'problems' => $problems]));
        } else {
            $this->show($file, $problems, $output);
        }
        if ($problems === []) {
            return ExitStatus::OK;
        }
        $output->fail('the topology has ' . Text::count(count($problems), 'problem'));

        return ExitStatus::BAD;
    }

    /** @param list<\Stringable> $problems */
    private function show(string $file, array $problems, Output $output): void
    {
        foreach ($problems as $problem) {
            $output->line(Text::clean((string) $problem));
        }
        if ($problems === [] && !$output->isQuiet()) {
            $output->line(Text::clean($file) . ': ' . $this->contents($file));
        }
    }

    /** "2 servers, 1 cluster" */
    private function contents(string $file): string
    {
        $tree = $this->engine->topology($file)->toArray();
        $counts = [];
        foreach (self::PARTS as $key => [$one, $many]) {
            if (!empty($tree[$key])) {
                $counts[] = Text::count(count($tree[$key]), $one, $many);
            }
        }

        return $counts === [] ? 'nothing is wrong, but nothing is in it' : implode(', ', $counts);
    }
}
