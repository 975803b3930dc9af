<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Report\CommandReport;
use Aegir\Scale\Report\ServerReport;
use Aegir\Scale\Report\Table;
use PHPUnit\Framework\TestCase;

final class ReportTest extends TestCase
{
    public function testTableAlignsColumnsByWhatIsSeen(): void
    {
        self::assertSame(
            ['name   size', 'größe     1', 'b      1000'],
            Table::lines(['name', '>size'], [['größe', '1'], ['b', '1000']]),
        );
    }

    public function testServersAreARowEach(): void
    {
        $report = new ServerReport(Reports::sync([
            Reports::server('web1', 'synced'),
            Reports::server('web10', 'unchanged', ['bytesSent' => 10, 'seconds' => 10.0]),
        ]));
        self::assertSame([
            'server  outcome    files  deleted     sent  matched  seconds',
            'web1    synced         3        1  1.5 KiB      0 B      0.8',
            'web10   unchanged      3        1     10 B      0 B     10.0',
        ], $report->table());
        self::assertSame([], $report->bad());
        self::assertSame('2 servers: 1 synced, 1 unchanged; the source has 12 entries, 3.0 MiB; 1.2 s', $report->summary());
    }

    public function testABadServerIsOneLine(): void
    {
        $report = new ServerReport(Reports::sync([
            Reports::server('web1', 'staged', ['phase' => 'staged', 'error' => 'web2 failed']),
            Reports::server('web0', 'staged', ['phase' => 'staged']),
            Reports::server('web2', 'failed', ['phase' => 'transfer', 'error' => "disk\nfull", 'path' => "/srv/\xff"]),
            Reports::server('web3', 'failed', ['phase' => 'list', 'error' => 'cannot open /srv', 'path' => '/srv']),
            Reports::server('web4', 'skipped', ['phase' => 'connect']),
        ], false));
        self::assertSame([
            'web1: staged: web2 failed',
            'web0: staged: it was ready, but another server was not; it serves what it served before',
            'web2: failed in transfer: disk\nfull (/srv/\xff)',
            'web3: failed in list: cannot open /srv',
            'web4: skipped: the call ended before it was its turn',
        ], $report->bad());
        self::assertSame('5 of 5 servers are not as the source', $report->failure());
    }

    public function testChangesAreLimitedPerServer(): void
    {
        $change = static fn (int $i): array => ['path' => "/srv/$i\n", 'code' => '<f.st......'];
        $report = new ServerReport(Reports::sync([
            Reports::server('web1', 'differs', ['changes' => array_map($change, range(1, 5))]),
            Reports::server('web2', 'unchanged'),
            Reports::server('web3', 'differs', ['changes' => [['path' => '/srv/x', 'code' => '*deleting']]]),
        ]));
        self::assertSame([
            'web1: 5 paths',
            '  <f.st...... /srv/1\n',
            '  <f.st...... /srv/2\n',
            '  … and 3 more',
            'web3: 1 path',
            '  *deleting   /srv/x',
        ], $report->changes(2));
        self::assertCount(8, $report->changes(0));
        self::assertCount(8, $report->changes(5));
    }

    public function testOutputHasItsServerInFront(): void
    {
        $report = new CommandReport(Reports::run([
            Reports::ran('web1', 0, "one\ntwo\n"),
            Reports::ran('web2', 3, '', ['stderr' => "\e[31mno\n", 'truncated' => true]),
        ], false));
        self::assertSame([
            [false, 'web1: one'],
            [false, 'web1: two'],
            [true, 'web2 (stderr): \x1b[31mno'],
            [true, 'web2 (stderr): there was more output than is kept'],
        ], iterator_to_array($report->output(), false));
    }

    public function testExitsAreARowEach(): void
    {
        $report = new CommandReport(Reports::run([
            Reports::ran('web1', 0),
            Reports::ran('web2', 3),
            Reports::ran('web3', 'KILL'),
            Reports::ran('web4', null, '', ['error' => 'timed out after 5 s']),
            Reports::ran('web5', null, '', ['outcome' => 'skipped']),
        ], false));
        self::assertSame([
            'server  outcome  exit  seconds',
            'web1    ok          0      0.1',
            'web2    failed      3      0.1',
            'web3    failed   KILL      0.1',
            'web4    failed      -      0.1',
            'web5    skipped     -      0.1',
        ], $report->table());
        self::assertSame([
            'web2: exit status 3',
            'web3: killed by signal KILL',
            'web4: timed out after 5 s',
            'web5: skipped: the call ended before it was its turn',
        ], $report->bad());
        self::assertSame('5 servers: 1 exited with 0; 0.5 s', $report->summary());
    }
}
