<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Report\Text;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

final class TextTest extends TestCase
{
    /** @return iterable<string, array{string, string}> */
    public static function names(): iterable
    {
        yield 'plain' => ['/srv/a b', '/srv/a b'];
        yield 'UTF-8 stays' => ['/srv/größe', '/srv/größe'];
        yield 'a byte that is not UTF-8' => ["/srv/\xffa", '/srv/\xffa'];
        yield 'UTF-8 beside a byte that is not' => ["ö\xe9ö", 'ö\xe9ö'];
        yield 'an overlong slash' => ["\xc0\xaf", '\xc0\xaf'];
        yield 'a surrogate' => ["\xed\xa0\x80", '\xed\xa0\x80'];
        yield 'a line end' => ["a\nb", 'a\nb'];
        yield 'a colour' => ["\e[31mred", '\x1b[31mred'];
        yield 'a C1 control' => ["\u{9b}31m", '\xc2\x9b31m'];
        yield 'what one Drush tells another' => ['x DRUSH_BACKEND_OUTPUT_START>>>{}', 'x DRUSH-BACKEND_OUTPUT_START>>>{}'];
        yield 'what turns the line round' => ["a\u{202e}b", 'a\xe2\x80\xaeb'];
    }

    #[DataProvider('names')]
    public function testCleanShowsWhatATerminalWouldObey(string $name, string $shown): void
    {
        self::assertSame($shown, Text::clean($name));
    }

    public function testCleanOfAnyBytesIsPrintableUtf8(): void
    {
        $seed = random_int(0, 1 << 30);
        mt_srand($seed);
        for ($i = 0; $i < 2000; $i++) {
            $bytes = '';
            for ($n = mt_rand(0, 12); $n > 0; $n--) {
                $bytes .= chr(mt_rand(0, 255));
            }
            $clean = Text::clean($bytes);
            self::assertSame(1, preg_match('/^[^\x{00}-\x{1f}\x{7f}-\x{9f}]*\z/u', $clean), "seed $seed: " . bin2hex($bytes));
        }
    }

    public function testLinesKeepTheColumnsOfTabs(): void
    {
        self::assertSame(['a       b', '12345678        c', ''], Text::lines("a\tb\r\n12345678\tc\n\n"));
        self::assertSame([], Text::lines(''));
        self::assertSame(['no end'], Text::lines('no end'));
    }

    public function testBytesGetAUnit(): void
    {
        self::assertSame(
            ['0 B', '1023 B', '1.0 KiB', '1.5 MiB', '1.0 GiB'],
            array_map(Text::bytes(...), [0, 1023, 1024, 3 << 19, 1 << 30]),
        );
    }

    public function testJsonIsOneLineOfAscii(): void
    {
        self::assertMatchesRegularExpression('/^[ -~]+$/', Text::json(['path' => "/größe\n\xff", 'seconds' => 1.0]));
        self::assertSame('{"seconds":1.0}', Text::json(['seconds' => 1.0]));
    }
}
