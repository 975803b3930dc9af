<?php

namespace Aegir\Scale\Command;

/** The words behind a command's name, sorted into arguments and options, for a front end that cannot do it itself. */
final class Words
{
    /** @var list<string> */
    public array $arguments = [];
    /** @var array<string, true|string|list<string>> lists for what may be repeated */
    public array $options = [];
    /** @var list<string> options that are none of the command's, as they were typed */
    public array $unknown = [];

    /** @param list<string> $words */
    public function __construct(Command $command, array $words)
    {
        $known = array_column($command->options(), null, 'name');
        while (($word = array_shift($words)) !== null) {
            if ($word === '--') {
                array_push($this->arguments, ...$words);
                break;
            }
            if (!str_starts_with($word, '-') || $word === '-') {
                $this->arguments[] = $word;
                continue;
            }
            [$name, $value] = explode('=', substr($word, 2), 2) + [1 => true];
            if (!str_starts_with($word, '--') || !isset($known[$name])) {
                $this->unknown[] = $word;
                continue;
            }
            $this->take($known[$name], $value);
        }
    }

    private function take(Option $option, bool|string $value): void
    {
        if ($option->takesValue() && $value === true) {
            throw new UsageException("--{$option->name} wants a value: --{$option->name}={$option->value}");
        }
        if (!$option->takesValue() && $value !== true) {
            throw new UsageException("--{$option->name} takes no value");
        }
        if ($option->isRepeated()) {
            $this->options[$option->name][] = $value;
        } else {
            $this->options[$option->name] = $value;
        }
    }
}
