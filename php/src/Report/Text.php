<?php

namespace Aegir\Scale\Report;

/** Text from servers and file names, made fit for a terminal and for JSON. */
final class Text
{
    /** Control characters, and those that turn or break a line unseen. */
    private const UNSEEN = '/[\x{00}-\x{1f}\x{7f}-\x{9f}\x{ad}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{feff}]/u';
    /** By these words a Drush that started another one knows where its result begins: a line of a log that holds them would be taken for it. */
    private const RESERVED = ['DRUSH_BACKEND' => 'DRUSH-BACKEND'];
    private const CHARACTER = '/[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}'
        . '|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|./s';

    private const JSON = JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION | JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR;

    /** One line of valid UTF-8 without control characters; what is neither is written as \xHH or \n. */
    public static function clean(string $bytes): string
    {
        if (preg_match('//u', $bytes) !== 1) {
            $bytes = preg_replace_callback(
                self::CHARACTER,
                static fn (array $m): string => strlen($m[0]) === 1 && $m[0] >= "\x80" ? self::escape($m) : $m[0],
                $bytes,
            );
        }

        return preg_replace_callback(self::UNSEEN, self::escape(...), strtr($bytes, self::RESERVED));
    }

    /**
     * A command's output as lines of clean text.
     *
     * @return list<string>
     */
    public static function lines(string $bytes): array
    {
        if ($bytes === '') {
            return [];
        }
        $lines = explode("\n", str_ends_with($bytes, "\n") ? substr($bytes, 0, -1) : $bytes);

        return array_map(static fn (string $line): string => self::clean(self::withoutTabs(rtrim($line, "\r"))), $lines);
    }

    /** "1.5 MiB" */
    public static function bytes(int $bytes): string
    {
        $units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
        $size = $bytes;
        for ($unit = 0; $size >= 1023.95 && $unit < 5; $unit++) {
            $size /= 1024;
        }

        return $unit === 0 ? "$bytes B" : sprintf('%.1F %s', $size, $units[$unit]);
    }

    public static function seconds(float $seconds): string
    {
        return sprintf('%.1F s', $seconds);
    }

    /** "1 server", "2 servers" */
    public static function count(int $count, string $one, ?string $many = null): string
    {
        return $count . ' ' . ($count === 1 ? $one : $many ?? $one . 's');
    }

    public static function width(string $text): int
    {
        return function_exists('mb_strwidth') ? mb_strwidth($text, 'UTF-8') : strlen($text);
    }

    /** The beginning of a text that is too wide. */
    public static function cut(string $text, int $width): string
    {
        if (self::width($text) <= $width) {
            return $text;
        }

        return function_exists('mb_strimwidth') ? mb_strimwidth($text, 0, $width, '…', 'UTF-8') : substr($text, 0, $width);
    }

    public static function json(mixed $value): string
    {
        return json_encode($value, self::JSON);
    }

    /** @param array{string} $match */
    private static function escape(array $match): string
    {
        return match ($match[0]) {
            "\n" => '\n',
            "\r" => '\r',
            "\t" => '\t',
            default => '\x' . implode('\x', str_split(bin2hex($match[0]), 2)),
        };
    }

    private static function withoutTabs(string $line): string
    {
        $parts = explode("\t", $line);
        $out = array_shift($parts);
        foreach ($parts as $part) {
            $out .= str_repeat(' ', 8 - strlen($out) % 8) . $part;
        }

        return $out;
    }
}
