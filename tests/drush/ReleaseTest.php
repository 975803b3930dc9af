<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Command\Commands;
use Aegir\Scale\Command\Input;
use PHPUnit\Framework\TestCase;

final class ReleaseTest extends TestCase
{
    private const WHERE = ['group' => 'live', 'path' => '/srv'];

    private FakeEngine $engine;
    private FakeOutput $output;

    protected function setUp(): void
    {
        $this->engine = new FakeEngine(self::report([self::server('web1')]));
        $this->output = new FakeOutput();
    }

    public function testTheListMarksWhatIsServedAndWhatIsNotGood(): void
    {
        $this->engine->report = self::report([self::server('web1', ['releases' => ['r3', 'r2', 'r1'], 'unfinished' => ['r4']])]);
        self::assertSame(0, $this->call('release-list', self::WHERE));
        self::assertSame([
            'server  outcome    current  last good  releases',
            'web1    unchanged  r2       r1         (r3) *r2 r1 unfinished: r4',
        ], $this->output->lines);
    }

    public function testAServerWithoutReleasesHasDashes(): void
    {
        $none = ['current' => null, 'lastGood' => null, 'releases' => [], 'good' => []];
        $this->engine->report = self::report([self::server('web1', $none)]);
        self::assertSame(0, $this->call('release-list', self::WHERE));
        self::assertSame('web1    unchanged  -        -', $this->output->lines[1]);
    }

    public function testASwitchNamesTheRelease(): void
    {
        self::assertSame(0, $this->call('release-switch', self::WHERE + ['release' => 'r1'], ['max-failures' => '1']));
        self::assertSame('r1', $this->engine->asked['id']);
        self::assertSame(['max_failures' => 1], $this->engine->asked['options']);
    }

    public function testAServerThatFailedIsBad(): void
    {
        $this->engine->report = self::report([
            self::server('web1', ['outcome' => 'staged', 'error' => 'was switched back to r2, because web2 failed']),
            self::server('web2', ['outcome' => 'failed', 'error' => "no\x07"]),
        ], false);
        self::assertSame(1, $this->call('release-switch', self::WHERE + ['release' => 'r1']));
        self::assertSame(['web1: was switched back to r2, because web2 failed', 'web2: no\x07'], $this->output->bad);
        self::assertSame(['2 of 2 servers did not do it'], $this->output->failures);
    }

    public function testAPruneSaysWhatItRemoved(): void
    {
        $this->engine->report = self::report([self::server('web1', ['removed' => ['r0', 'r9']])]);
        self::assertSame(0, $this->call('release-prune', self::WHERE));
        self::assertSame(5, $this->engine->asked['keep']);
        self::assertSame('web1: removed r0 r9', $this->output->lines[0]);
        $this->engine->asked = [];
        self::assertSame(0, $this->call('release-prune', self::WHERE, ['keep' => '0']));
        self::assertSame(0, $this->engine->asked['keep']);
    }

    private function call(string $command, array $arguments, array $options = []): int
    {
        return Commands::named($command, $this->engine)->run(new Input($arguments, $options), $this->output);
    }

    /** @param list<array<string, mixed>> $servers */
    private static function report(array $servers, bool $ok = true): array
    {
        return ['ok' => $ok, 'seconds' => 0.5, 'servers' => array_column($servers, null, 'server')];
    }

    private static function server(string $name, array $more = []): array
    {
        return $more + [
            'server' => $name,
            'outcome' => 'unchanged',
            'current' => 'r2',
            'lastGood' => 'r1',
            'releases' => ['r2', 'r1'],
            'good' => ['r2', 'r1'],
            'unfinished' => [],
            'removed' => [],
            'seconds' => 0.1,
            'error' => null,
        ];
    }
}
