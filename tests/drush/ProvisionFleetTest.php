<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Command\Engine;
use Aegir\Scale\Provision\Fleet;
use Aegir\Scale\Provision\Server;
use Aegir\Scale\Provision\SubprocessCallback;
use Aegir\Scale\Provision\SubprocessLogger;
use Aegir\Scale\Provision\Uploads;
use Aegir\Scale\TopologyException;
use PHPUnit\Framework\Attributes\PreserveGlobalState;
use PHPUnit\Framework\Attributes\RequiresPhpExtension;
use PHPUnit\Framework\Attributes\RunInSeparateProcess;
use PHPUnit\Framework\TestCase;

/** Aegir's servers as a topology, and the log that tells of sub-processes. */
final class ProvisionFleetTest extends TestCase
{
    use TemporaryDirectory;

    protected function tearDown(): void
    {
        putenv('AEGIR_SCALE_TOPOLOGY');
    }

    private function fleet(): Fleet
    {
        return new Fleet(new FakeAegir($this->dir), new Engine());
    }

    /** @return list<Server> */
    private static function servers(): array
    {
        return [new Server('@server_web1', '10.0.0.1', 'aegir'), new Server('@server_web2', 'web2.example', 'other')];
    }

    #[RequiresPhpExtension('aegir_scale')]
    public function testServersAreThoseOfTheAliases(): void
    {
        $topology = $this->fleet()->topology(self::servers())->toArray();
        self::assertSame(['server_web1', 'server_web2'], $topology['clusters'][Fleet::GROUP]['servers']);
        self::assertSame(['10.0.0.1', 'aegir', 22], [$topology['servers']['server_web1']['host'], $topology['servers']['server_web1']['user'], $topology['servers']['server_web1']['port']]);
        self::assertSame('other', $topology['servers']['server_web2']['user']);
    }

    #[RequiresPhpExtension('aegir_scale')]
    public function testTheFileAddsWhatAegirDoesNotKnow(): void
    {
        $this->tree(['config/scale/topology.yml' => <<<YAML
            version: 1
            servers:
              server_web1: { host: 192.0.2.9, user: someone, port: 2222, root: /srv/web1, connect_timeout: 3 }
              unknown: { host: 192.0.2.8 }
            storage: { main: { type: path, path: /mnt/uploads } }
            clusters: { server_cluster: { servers: [server_web1], uploads: shared, storage: main } }
            YAML]);
        $fleet = $this->fleet();
        $servers = $fleet->topology(self::servers())->toArray()['servers'];
        self::assertSame(['10.0.0.1', 'aegir', 2222, '/srv/web1', 3], array_map(static fn (string $key): mixed => $servers['server_web1'][$key], ['host', 'user', 'port', 'root', 'connect_timeout']));
        self::assertSame(22, $servers['server_web2']['port']);
        self::assertArrayNotHasKey('unknown', $servers);
        self::assertSame([Uploads::Shared, '/mnt/uploads'], [$fleet->uploads('@server_cluster'), $fleet->shared('@server_cluster')]);
        self::assertNull($fleet->uploads('@server_other'));
        self::assertSame(2200, $fleet->topology(self::servers(), ['port' => 2200])->toArray()['servers']['server_web1']['port'], 'ssh-options win');
    }

    #[RequiresPhpExtension('aegir_scale')]
    public function testSshOptionsHoldForAllCalls(): void
    {
        $aegir = new FakeAegir($this->dir);
        $aegir->options['ssh-options'] = '-p 2201 -o ConnectTimeout=7';
        $server = (new Fleet($aegir, new Engine()))->topology(self::servers())->toArray()['servers']['server_web2'];
        self::assertSame([2201, 7], [$server['port'], $server['connect_timeout']]);
        $aegir->options['ssh-options'] = '-p 2201 -J elsewhere';
        self::assertSame(22, (new Fleet($aegir, new Engine()))->topology(self::servers())->toArray()['servers']['server_web1']['port']);
    }

    #[RequiresPhpExtension('aegir_scale')]
    public function testAWrongFileIsAnError(): void
    {
        file_put_contents("$this->dir/t.yml", "version: 1\nservers: { a: { port: many } }\n");
        putenv("AEGIR_SCALE_TOPOLOGY=$this->dir/t.yml");
        $this->expectException(TopologyException::class);
        $this->fleet()->topology(self::servers());
    }

    public function testOurDirectoryIsAegirsOnly(): void
    {
        mkdir("$this->dir/config");
        self::assertSame(040700, fileperms($this->fleet()->state()));
    }

    public function testAFunctionThatLogsHearsAllAndWeHearOfSubprocesses(): void
    {
        $order = [];
        $callback = new SubprocessCallback(function (array $entry) use (&$order): string {
            $order[] = $entry['message'];
            return 'answer';
        }, function () use (&$order): void {
            $order[] = 'flush';
        });
        self::assertSame('answer', $callback(['type' => 'notice', 'message' => 'Backend invoke: no']));
        $callback(['type' => 'command', 'message' => 'Backend invoke: drush x']);
        self::assertSame(['Backend invoke: no', 'flush', 'Backend invoke: drush x'], $order);
    }

    #[RunInSeparateProcess]
    #[PreserveGlobalState(false)]
    public function testDrushsLoggerDoesTheSame(): void
    {
        eval('namespace Psr\Log; interface LoggerInterface {} abstract class AbstractLogger implements LoggerInterface { abstract public function log($level, $message, array $context = array()); }');
        $inner = new class {
            public array $heard = [];

            public function log(mixed ...$arguments): void
            {
                $this->heard[] = $arguments;
            }

            public function more(int $x): int
            {
                return $x + 1;
            }
        };
        $flushes = 0;
        $logger = new SubprocessLogger($inner, function () use (&$flushes, $inner): void {
            $flushes++;
            self::assertCount(1, $inner->heard);
        });
        $logger->log('error', 'x', ['a' => 1]);
        $logger->log('command', 'Backend invoke: drush x');
        self::assertSame([['error', 'x', ['a' => 1]], ['command', 'Backend invoke: drush x', []]], $inner->heard);
        self::assertSame([1, 3], [$flushes, $logger->more(2)]);
        self::assertInstanceOf(\Psr\Log\LoggerInterface::class, $logger);
    }
}
