<?php

namespace Aegir\Scale\Command;

/** What was typed: arguments by their name, and those options that were given. */
final readonly class Input
{
    /**
     * @param array<string, string|list<string>> $arguments
     * @param array<string, bool|string|list<string>> $options
     */
    public function __construct(
        public array $arguments,
        public array $options = [],
        public bool $isVerbose = false,
    ) {
    }

    /**
     * The words on one line, in the order of the command's arguments.
     *
     * @param list<string> $words
     * @param array<string, bool|string|list<string>> $options
     */
    public static function of(Command $command, array $words, array $options, bool $isVerbose = false): self
    {
        $arguments = [];
        foreach ($command->arguments() as $argument) {
            if ($words === [] && $argument->isRequired) {
                throw new UsageException("{$argument->name} is missing");
            }
            if ($words !== []) {
                $arguments[$argument->name] = $argument->isList ? array_splice($words, 0) : array_shift($words);
            }
        }
        if ($words !== []) {
            throw new UsageException("\"$words[0]\" is one word too many");
        }

        return new self($arguments, $options, $isVerbose);
    }

    public function text(string $argument): string
    {
        return $this->arguments[$argument] ?? '';
    }

    /** @return list<string> */
    public function words(string $argument): array
    {
        return $this->arguments[$argument] ?? [];
    }

    public function option(string $name, string $default): string
    {
        $value = $this->options[$name] ?? $default;

        return (string) (is_array($value) ? end($value) : $value);
    }

    public function number(string $name, int $default): int
    {
        return (int) $this->option($name, (string) $default);
    }

    /**
     * The options that are the extension's, under its names.
     *
     * @param list<Option> $options
     * @return array<string, bool|int|string|list<string>>
     */
    public function forEngine(array $options): array
    {
        $out = [];
        foreach ($options as $option) {
            if ($option->key !== null && isset($this->options[$option->name])) {
                $out[$option->key] = $option->read($this->options[$option->name]);
            }
        }

        return $out;
    }
}
