<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Command\Commands;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

final class ConsoleTest extends TestCase
{
    public function testHelpTeaches(): void
    {
        foreach (Commands::all() as $command) {
            $program = Program::console('help', $command->name());
            self::assertSame(0, $program->status);
            self::assertStringContainsString("aegir-scale {$command->name()} " . array_key_first($command->examples()), $program->out);
            self::assertStringContainsString('Exit status:', $program->out);
            foreach ($command->options() as $option) {
                self::assertStringContainsString("--{$option->name}", $program->out);
            }
        }
    }

    /** @return iterable<array{list<string>, string}> */
    public static function wrongWords(): iterable
    {
        yield [['sync', 'live', '/srv', '--bogus'], '--bogus'];
        yield [['sync', 'live'], 'paths'];
        yield [['frobnicate'], 'frobnicate'];
        yield [['run', 'live', 'ls', '-l'], '-l'];
        yield [['sync', 'live', '/srv', '--dry-run=1'], '--dry-run'];
    }

    /** @param list<string> $words */
    #[DataProvider('wrongWords')]
    public function testWrongWordsAreNamedInOneLine(array $words, string $named): void
    {
        $program = Program::console(...$words);
        self::assertSame([2, ''], [$program->status, $program->out]);
        self::assertMatchesRegularExpression('/\Aaegir-scale: [^\n]*' . preg_quote($named) . '[^\n]*\n\z/', $program->err);
    }

    public function testWithoutTheExtensionItSaysHowToLoadIt(): void
    {
        $words = [PHP_BINARY, Program::top() . '/php/bin/aegir-scale', 'sync', 'live', '/srv'];
        $program = Program::run($words, ['PHP_INI_SCAN_DIR' => '']);
        self::assertSame([2, ''], [$program->status, $program->out]);
        self::assertStringContainsString('extension=aegir_scale', $program->err);
    }
}
