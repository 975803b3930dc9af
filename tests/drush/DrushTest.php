<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Command\Commands;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\Attributes\RequiresPhpExtension;
use PHPUnit\Framework\TestCase;

/** The Drush file against a stand-in of Drush's functions. */
final class DrushTest extends TestCase
{
    public function testEveryCommandIsThereWithItsOptions(): void
    {
        foreach (Commands::all() as $command) {
            $program = Program::standIn([], 'scale-' . $command->name(), '--help');
            self::assertSame(0, $program->status, $program->err);
            $record = json_decode(substr($program->out, (int) strrpos($program->out, "\n{")), true);
            $names = array_diff(array_column($command->options(), 'name'), ['include']);
            self::assertSame(array_values($names), array_keys($record['options']));
            self::assertStringContainsString('Exit status:', $program->out);
        }
    }

    /** @return iterable<array{list<string>, string}> */
    public static function wrongWords(): iterable
    {
        yield [['scale-sync', 'live', '/srv', '--bogus'], 'the option --bogus is unknown'];
        yield [['scale-sync', 'live', '/srv', '-x'], 'the option -x is unknown'];
        yield [['scale-sync', 'live'], 'paths is missing'];
        yield [['scale-run', 'live', 'ls', '-l'], 'the option -l is unknown'];
        yield [['scale-sync', 'live', '/srv', '--include=/srv/***'], '--filter='];
        yield [['scale-sync', 'live', '/srv', '--timeout'], '--timeout wants a value'];
        yield [['scale-topology-check', 'a', 'b'], '"b" is one word too many'];
    }

    /** @param list<string> $words */
    #[DataProvider('wrongWords')]
    public function testWrongWordsAreNamedInOneLine(array $words, string $named): void
    {
        $program = Program::standIn([], ...$words);
        self::assertSame([2, ''], [$program->status, $program->out], $program->err);
        self::assertMatchesRegularExpression('/\A\[error\] [^\n]*' . preg_quote($named) . '[^\n]*\n\z/', $program->err);
    }

    public function testAnErrorsControlCharactersAreShown(): void
    {
        $program = Program::standIn([], 'scale-sync', "--\e[31m");
        self::assertStringContainsString('\x1b[31m', $program->err);
    }

    public function testDrushsOwnOptionsAreNotOurs(): void
    {
        $program = Program::standIn([], 'scale-topology-check', '--nocolor', '-v', '/nonexistent');
        self::assertStringNotContainsString('unknown', $program->err);
    }

    #[RequiresPhpExtension('aegir_scale')]
    public function testACommandIsNotSimulated(): void
    {
        $program = Program::standIn(['contexts' => ['DRUSH_SIMULATE' => true]], 'scale-run', 'live', '--', 'ls');
        self::assertSame(2, $program->status);
        self::assertStringContainsString('simulated', $program->err);
    }

    #[RequiresPhpExtension('aegir_scale')]
    public function testOptionsOfTheConfigurationCount(): void
    {
        $program = Program::standIn(['specific' => ['topology' => '/nonexistent.yml']], 'scale-sync', 'live', '/srv');
        self::assertSame(2, $program->status);
        self::assertStringContainsString('/nonexistent.yml', $program->err);
    }
}
