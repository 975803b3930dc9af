<?php

namespace Aegir\Scale\Command;

use Aegir\Scale\Report\CheckReport;
use Aegir\Scale\Report\Finding;
use Aegir\Scale\Report\Table;
use Aegir\Scale\Report\Text;

final class CheckCommand extends ClusterCommand
{
    private const DEFAULT_PATH = '/var/aegir';

    public function name(): string
    {
        return 'check';
    }

    public function summary(): string
    {
        return 'Examines the servers of a group and says what is wrong, and how to mend it.';
    }

    public function help(): array
    {
        return [
            'Looked at: can we log in, the versions of rsync and sshd, the clock, numeric user and group, free space, inodes and the right to'
            . ' write where the paths are; and in how many entries each server differs from the paths here. Nothing is changed.',
            'An error breaks something now. A warning may later.',
        ];
    }

    public function arguments(): array
    {
        return [
            new Argument('group', 'A cluster, a pack or a server of the topology.'),
            new Argument('paths', 'Absolute paths of this machine to compare with the servers. Default: nothing is compared, and the disk'
                . ' of ' . self::DEFAULT_PATH . ' is looked at.', isRequired: false, isList: true),
        ];
    }

    public function options(): array
    {
        return [Options::topology(), ...Options::connections(), Options::format('{"ok", "servers", "findings"}')];
    }

    public function examples(): array
    {
        return [
            'live' => 'Are the servers of the cluster live fit for work?',
            'live /var/aegir/platforms/shop' => 'The same, and are they as this machine?',
        ];
    }

    public function exitStatuses(): array
    {
        return [0 => 'no error was found; there may be warnings', 1 => 'there are errors', 2 => 'wrong usage or topology', 130 => 'stopped by Ctrl-C (143: by SIGTERM)'];
    }

    protected function call(object $topology, Input $input, callable $progress): \JsonSerializable
    {
        $options = $input->forEngine($this->options());
        $group = $input->text('group');
        $paths = $input->words('paths');
        $before = microtime(true);
        $report = $this->engine->run($topology, $group, Probe::argv($paths ?: [self::DEFAULT_PATH]), $options, $progress)->jsonSerialize();
        $after = microtime(true);
        $rows = $findings = $ids = [];
        foreach ($report['servers'] as $name => $result) {
            if ($result['outcome'] !== 'synced') {
                $rows[$name] = ['rsync' => null, 'sshd' => null, 'user' => null, 'disk' => null, 'differs' => null];
                $findings[] = new Finding($name, true, (string) ($result['error'] ?? 'it was not asked'), 'see that sshd runs there and lets us in: ssh -v shows why not');
                continue;
            }
            $probe = Probe::read($name, $result['stdout']);
            $ids[$name] = ($probe->facts['uid'] ?? '?') . ':' . ($probe->facts['gid'] ?? '?');
            $rows[$name] = ['rsync' => $probe->facts['rsync'] ?? null, 'sshd' => $probe->facts['sshd'] ?? null,
                'user' => ($probe->facts['user'] ?? '?') . " ($ids[$name])", 'disk' => $probe->fullest(), 'differs' => null];
            $findings = [...$findings, ...$probe->findings($before, $after)];
        }
        $findings = [...$findings, ...self::ofIds($ids)];
        foreach ($this->engine->missed() as $name => $count) {
            $findings[] = new Finding($name, true, 'it has missed ' . Text::count($count, 'change') . ' of earlier tasks', 'the next task that speaks to it makes up for that; verify a'
                . ' platform or a site');
        }
        $well = array_keys($ids);
        if ($paths !== [] && $well !== []) {
            $status = $this->engine->status($topology, $group, $paths, ['servers' => $well, 'omit_dir_times' => true] + $options)->jsonSerialize();
            foreach ($status['servers'] as $name => $result) {
                [$rows[$name]['differs'], $drift] = self::ofDrift($name, $result);
                $findings = [...$findings, ...$drift];
            }
        }

        return new CheckReport($rows, $findings, round(microtime(true) - $before, 3));
    }

    protected function show(array $report, Input $input, Output $output): void
    {
        $rows = [];
        foreach ($report['servers'] as $name => $row) {
            $rows[] = [Text::clean((string) $name), ...array_map(static fn (?string $cell): string => $cell ?? '-', array_values($row))];
        }
        foreach (Table::lines(['server', 'rsync', 'sshd', 'user (uid:gid)', '>disk', '>differs'], $rows) as $line) {
            $output->line($line);
        }
    }

    protected function bad(array $report): array
    {
        return array_map(static function (Finding $finding): string {
            $plain = $finding->jsonSerialize();
            return Text::clean($plain['server']) . ": {$plain['level']}: {$plain['found']}; {$plain['fix']}";
        }, $report['findings']);
    }

    protected function failure(array $report): string
    {
        $bad = count(array_filter($report['findings'], static fn (Finding $f): bool => $f->isBad));

        return Text::count($bad, 'error') . ' on ' . Text::count(count($report['servers']), 'server');
    }

    /**
     * Files on shared storage belong to numbers: they must be the same everywhere.
     *
     * @param array<string, string> $ids "uid:gid" by server
     * @return list<Finding>
     */
    private static function ofIds(array $ids): array
    {
        $counts = array_count_values($ids);
        arsort($counts);
        $usual = (string) array_key_first($counts);
        $odd = array_filter($ids, static fn (string $id): bool => $id !== $usual);

        return array_map(static fn (string $name, string $id): Finding => new Finding(
            $name,
            false,
            "its user is number $id, that of most servers $usual: files on shared storage would belong to somebody else",
            'give the user and its group the same numbers on all servers (usermod -u, groupmod -g)',
        ), array_keys($odd), array_values($odd));
    }

    /**
     * @param array<string, mixed> $result of a status
     * @return array{string, list<Finding>}
     */
    private static function ofDrift(string $name, array $result): array
    {
        $count = count($result['changes']);
        if ($result['outcome'] === 'unchanged') {
            return ['0', []];
        }
        if ($result['outcome'] !== 'differs') {
            return ['?', [new Finding($name, true, "it could not be compared: {$result['error']}", 'mend that and check again')]];
        }

        return [(string) $count, [new Finding($name, false, 'it differs from this machine in ' . Text::count($count, 'entry', 'entries'),
            'aegir-scale status lists them, aegir-scale sync makes it equal')]];
    }
}
