<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Provision\TaskLock;
use PHPUnit\Framework\TestCase;

final class ProvisionLockTest extends TestCase
{
    use TemporaryDirectory;

    private const PLATFORM = '/var/aegir/platforms/d7';

    private ?string $nonce = null;
    /** @var list<array{resource, array<resource>}> */
    private array $others = [];

    protected function setUp(): void
    {
        $this->nonce = getenv(TaskLock::NONCE) ?: null;
        putenv(TaskLock::NONCE);
    }

    protected function tearDown(): void
    {
        putenv(TaskLock::NONCE . ($this->nonce === null ? '' : "=$this->nonce"));
        foreach ($this->others as [$process]) {
            proc_terminate($process, 9);
        }
    }

    public function testTheFileSaysWhoHasIt(): void
    {
        $lock = $this->lock($aegir = new FakeAegir());
        self::assertTrue($lock->take([self::PLATFORM], 'provision-verify a.test'));
        $owner = json_decode(file_get_contents("$this->dir/scale/locks/var+aegir+platforms+d7.lock"), true);
        self::assertSame(getmypid(), $owner['pid']);
        self::assertStringEndsWith('@' . gethostname(), $owner['owner']);
        self::assertSame('provision-verify a.test', $owner['command']);
        self::assertEqualsWithDelta(time(), strtotime($owner['since']), 60);
        self::assertSame(getenv(TaskLock::NONCE), $owner['nonce']);
        self::assertSame([[], []], [$aegir->log, $aegir->failures]);
    }

    public function testWhatThisTaskHasAlreadyIsFine(): void
    {
        $lock = $this->lock(new FakeAegir());
        self::assertTrue($lock->take(['/b', '/a', '/b'], 'x'));
        self::assertTrue($lock->take(['/a'], 'x'));
    }

    public function testAnotherTaskIsWaitedForUntilItEnds(): void
    {
        $other = $this->other('sleep(2);');
        $aegir = new FakeAegir();
        $began = microtime(true);
        self::assertTrue($this->lock($aegir)->take([self::PLATFORM], 'x'));
        self::assertGreaterThan(1, microtime(true) - $began);
        self::assertCount(1, $aegir->log);
        self::assertMatchesRegularExpression('{^waiting for the task that works on ' . self::PLATFORM . ": \S+@\S+ \(pid $other, since \S+, doing the other\)$}", $aegir->log[0][1]);
    }

    public function testTheWaitIsBoundedAndTheErrorNamesTheOwner(): void
    {
        $other = $this->other('sleep(60);');
        $aegir = new FakeAegir();
        $aegir->options['scale_lock_wait'] = '1';
        self::assertFalse($this->lock($aegir)->take([self::PLATFORM], 'x'));
        self::assertSame('AEGIR_SCALE_LOCKED', $aegir->failures[0][0]);
        self::assertStringContainsString("pid $other, since", $aegir->failures[0][1]);
        self::assertStringContainsString('we waited 1 s', $aegir->failures[0][1]);
    }

    public function testALockDiesWithItsProcessWhateverThatHasStarted(): void
    {
        // A child that outlives it must not keep the lock.
        $other = $this->other('$p = proc_open(["sleep", "60"], [], $pipes); echo proc_get_status($p)["pid"], "\n"; sleep(60);', $child);
        posix_kill($other, SIGKILL);
        try {
            $aegir = new FakeAegir();
            $aegir->options['scale_lock_wait'] = 20;
            self::assertTrue($this->lock($aegir)->take([self::PLATFORM], 'x'), json_encode($aegir->failures));
            self::assertTrue(posix_kill($child, 0), 'the child has ended before the lock was tried');
        } finally {
            posix_kill($child, SIGKILL);
        }
    }

    public function testWhatATaskStartsDoesNotWaitForIt(): void
    {
        $lock = $this->lock(new FakeAegir());
        self::assertTrue($lock->take([self::PLATFORM], 'provision-migrate'));
        $answer = $this->ask('$a->options["scale_lock_wait"] = 0; var_dump($l->take(["' . self::PLATFORM . '"], "provision-deploy"));');
        self::assertSame("bool(true)\n", $answer);
        // But a task that is none of ours does.
        $nonce = getenv(TaskLock::NONCE);
        putenv(TaskLock::NONCE . '=somebody else');
        $answer = $this->ask('$a->options["scale_lock_wait"] = 0; var_dump($l->take(["' . self::PLATFORM . '"], "provision-deploy"));');
        putenv(TaskLock::NONCE . "=$nonce");
        self::assertSame("bool(false)\n", $answer);
    }

    public function testADaemonThatATaskHasLeftBehindIsNoneOfIts(): void
    {
        $lock = $this->lock(new FakeAegir());
        self::assertTrue($lock->take([self::PLATFORM], 'x'));
        $code = 'while (posix_getppid() !== 1 && !str_contains((string) @file_get_contents("/proc/" . posix_getppid() . "/comm"), "systemd") && $argc < 5 && time() < $argv[3]) { usleep(10000); }
            $a->options["scale_lock_wait"] = 0; file_put_contents($argv[2] . "/said", var_export($l->take(["' . self::PLATFORM . '"], "y"), true));';
        $code = 'require $argv[1]; $a = new Aegir\Scale\Tests\FakeAegir(); $l = new Aegir\Scale\Provision\TaskLock($a, $argv[2]);' . $code;
        $words = array_map(escapeshellarg(...), [PHP_BINARY, '-r', $code, __DIR__ . '/bootstrap.php', "$this->dir/scale/locks", (string) (time() + 5)]);
        exec('setsid ' . implode(' ', $words) . ' >/dev/null 2>&1 &');
        for ($i = 0; $i < 600 && !is_file("$this->dir/scale/locks/said"); $i++) {
            usleep(100000);
        }
        self::assertStringEqualsFile("$this->dir/scale/locks/said", 'false');
    }

    public function testTwoTasksThatWantTwoPlatformsDoNotBlockEachOther(): void
    {
        $code = 'for ($i = 0; $i < 20; $i++) { $l->take(%s, "x") || exit("no"); usleep(1000); $l->release(); } echo "done";';
        $first = $this->start(sprintf($code, '["/a", "/b"]'));
        $second = $this->start(sprintf($code, '["/b", "/a"]'));
        self::assertSame(['done', 'done'], [stream_get_contents($first[1][1]), stream_get_contents($second[1][1])]);
    }

    public function testNamesOfFilesAreNotMixedUp(): void
    {
        $lock = $this->lock(new FakeAegir());
        $names = ['/a/b', '/a+b', '/a b', '/' . str_repeat('x', 300) . '/1', '/' . str_repeat('x', 300) . '/2'];
        self::assertTrue($lock->take($names, 'x'));
        self::assertCount(count($names), glob("$this->dir/scale/locks/*.lock"));
    }

    public function testADirectoryThatCannotBeMadeIsToldAndNoReasonToStop(): void
    {
        $this->tree(['scale' => 'a file']);
        $aegir = new FakeAegir();
        self::assertTrue($this->lock($aegir)->take([self::PLATFORM], 'x'));
        self::assertStringContainsString('cannot be written', $aegir->told('warning')[0]);
    }

    public function testASignalIsServedWhileWaiting(): void
    {
        $this->other('sleep(60);');
        [$process, $pipes] = $this->start('pcntl_async_signals(true); pcntl_signal(SIGTERM, function () { echo "heard"; exit(3); });
            echo "ready\n"; $l->take(["' . self::PLATFORM . '"], "x");');
        self::assertSame("ready\n", fgets($pipes[1]));
        proc_terminate($process, SIGTERM);
        self::assertSame('heard', stream_get_contents($pipes[1]));
    }

    private function lock(FakeAegir $aegir): TaskLock
    {
        return new TaskLock($aegir, "$this->dir/scale/locks");
    }

    /** Another task that has the lock, and its pid. $said is the number that its code prints. */
    private function other(string $code, ?int &$said = null): int
    {
        $nonce = getenv(TaskLock::NONCE);
        putenv(TaskLock::NONCE);
        [$process, $pipes] = $this->start('$l->take(["' . self::PLATFORM . '"], "the other"); echo "taken\n";' . $code);
        putenv(TaskLock::NONCE . ($nonce === false ? '' : "=$nonce"));
        self::assertSame("taken\n", fgets($pipes[1]));
        $said = str_contains($code, 'echo') ? (int) fgets($pipes[1]) : null;

        return proc_get_status($process)['pid'];
    }

    private function ask(string $code): string
    {
        return stream_get_contents($this->start($code)[1][1]);
    }

    /** @return array{resource, array<resource>} */
    private function start(string $code): array
    {
        $code = 'require $argv[1]; $a = new Aegir\Scale\Tests\FakeAegir(); $l = new Aegir\Scale\Provision\TaskLock($a, $argv[2]);' . $code;
        $process = proc_open([PHP_BINARY, '-r', $code, __DIR__ . '/bootstrap.php', "$this->dir/scale/locks"], [1 => ['pipe', 'w']], $pipes);
        $this->others[] = [$process, $pipes];

        return [$process, $pipes];
    }
}
