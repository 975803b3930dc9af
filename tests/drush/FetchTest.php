<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Command\Commands;
use Aegir\Scale\Command\Input;
use PHPUnit\Framework\TestCase;

final class FetchTest extends TestCase
{
    public function testConflictsAreToldAndNoFailure(): void
    {
        $engine = new FakeEngine(Reports::sync([Reports::server('web1', 'synced')], true, ["/srv/a has other content on web1\x07"]));
        $output = new FakeOutput();
        $input = new Input(['group' => 'live', 'paths' => ['/srv']], ['exclude' => ['*.log'], 'limit' => '0']);
        self::assertSame(0, Commands::named('fetch', $engine)->run($input, $output));
        self::assertSame(['exclude' => ['*.log']], $engine->asked['options']);
        self::assertSame(['/srv/a has other content on web1\x07'], $output->bad);
        self::assertStringStartsWith('12 files put in place', end($output->lines));
    }

    public function testAServerThatFailedIsAFailure(): void
    {
        $engine = new FakeEngine(Reports::sync([Reports::server('web1', 'failed', ['error' => 'no'])], false));
        $output = new FakeOutput();
        self::assertSame(1, Commands::named('fetch', $engine)->run(new Input(['group' => 'live', 'paths' => ['/srv']]), $output));
        self::assertSame(['1 of 1 server could not be fetched from'], $output->failures);
    }
}
