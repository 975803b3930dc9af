<?php

namespace Aegir\Scale\Tests;

use PHPUnit\Framework\TestCase;

/** The commands on real servers, which run.sh has started: web1 and web2. */
final class ServerTest extends TestCase
{
    private string $source;

    protected function setUp(): void
    {
        if (!extension_loaded('aegir_scale') || getenv('AEGIR_SCALE_FLEET') === false) {
            self::markTestSkipped('tests/drush/run.sh starts the servers');
        }
        $hub = getenv('FLEET_MODE') === 'namespaces' ? '/var/aegir' : getenv('FLEET_DIR') . '/hub';
        $this->source = "$hub/platforms/" . strtolower($this->name());
        mkdir("$this->source/sub", 0755, true);
        file_put_contents("$this->source/a", 'first');
        file_put_contents("$this->source/sub/b", str_repeat('second', 1000));
    }

    /** @return array<string, callable(string...): Program> */
    private static function frontEnds(): array
    {
        $ends = [
            'console' => Program::console(...),
            'stand-in' => static fn (string $name, string ...$words): Program => Program::standIn([], "scale-$name", ...$words),
        ];
        $drush = Program::drush();
        if ($drush !== null) {
            $ends['Drush'] = static fn (string $name, string ...$words): Program =>
                Program::run([$drush, '--include=' . Program::top() . '/php/drush', "scale-$name", ...$words]);
        }

        return $ends;
    }

    private static function topology(): string
    {
        return '--topology=' . getenv('AEGIR_SCALE_FLEET');
    }

    /** The fleet and a server that nobody can reach. */
    private function topologyWithADeadServer(): string
    {
        $file = dirname((string) getenv('AEGIR_SCALE_FLEET')) . '/dead.yml';
        $text = str_replace("servers:\n", "servers:\n  web9: { host: 127.0.0.1, port: 1 }\n", file_get_contents((string) getenv('AEGIR_SCALE_FLEET')));
        file_put_contents($file, preg_replace('/live: \{ servers: \[/', '$0web9, ', $text));

        return "--topology=$file";
    }

    private static function onServer(string $server, string ...$words): string
    {
        return Program::run(['bash', Program::top() . '/tests/lib/fleet.sh', 'exec', $server, ...$words])->out;
    }

    private function pathOnServer(string $name): string
    {
        return (getenv('FLEET_MODE') === 'namespaces' ? '' : '.') . "$this->source/$name";
    }

    /** Times, and how well what goes over the wire was compressed, differ from run to run. */
    private static function withoutTimes(string $text): string
    {
        return preg_replace(['/[\d.]+ ([KM]i)?B\b/', '/ \d+\.\d( s)?$/m', '/ +/'], ['', '', ' '], $text);
    }

    public function testASyncMakesTheServersEqual(): void
    {
        $first = Program::console('sync', self::topology(), 'live', $this->source);
        self::assertSame(0, $first->status, $first->err);
        self::assertMatchesRegularExpression('/^web1 +synced +2 +0 /m', $first->out);
        self::assertMatchesRegularExpression('/^web2 +synced +2 +0 /m', $first->out);
        self::assertStringContainsString('2 servers: 2 synced; the source has ', $first->out);
        self::assertSame('first', self::onServer('web2', 'cat', $this->pathOnServer('a')));

        // Without namespaces the source's parents are the machine's, where others change things.
        $again = Program::console('sync', '--omit-dir-times', self::topology(), 'live', $this->source);
        self::assertMatchesRegularExpression('/^web1 +unchanged +0 +0 /m', $again->out);
        $status = Program::console('status', '--omit-dir-times', self::topology(), 'live', $this->source);
        self::assertSame(0, $status->status, $status->out);
    }

    public function testWithoutATerminalProgressIsLinesOnStandardError(): void
    {
        $lines = explode("\n", Program::console('sync', self::topology(), 'live', $this->source)->err);
        self::assertContains('web1: connect', $lines);
        self::assertSame($lines, array_values(array_unique($lines)), 'a line per server and phase');
        foreach (['web1', 'web2'] as $server) {
            self::assertNotSame([], preg_grep("/^$server: done/", $lines));
        }
        self::assertSame('', Program::console('sync', '-q', self::topology(), 'live', $this->source)->err);
    }

    public function testATerminalSeesProgressThatIsGoneAtTheEnd(): void
    {
        $words = array_map(escapeshellarg(...), [PHP_BINARY, Program::top() . '/php/bin/aegir-scale', 'sync', self::topology(), 'live', $this->source]);
        $program = Program::run(['script', '-qec', implode(' ', $words), '/dev/null'], ['TERM' => 'xterm', 'LC_ALL' => 'C.UTF-8']);
        self::assertSame(0, $program->status);
        self::assertMatchesRegularExpression('/\e\[\dA\r\e\[Jserver  outcome/', $program->out);
    }

    public function testAStatusNamesWhatDiffers(): void
    {
        Program::console('sync', self::topology(), 'live', $this->source);
        file_put_contents("$this->source/a", 'changed');
        file_put_contents("$this->source/odd\n\xff", '');
        $program = Program::console('status', self::topology(), 'web1', $this->source);
        self::assertSame(1, $program->status, $program->err);
        self::assertMatchesRegularExpression('/^  <f\S+ +' . preg_quote($this->source, '/') . '\/a$/m', $program->out);
        self::assertStringContainsString("$this->source/odd\\n\\xff\n", $program->out);
        self::assertSame('first', self::onServer('web1', 'cat', $this->pathOnServer('a')));

        $short = Program::console('status', '--limit=1', self::topology(), 'web1', $this->source);
        self::assertMatchesRegularExpression('/^  … and \d more$/m', $short->out);
    }

    public function testJsonIsAllThereIsOnStandardOutput(): void
    {
        file_put_contents("$this->source/\xff", '');
        foreach (self::frontEnds() as $name => $frontEnd) {
            $program = $frontEnd('sync', self::topology(), '--format=json', '--dry-run', '--itemize', 'live', $this->source);
            $report = json_decode($program->out, true, 512, JSON_THROW_ON_ERROR);
            self::assertSame(0, $program->status, "$name: $program->err");
            self::assertSame(['web1', 'web2'], array_keys($report['servers']), $name);
            self::assertContains("$this->source/\\xff", array_column($report['servers']['web1']['changes'], 'path'));
        }
    }

    public function testFrontEndsSayTheSame(): void
    {
        $dead = $this->topologyWithADeadServer();
        file_put_contents("$this->source/x.log", '');
        $calls = [
            [0, ['sync', self::topology(), 'live', $this->source, '--dry-run', '--itemize', '--exclude=*.log', '--exclude=b']],
            [1, ['status', self::topology(), 'live', $this->source, '--filter=+ *.log', '--filter=- a', '--limit=3']],
            [1, ['sync', $dead, 'live', $this->source]],
            [2, ['sync', self::topology(), 'nowhere', $this->source]],
            [2, ['sync', self::topology(), 'live', "$this->source/missing"]],
            [2, ['sync', self::topology(), 'live', 'relative']],
            [2, ['sync', self::topology(), 'live', $this->source, '--commit=never']],
            [0, ['run', self::topology(), 'live', '--', 'printf', '%s|', '-v', '--limit=3', '$HOME', 'a b']],
            [0, ['run', self::topology(), 'web1', '--', 'echo', '-h', '--help', '-s', '-l', '']],
            [1, ['run', self::topology(), '--servers=web2', 'live', '--', 'sh', '-c', 'echo no >&2; exit 3']],
            [0, ['topology-check', substr($dead, strlen('--topology='))]],
        ];
        foreach ($calls as [$status, $words]) {
            $expected = null;
            foreach (self::frontEnds() as $name => $frontEnd) {
                $program = $frontEnd(...$words);
                $what = "$name: " . implode(' ', $words) . "\n$program->err";
                self::assertSame($status, $program->status, $what);
                self::assertSame($expected ??= self::withoutTimes($program->out), self::withoutTimes($program->out), $what);
                self::assertSame($status === 2, $program->out === '', $what);
            }
        }
    }

    public function testADeadServerKeepsTheOthersFromSwitching(): void
    {
        $program = Program::console('sync', $this->topologyWithADeadServer(), 'live', $this->source);
        self::assertSame(1, $program->status);
        self::assertMatchesRegularExpression('/^web9: failed in connect: \S.*$/m', $program->out);
        self::assertMatchesRegularExpression('/^web1: staged: [^\n]*web9/m', $program->out);
        self::assertStringStartsWith('aegir-scale: 3 of 3 servers are not as the source', implode('', preg_grep('/^aegir-scale: /', explode("\n", $program->err))));
        self::assertSame('', self::onServer('web1', 'cat', $this->pathOnServer('a')));
    }

    public function testEachServersOutputHasItsNameInFront(): void
    {
        $program = Program::console('run', self::topology(), 'live', '--', 'sh', '-c', 'printf "a\tb\n\033[31m\377\n"; echo bad >&2');
        self::assertSame(0, $program->status, $program->err);
        self::assertStringContainsString("web1: a       b\nweb1: \\x1b[31m\\xff\nweb2: a", $program->out);
        self::assertStringContainsString("web2 (stderr): bad\n", $program->err);
        self::assertMatchesRegularExpression('/^web2 +ok +0 /m', $program->out);
    }

    public function testTheInputReachesEveryServer(): void
    {
        $program = Program::console('run', self::topology(), "--input=$this->source/a", 'live', '--', 'cat');
        self::assertStringContainsString("web1: first\nweb2: first\n", $program->out);
    }

    public function testACheckExaminesEveryServer(): void
    {
        Program::console('sync', '--omit-dir-times', self::topology(), 'live', $this->source);
        $good = Program::console('check', '--format=json', self::topology(), 'live', "$this->source/sub");
        self::assertSame(0, $good->status, $good->err);
        $servers = json_decode($good->out, true, 512, JSON_THROW_ON_ERROR)['servers'];
        self::assertSame(['web1', 'web2'], array_keys($servers));
        self::assertMatchesRegularExpression('/^3\.\d/', $servers['web1']['rsync']);
        self::assertStringStartsWith('OpenSSH_', $servers['web1']['sshd']);
        self::assertMatchesRegularExpression('/^\d+%$/', $servers['web1']['disk']);
        self::assertSame('0', $servers['web2']['differs']);

        file_put_contents("$this->source/sub/new", '');
        $program = Program::console('check', $this->topologyWithADeadServer(), 'live', "$this->source/sub");
        self::assertSame(1, $program->status);
        self::assertMatchesRegularExpression('/^web9: error: .*; see that sshd runs there/m', $program->out . $program->err);
        self::assertMatchesRegularExpression('/^web1: warning: it differs from this machine in \d entr/m', $program->out . $program->err);
    }

    public function testCtrlCEndsACallSoonAndSaysHowTheServersWereLeft(): void
    {
        foreach (self::frontEnds() as $name => $frontEnd) {
            unset($frontEnd);
            $words = match ($name) {
                'console' => [PHP_BINARY, Program::top() . '/php/bin/aegir-scale', 'run'],
                'stand-in' => [PHP_BINARY, __DIR__ . '/stand_in.php', 'scale-run'],
                default => [(string) Program::drush(), '--include=' . Program::top() . '/php/drush', 'scale-run'],
            };
            $begun = microtime(true);
            $program = Program::run([...$words, self::topology(), 'live', '--', 'sleep', '30'], [], 2000);
            self::assertSame(130, $program->status, "$name: $program->err");
            self::assertLessThan(10, microtime(true) - $begun, $name);
            self::assertStringContainsString('cancelled: ', $program->err, $name);
        }
    }

    public function testCtrlCInASyncSaysHowEachServerWasLeft(): void
    {
        // Much to send, as holes: nothing lies on the disk.
        for ($i = 0; $i < 3000; $i++) {
            ftruncate(fopen("$this->source/sub/$i", 'w'), 1 << 20);
        }
        $words = [PHP_BINARY, Program::top() . '/php/bin/aegir-scale', 'sync', '--compress=none', self::topology(), 'live', $this->source];
        $program = Program::run($words, [], 1500);
        self::assertSame(130, $program->status, $program->err);
        self::assertMatchesRegularExpression('/^web1 +failed /m', $program->out);
        self::assertMatchesRegularExpression('/^web2: failed in transfer: ./m', $program->out);
        self::assertStringContainsString('aegir-scale: cancelled: 2 of 2 servers are not as the source', $program->err);
        self::assertSame('', self::onServer('web1', 'cat', $this->pathOnServer('a')));
    }

    public function testARealDrushIsAmongTheFrontEnds(): void
    {
        if (Program::drush() === null) {
            self::markTestSkipped('no Drush 8: DRUSH does not name one, and there is none on the PATH');
        }
        self::assertArrayHasKey('Drush', self::frontEnds());
    }

    public function testNoServerForgesWhatOneDrushTellsAnother(): void
    {
        if (Program::drush() === null) {
            self::markTestSkipped('no Drush 8: DRUSH does not name one, and there is none on the PATH');
        }
        foreach (['table', 'json'] as $format) {
            $program = Program::run([
                Program::drush(), '--include=' . Program::top() . '/php/drush', '--backend', 'scale-run', self::topology(), "--format=$format", 'live', '--',
                'sh', '-c', 'for to in 1 2; do printf "%s_BACKEND_OUTPUT_START>>>{}<<<%s_BACKEND_OUTPUT_END\n" DRUSH DRUSH >&$to; done',
            ]);
            self::assertMatchesRegularExpression('/DRUSH(-|\\\\u005f)BACKEND_OUTPUT_START>>>\{/', $program->out, 'the servers said nothing');
            self::assertSame(1, preg_match('/DRUSH_BACKEND_OUTPUT_START>>>(.*)<<<DRUSH_BACKEND_OUTPUT_END/s', $program->out, $told), $program->out);
            self::assertSame(0, json_decode($told[1], true)['error_status'] ?? null, $told[1]);
        }
    }
}
