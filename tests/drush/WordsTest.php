<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Command\Commands;
use Aegir\Scale\Command\Input;
use Aegir\Scale\Command\UsageException;
use Aegir\Scale\Command\Words;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

final class WordsTest extends TestCase
{
    public function testWordsAreSortedIntoArgumentsAndOptions(): void
    {
        $words = new Words(
            Commands::named('sync'),
            ['live', '--exclude=a,b', '/srv', '--dry-run', '--exclude=c=d', '--timeout=5', '--timeout=6', '--', '--x'],
        );
        self::assertSame(['live', '/srv', '--x'], $words->arguments);
        self::assertSame(['exclude' => ['a,b', 'c=d'], 'dry-run' => true, 'timeout' => '6'], $words->options);
        self::assertSame([], $words->unknown);
    }

    public function testWhatIsBehindTheDashesBelongsToTheServers(): void
    {
        $words = new Words(Commands::named('run'), ['--timeout=5', 'live', '--', 'ls', '--timeout=9', '-l', '--']);
        self::assertSame(['live', 'ls', '--timeout=9', '-l', '--'], $words->arguments);
        self::assertSame(['timeout' => '5'], $words->options);
    }

    public function testUnknownOptionsAreNamed(): void
    {
        self::assertSame(['--bogus=1', '-x'], (new Words(Commands::named('run'), ['--bogus=1', 'live', '-x']))->unknown);
    }

    /** @return iterable<array{string}> */
    public static function badOptions(): iterable
    {
        yield ['--timeout'];
        yield ['--dry-run=yes'];
    }

    #[DataProvider('badOptions')]
    public function testAValueTooManyOrTooFewIsRefused(string $word): void
    {
        $this->expectException(UsageException::class);
        new Words(Commands::named('sync'), [$word]);
    }

    public function testEveryOptionOfSyncReachesTheExtension(): void
    {
        $command = Commands::named('sync');
        $words = new Words($command, [
            '--dry-run', '--itemize', '--commit=each', '--max-failures=2', '--no-delete', '--filter=- a', '--filter=+ b', '--include=c',
            '--exclude=d', '--protect=', '--no-relative', '--keep-dirlinks', '--omit-dir-times', '--checksum', '--numeric-ids', '--update',
            '--compress=none', '--servers=web1,web2', '--servers=web3', '--parallel=4', '--connect-timeout=5', '--timeout=6',
        ]);
        $expected = [
            'dry_run' => true, 'itemize' => true, 'commit' => 'each', 'max_failures' => 2, 'delete' => false, 'filter' => ['- a', '+ b'],
            'include' => ['c'], 'exclude' => ['d'], 'protect' => [], 'relative' => false, 'keep_dirlinks' => true, 'omit_dir_times' => true,
            'checksum' => true, 'numeric_ids' => true, 'update' => true, 'compress' => 'none', 'servers' => ['web1', 'web2', 'web3'],
            'parallel' => 4, 'connect_timeout' => 5, 'timeout' => 6,
        ];
        $options = (new Input([], $words->options))->forEngine($command->options());
        self::assertEquals($expected, $options);
        self::assertSame(array_diff_key($options, $expected), array_diff_key($expected, $options));
    }

    public function testOptionsThatWereNotGivenAreLeftToTheExtension(): void
    {
        self::assertSame([], (new Input([], []))->forEngine(Commands::named('sync')->options()));
    }

    public function testTooManyWordsAreRefused(): void
    {
        $this->expectExceptionMessage('"b" is one word too many');
        Input::of(Commands::named('topology-check'), ['a', 'b'], []);
    }

    public function testAMissingWordIsNamed(): void
    {
        $this->expectExceptionMessage('paths is missing');
        Input::of(Commands::named('sync'), ['live'], []);
    }

    public function testEveryCommandTeaches(): void
    {
        foreach (Commands::all() as $command) {
            self::assertNotSame([], $command->examples());
            self::assertArrayHasKey(2, $command->exitStatuses());
            foreach ($command->options() as $option) {
                self::assertStringContainsString('Default: ', $option->help . ($option->isRepeated() ? 'Default: ' : ''), $option->name);
                self::assertSame($option->takesValue(), $option->value !== '', $option->name);
            }
        }
    }
}
