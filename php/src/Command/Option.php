<?php

namespace Aegir\Scale\Command;

/** An option of a command, and what the extension calls it. */
final readonly class Option
{
    /**
     * @param string $name as it is typed, without the dashes
     * @param string $help what it means and its default
     * @param string $value what the help calls its value; "" of a flag
     * @param string|null $key the extension's name; null when it is none of the extension's
     * @param bool $given what a flag means to the extension
     */
    public function __construct(
        public string $name,
        public OptionKind $kind,
        public string $help,
        public string $value = '',
        public ?string $key = null,
        public bool $given = true,
    ) {
    }

    public function takesValue(): bool
    {
        return $this->kind !== OptionKind::Flag;
    }

    public function isRepeated(): bool
    {
        return $this->kind === OptionKind::Repeated || $this->kind === OptionKind::Names;
    }

    /**
     * The value as the extension wants it.
     *
     * @param bool|string|list<string> $value as it was typed; the last of several counts, but for what may be repeated
     * @return bool|int|string|list<string>
     */
    public function read(bool|string|array $value): bool|int|string|array
    {
        $last = is_array($value) ? end($value) : $value;

        return match ($this->kind) {
            OptionKind::Flag => $last === true ? $this->given : !$this->given,
            OptionKind::Text => (string) $last,
            OptionKind::Number => $this->number((string) $last),
            OptionKind::Repeated => $this->withoutEmpty((array) $value),
            OptionKind::Names => $this->withoutEmpty(preg_split('/[\s,]+/', implode(',', (array) $value))),
        };
    }

    private function number(string $typed): int
    {
        $number = filter_var($typed, FILTER_VALIDATE_INT, ['options' => ['min_range' => 0]]);
        if ($number === false) {
            throw new UsageException("--{$this->name} is \"$typed\", want a whole number, 0 or more");
        }

        return $number;
    }

    /**
     * @param array<string> $values
     * @return list<string>
     */
    private function withoutEmpty(array $values): array
    {
        return array_values(array_filter($values, static fn ($value): bool => $value !== ''));
    }
}
