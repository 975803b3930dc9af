<?php

namespace Aegir\Scale\Console;

use Aegir\Scale\Command\Commands;
use Aegir\Scale\Command\Engine;
use Aegir\Scale\Command\ExitStatus;
use Aegir\Scale\Report\Text;
use Symfony\Component\Console\Application;
use Symfony\Component\Console\Exception\ExceptionInterface;
use Symfony\Component\Console\Input\InputInterface;

/** The program aegir-scale. */
final class Console
{
    public static function main(?InputInterface $input = null, Engine $engine = new Engine()): int
    {
        $application = new Application('aegir_scale', phpversion('aegir_scale') ?: 'without its extension');
        $application->setAutoExit(false);
        $application->setCatchExceptions(false);
        $application->addCommands(array_map(static fn ($command) => new ConsoleCommand($command), Commands::all($engine)));
        try {
            return $application->run($input);
        } catch (ExceptionInterface $e) {
            $why = Text::clean(rtrim(strtr($e->getMessage(), "\n", ' '), ' .'));
            fwrite(STDERR, "aegir-scale: $why; see aegir-scale help\n");
        }

        return ExitStatus::USAGE;
    }
}
