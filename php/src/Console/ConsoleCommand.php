<?php

namespace Aegir\Scale\Console;

use Aegir\Scale\Command\Command;
use Aegir\Scale\Command\Input;
use Symfony\Component\Console\Command\Command as SymfonyCommand;
use Symfony\Component\Console\Formatter\OutputFormatter;
use Symfony\Component\Console\Input\InputArgument;
use Symfony\Component\Console\Input\InputInterface;
use Symfony\Component\Console\Input\InputOption;
use Symfony\Component\Console\Output\OutputInterface;

/** One of our commands, for symfony/console. */
final class ConsoleCommand extends SymfonyCommand
{
    public function __construct(private readonly Command $command)
    {
        parent::__construct($command->name());
    }

    protected function configure(): void
    {
        $this->setDescription($this->command->summary());
        $this->setHelp(OutputFormatter::escape($this->helpText()));
        foreach ($this->command->arguments() as $argument) {
            $mode = ($argument->isRequired ? InputArgument::REQUIRED : InputArgument::OPTIONAL)
                | ($argument->isList ? InputArgument::IS_ARRAY : 0);
            $this->addArgument($argument->name, $mode, OutputFormatter::escape($argument->help));
        }
        foreach ($this->command->options() as $option) {
            $mode = ($option->takesValue() ? InputOption::VALUE_REQUIRED : InputOption::VALUE_NONE)
                | ($option->isRepeated() ? InputOption::VALUE_IS_ARRAY : 0);
            $this->addOption($option->name, null, $mode, OutputFormatter::escape($option->help));
        }
    }

    protected function execute(InputInterface $input, OutputInterface $output): int
    {
        $given = array_filter(
            array_intersect_key($input->getOptions(), array_column($this->command->options(), null, 'name')),
            static fn ($value): bool => !in_array($value, [null, false, []], true),
        );
        $arguments = array_filter(
            array_intersect_key($input->getArguments(), array_column($this->command->arguments(), null, 'name')),
            static fn ($value): bool => $value !== null,
        );

        return $this->command->run(
            new Input($arguments, $given, $output->isVerbose()),
            new ConsoleOutput($output->isQuiet()),
        );
    }

    private function helpText(): string
    {
        $text = implode("\n\n", $this->command->help()) . "\n\nExamples:\n";
        foreach ($this->command->examples() as $words => $what) {
            $text .= "  aegir-scale {$this->command->name()} $words\n      $what\n";
        }
        $text .= "\nExit status:\n";
        foreach ($this->command->exitStatuses() as $status => $what) {
            $text .= sprintf("  %3d  %s\n", $status, $what);
        }

        return $text;
    }
}
