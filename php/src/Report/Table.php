<?php

namespace Aegir\Scale\Report;

/** Columns for people: a line of names, then the rows, two spaces between the columns. */
final class Table
{
    /**
     * @param list<string> $names of the columns; a ">" in front of one moves it to the right
     * @param list<list<string>> $rows clean text
     * @return list<string>
     */
    public static function lines(array $names, array $rows): array
    {
        $isRight = array_map(static fn (string $name): bool => $name[0] === '>', $names);
        array_unshift($rows, array_map(static fn (string $name): string => ltrim($name, '>'), $names));
        $widths = [];
        foreach ($rows as $row) {
            foreach ($row as $i => $cell) {
                $widths[$i] = max($widths[$i] ?? 0, Text::width($cell));
            }
        }

        return array_map(static function (array $row) use ($widths, $isRight): string {
            $cells = [];
            foreach ($row as $i => $cell) {
                $space = str_repeat(' ', $widths[$i] - Text::width($cell));
                $cells[] = $isRight[$i] ? $space . $cell : $cell . $space;
            }

            return rtrim(implode('  ', $cells));
        }, $rows);
    }
}
