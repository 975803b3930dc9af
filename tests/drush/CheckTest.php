<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Command\Commands;
use Aegir\Scale\Command\Input;
use Aegir\Scale\Command\Probe;
use Aegir\Scale\Report\Finding;
use PHPUnit\Framework\TestCase;

final class CheckTest extends TestCase
{
    private FakeOutput $output;

    /** @param array<string, string> $facts other than those of a server that is well */
    private static function answer(array $facts = [], string $path = 'path 1000000 10 500000 5 yes /var/aegir'): string
    {
        $facts += ['clock' => (string) time(), 'user' => 'aegir', 'uid' => '105', 'gid' => '107', 'rsync' => '3.2.7', 'sshd' => 'OpenSSH_9.2p1'];

        return implode('', array_map(static fn (string $key, string $value): string => "$key $value\n", array_keys($facts), $facts)) . "$path\n";
    }

    /** @param array<string, ?string> $answers by server; null of one that is dead */
    private function check(array $answers, array $options = []): int
    {
        $servers = [];
        foreach ($answers as $name => $stdout) {
            $servers[$name] = $stdout === null ? ['outcome' => 'failed', 'error' => 'refused the connection'] : ['outcome' => 'synced', 'stdout' => $stdout];
        }
        $this->output = new FakeOutput();
        $engine = new FakeEngine(['ok' => true, 'servers' => $servers]);

        return Commands::named('check', $engine)->run(new Input(['group' => 'live'], $options), $this->output);
    }

    /** @return list<string> */
    private static function found(string $stdout): array
    {
        return array_column(Probe::read('web1', $stdout)->findings(time() - 1, time() + 1), 'found');
    }

    public function testAGoodGroupHasNoFindings(): void
    {
        self::assertSame(0, $this->check(['web1' => self::answer(), 'web2' => self::answer()]));
        self::assertSame([], [...$this->output->bad, ...$this->output->failures]);
        self::assertSame('web1    3.2.7  OpenSSH_9.2p1  aegir (105:107)   10%        -', $this->output->lines[1]);
    }

    public function testADeadServerIsAnErrorAndTheOthersAreExamined(): void
    {
        self::assertSame(1, $this->check(['web1' => null, 'web2' => self::answer(['rsync' => '3.0.9'])]));
        self::assertStringStartsWith('web1: error: refused the connection; ', $this->output->bad[0]);
        self::assertStringStartsWith('web2: error: its rsync is 3.0.9, ', $this->output->bad[1]);
        self::assertSame(['2 errors on 2 servers'], $this->output->failures);
    }

    public function testAnotherNumberOfTheUserIsAWarning(): void
    {
        self::assertSame(0, $this->check(['web1' => self::answer(), 'web2' => self::answer(['uid' => '1000']), 'web3' => self::answer()]));
        self::assertCount(1, $this->output->bad);
        self::assertStringStartsWith('web2: warning: its user is number 1000:107, that of most servers 105:107', $this->output->bad[0]);
    }

    public function testClocksAreComparedWithTheTimeOfTheCall(): void
    {
        self::assertSame([], self::found(self::answer()));
        self::assertStringContainsString('seconds behind', self::found(self::answer(['clock' => (string) (time() - 86400)]))[0]);
        self::assertStringContainsString('seconds ahead', self::found(self::answer(['clock' => (string) (time() + 60)]))[0]);
    }

    public function testFullDisksAndMissingRights(): void
    {
        self::assertStringStartsWith('its disk is 95% full at /var/aegir, ', self::found(self::answer([], 'path 5 95 500000 5 yes /var/aegir'))[0]);
        self::assertStringStartsWith('the table of inodes of its disk is 100% full', self::found(self::answer([], 'path 5 5 0 100 yes /var/aegir'))[0]);
        self::assertSame(['aegir may not write to /var/aegir'], self::found(self::answer([], 'path - - - - no /var/aegir')));
    }

    public function testWhatAServerSaysIsNotTrusted(): void
    {
        $probe = Probe::read('web1', "clock never\nuser \x1b[31m" . str_repeat('x', 500) . "\nrsync \npath yes\nuid\nother thing\n\xff");
        self::assertSame([], $probe->facts);
        self::assertSame(['it has no rsync'], array_map(static fn (Finding $f): string => $f->found, $probe->findings(0, 1)));
    }

    public function testJsonHoldsTheFindings(): void
    {
        self::assertSame(1, $this->check(['web1' => null], ['format' => 'json']));
        $report = json_decode($this->output->lines[0], true, 512, JSON_THROW_ON_ERROR);
        self::assertFalse($report['ok']);
        self::assertSame(['server', 'level', 'found', 'fix'], array_keys($report['findings'][0]));
    }
}
