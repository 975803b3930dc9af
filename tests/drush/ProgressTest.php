<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Report\BriefProgress;
use Aegir\Scale\Report\PlainProgress;
use Aegir\Scale\Report\TerminalProgress;
use PHPUnit\Framework\TestCase;

final class ProgressTest extends TestCase
{
    /** @var list<string> */
    private array $written = [];
    private float $now = 0.0;

    private function write(): \Closure
    {
        return function (string $text): void {
            $this->written[] = $text;
        };
    }

    private function terminal(int $width = 80): TerminalProgress
    {
        return new TerminalProgress($this->write(), $width, fn (): float => $this->now += 1.0);
    }

    public function testPlainLinesTellPhasesNotTicks(): void
    {
        $progress = new PlainProgress($this->write());
        foreach ([['web1', 'connect'], ['web2', 'connect'], ['web1', 'transfer'], ['web1', 'transfer'], ['web1', 'done']] as [$server, $phase]) {
            $progress->update($server, $phase, 2, 2, 1024, 2048);
        }
        $progress->end();
        self::assertSame(
            ['web1: connect', 'web2: connect', 'web1: transfer', 'web1: done (2 files, 1.0 KiB)'],
            $this->written,
        );
    }

    public function testABriefLogHasALinePerPhase(): void
    {
        $progress = new BriefProgress($this->write());
        for ($i = 0; $i < 50; $i++) {
            $progress->update("web$i", 'connect', 0, 0, 0, 0);
            $progress->update("web$i", 'done', 0, 0, 0, 0);
        }
        self::assertSame(['connect: first on web0', 'done: first on web0'], $this->written);
    }

    public function testATerminalHasALinePerServerInOnePlace(): void
    {
        $progress = $this->terminal();
        $progress->update('web1', 'connect', 0, 0, 0, 0);
        $progress->update('web10', 'transfer', 1, 2, 512, 1024);
        $progress->end();
        self::assertSame([
            "web1  connect\n",
            "\e[1A\r\e[Jweb1   connect\nweb10  transfer  [##########..........] 512 B of 1.0 KiB\n",
            "\e[2A\r\e[J",
        ], $this->written);
    }

    public function testFiftyServersShareOneLine(): void
    {
        $progress = $this->terminal();
        for ($i = 1; $i <= 50; $i++) {
            $progress->update("web$i", $i <= 20 ? 'done' : 'transfer', 1, 2, 10, 20);
        }
        self::assertSame("\e[1A\r\e[J20 of 50 done  [##########..........] 500 B of 1000 B  30 transfer\n", end($this->written));
    }

    public function testATerminalIsDrawnTenTimesASecondAtMost(): void
    {
        $progress = new TerminalProgress($this->write(), 80, fn (): float => $this->now += 0.01);
        for ($i = 0; $i < 100; $i++) {
            $progress->update('web1', 'transfer', 0, 1, $i, 100);
        }
        self::assertLessThanOrEqual(11, count($this->written));
        self::assertGreaterThan(5, count($this->written));
    }

    public function testALineNeverWrapsAndIsClean(): void
    {
        $progress = $this->terminal(30);
        $progress->update("web\e1", 'transfer', 0, 1, 1, 1 << 40);
        self::assertSame(1, preg_match('/^(.*)\n$/u', end($this->written), $line));
        self::assertLessThan(30, mb_strwidth($line[1]));
        self::assertStringStartsWith('web\x1b1', $line[1]);
    }
}
