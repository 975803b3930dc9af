<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\CancelledException;
use Aegir\Scale\Command\Command;
use Aegir\Scale\Command\Commands;
use Aegir\Scale\Command\Input;
use Aegir\Scale\ScaleException;
use PHPUnit\Framework\Attributes\RequiresPhpExtension;
use PHPUnit\Framework\TestCase;

final class CommandTest extends TestCase
{
    private FakeEngine $engine;
    private FakeOutput $output;

    protected function setUp(): void
    {
        $this->engine = new FakeEngine(Reports::sync([Reports::server('web1', 'synced')]));
        $this->output = new FakeOutput();
        putenv('AEGIR_SCALE_TOPOLOGY');
    }

    private function sync(array $options = []): int
    {
        return $this->call('sync', ['group' => 'live', 'paths' => ['/srv']], $options);
    }

    private function call(string $command, array $arguments, array $options = []): int
    {
        return Commands::named($command, $this->engine)->run(new Input($arguments, $options), $this->output);
    }

    public function testAGoodSyncIsATableAndZero(): void
    {
        self::assertSame(0, $this->sync(['no-delete' => true, 'topology' => '/t.yml']));
        self::assertSame(
            ['file' => '/t.yml', 'group' => 'live', 'paths' => ['/srv'], 'options' => ['delete' => false]],
            $this->engine->asked,
        );
        self::assertCount(3, $this->output->lines);
        self::assertSame([], [...$this->output->failures, ...$this->output->bad, ...$this->output->notes]);
    }

    public function testJsonIsTheReportAndNothingElse(): void
    {
        $this->engine->report = Reports::sync([Reports::server('web1', 'failed', ['error' => 'no'])], false);
        self::assertSame(1, $this->sync(['format' => 'json']));
        self::assertSame([json_encode($this->engine->report, JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION)], $this->output->lines);
        self::assertSame(['web1: failed in done: no'], $this->output->notes);
        self::assertCount(1, $this->output->failures);
    }

    public function testABadServerIsListedBelowTheTable(): void
    {
        $this->engine->report = Reports::sync([Reports::server('web1', 'failed', ['error' => 'no'])], false, ["\x07gone"]);
        self::assertSame(1, $this->sync());
        self::assertSame(['the source: \x07gone', 'web1: failed in done: no'], $this->output->bad);
    }

    public function testQuietSaysNothingWhenAllIsWell(): void
    {
        $this->output->isQuiet = true;
        self::assertSame(0, $this->sync());
        self::assertSame([], $this->output->lines);
        $this->sync(['format' => 'json']);
        self::assertCount(1, $this->output->lines);
    }

    public function testTheTopologyIsFoundByTheEnvironment(): void
    {
        $this->sync();
        self::assertSame(Command::TOPOLOGY, $this->engine->asked['file']);
        $this->engine->asked = [];
        putenv('AEGIR_SCALE_TOPOLOGY=/other.yml');
        $this->sync();
        self::assertSame('/other.yml', $this->engine->asked['file']);
    }

    public function testABadValueIsFoundBeforeAnythingIsDone(): void
    {
        foreach (['limit' => 'x', 'parallel' => '-1', 'timeout' => '1.5', 'format' => 'xml'] as $option => $value) {
            self::assertSame(2, $this->sync([$option => $value]));
            self::assertStringStartsWith("--$option is \"$value\", want ", end($this->output->failures));
        }
        self::assertSame([], $this->engine->asked);
    }

    public function testWhatTheExtensionRefusesIsSaidInOurWords(): void
    {
        $this->engine->throws = new \ValueError(
            'Aegir\Scale\cluster_sync(): Argument #4 ($options) is wrong: option max_failures is 9999, want a number from 0 to 1024',
        );
        self::assertSame(2, $this->sync());
        self::assertSame(['--max-failures is 9999, want a number from 0 to 1024'], $this->output->failures);
    }

    public function testWithoutTheExtensionWeSayHowToLoadIt(): void
    {
        $this->engine->isLoaded = false;
        self::assertSame(2, $this->sync());
        self::assertStringContainsString('extension=aegir_scale', $this->output->failures[0]);
    }

    #[RequiresPhpExtension('aegir_scale')]
    public function testAWrongGroupIsUsage(): void
    {
        $this->engine->throws = new ScaleException("there is no group \"a\nb\"");
        self::assertSame(2, $this->sync());
        self::assertSame(['there is no group "a\nb"'], $this->output->failures);
    }

    #[RequiresPhpExtension('aegir_scale')]
    public function testACancelledCallIsNotWell(): void
    {
        $this->engine->throws = new CancelledException('the time limit passed');
        self::assertSame(1, $this->sync());
        self::assertSame(['cancelled: the time limit passed'], $this->output->failures);
    }

    public function testRunGivesItsInputAndPrintsItsOutput(): void
    {
        $this->engine->report = Reports::run([Reports::ran('web1', 0, "hello\n", ['stderr' => "hm\n"])]);
        $words = ['group' => 'live', 'words' => ['cat', '-']];
        self::assertSame(0, $this->call('run', $words, ['input' => __FILE__]));
        self::assertSame(['cat', '-'], $this->engine->asked['argv']);
        self::assertStringEqualsFile(__FILE__, $this->engine->asked['options']['input']);
        self::assertSame('web1: hello', $this->output->lines[0]);
        self::assertSame(['web1 (stderr): hm'], $this->output->notes);
        self::assertSame(2, $this->call('run', $words, ['input' => '/nonexistent']));
    }

    public function testAServerThatDiffersIsNotWell(): void
    {
        $change = ['path' => '/srv/a', 'code' => '<f+++++++++'];
        $this->engine->report = Reports::sync([Reports::server('web1', 'differs', ['changes' => [$change, $change]])], false);
        self::assertSame(1, $this->call('status', ['group' => 'live', 'paths' => ['/srv']], ['limit' => '1']));
        self::assertSame(['web1: 2 paths', '  <f+++++++++ /srv/a', '  … and 1 more'], array_slice($this->output->lines, 0, 3));
    }
}
