<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Provision\DropIn;
use Aegir\Scale\Provision\Group;
use Aegir\Scale\Provision\Server;
use Aegir\Scale\Provision\Uploads;
use PHPUnit\Framework\Attributes\PreserveGlobalState;
use PHPUnit\Framework\Attributes\RunTestsInSeparateProcesses;
use PHPUnit\Framework\TestCase;

/** Our classes in Provision's place, as Provision calls them. */
#[RunTestsInSeparateProcesses]
#[PreserveGlobalState(false)]
final class ProvisionClassesTest extends TestCase
{
    use TemporaryDirectory;

    private FakeAegir $aegir;
    private ScriptedEngine $engine;

    protected function setUp(): void
    {
        require_once __DIR__ . '/provision_stand_in.php';
        $this->tree(['platforms/d7/index.php' => '', 'platforms/d7/sites/a.test/settings.php' => '', 'config/server_web1/x' => '']);
        $this->aegir = new FakeAegir($this->dir);
        $this->engine = new ScriptedEngine();
        $this->aegir->platformRoot = "$this->dir/platforms/d7";
        $this->aegir->platformRoots = [$this->aegir->platformRoot];
        DropIn::put(new DropIn($this->aegir, $this->engine));
        stand_in_server('@server_master', ['aegir_root' => $this->dir, 'remote_host' => 'localhost']);
        foreach (['@server_web1', '@server_web2'] as $alias) {
            stand_in_server($alias, ['remote_host' => substr($alias, 8), 'http_service_type' => 'apache']);
            d($alias)->http_restart_cmd = 'true';
            $this->aegir->servers[$alias] = new Server($alias, substr($alias, 8), 'aegir', 'true');
        }
    }

    private function group(string $type, array $options): object
    {
        $server = stand_in_server("@server_$type", $options + ['remote_host' => $type, 'http_service_type' => $type]);
        $service = $server->service('http');
        $service->init_server();
        $this->aegir->groups["@server_$type"] = new Group("@server_$type", $type === 'pack', array_values($this->aegir->servers), [], uploads: Uploads::Protect);

        return $service;
    }

    private function cluster(): object
    {
        return $this->group('cluster', ['cluster_web_servers' => '@server_web1,@server_web2']);
    }

    public function testOptionsOfOursAreKeptInTheAlias(): void
    {
        $server = stand_in_server('@server_x', ['remote_host' => 'x', 'scale' => 'off', 'scale_policy' => 'quorum']);
        self::assertSame(['off', 'quorum'], [$server->properties['scale'], $server->properties['scale_policy']]);
        self::assertArrayNotHasKey('scale', d('@server_web1')->properties);
        self::assertArrayHasKey('scale_test_cmd', \Provision_Context_server::option_documentation());
        self::assertArrayHasKey('http_service_type', \Provision_Context_server::option_documentation());
    }

    public function testPathsAreThoseOfProvision(): void
    {
        $properties = d('@server_web1')->properties;
        self::assertSame(["$this->dir/config/server_web1", "$this->dir/config/includes", "$this->dir/backups", "$this->dir/clients", 'admin@web1', 'aegir'], [
            $properties['config_path'], $properties['include_path'], $properties['backup_path'], $properties['clients_path'], $properties['admin_email'], $properties['script_user']]);
    }

    public function testServices(): void
    {
        self::assertSame(['http' => '@server_web1', 'file' => '@server_web1', 'db' => '@server_web1'], d('@server_web1')->get_services());
        self::assertInstanceOf(\Provision_Service_null::class, d('@server_web1')->service('db'));
        $none = stand_in_server('@server_y', ['remote_host' => 'y', 'http_service_type' => 'NONE']);
        self::assertInstanceOf(\Provision_Service_null::class, $none->service('http'));
        stand_in_server('@server_z', ['remote_host' => 'z', 'http_service_type' => 'nonsense']);
        self::assertStringContainsString('Provision_Service_http_nonsense', implode(array_column(array_filter($GLOBALS['logged'], static fn (array $l): bool => $l[0] === 'error'), 1)));
    }

    public function testWhatIsSavedIsHere(): void
    {
        $GLOBALS['command'] = 'provision-save @server_x';
        $server = stand_in_server('@server_x', ['remote_host' => 'x', 'file_service_type' => 'nonsense']);
        self::assertInstanceOf(\Provision_Service_file_local::class, $server->service('file'));
    }

    public function testAClusterPushesToAllAtOnce(): void
    {
        self::assertTrue($this->cluster()->sync("$this->dir/platforms/d7", ['exclude-sites' => true]));
        DropIn::get()->flush();
        self::assertSame(["sync 1,2 $this->dir/platforms/d7"], $this->engine->story());
        self::assertSame([true, true, true, true], array_map(fn (string $o): bool => $this->engine->calls[0]['options'][$o], ['relative', 'keep_dirlinks', 'omit_dir_times', 'delete']));
    }

    public function testConfigurationIsEachServersOwn(): void
    {
        d('@server_web1')->sync("$this->dir/config/server_web1/x");
        $this->cluster()->parse_configs();
        self::assertSame(["sync 1 $this->dir/config/server_web1/x", 'run 1,2 true'], $this->engine->story());
    }

    public function testResultsAreNotLost(): void
    {
        $service = $this->cluster();
        self::assertTrue($service->create_config('site'));
        \Provision_Service_http_apache::$answers = ['@server_web1 create_config' => false, '@server_web1 cloaked_db_creds' => true];
        self::assertFalse($service->create_config('site'));
        self::assertSame(['@server_web1 create_config', '@server_web2 create_config'], array_slice($GLOBALS['called'], -2), 'the second is asked all the same');
        self::assertFalse($service->cloaked_db_creds(), 'NULL is no yes');
        $this->engine->exits['true'] = [1, 'no'];
        self::assertFalse($service->parse_configs());
    }

    public function testCallersGoOnAfterADeletion(): void
    {
        self::assertInstanceOf(\Provision_Service_http_cluster::class, $this->cluster()->delete_config('site')->succeed('gone')->fail('not gone', 'X'));
    }

    public function testAClusterFetchesNothing(): void
    {
        self::assertTrue($this->cluster()->fetch("$this->dir/platforms/d7/sites/a.test/modules/"));
        self::assertSame([], $this->engine->calls);
    }

    public function testAPacksMastersHoldTheFiles(): void
    {
        $pack = $this->group('pack', ['master_web_servers' => '@server_web1', 'slave_web_servers' => '@server_web2']);
        $pack->sync("$this->dir/platforms/d7", ['exclude-sites' => true]);
        $pack->create_config('site');
        $pack->parse_configs();
        $pack->fetch("$this->dir/platforms/d7/sites/a.test/files/");
        self::assertSame(["sync 1 $this->dir/platforms/d7", 'run 1,2 true', "fetch 1 $this->dir/platforms/d7/sites/a.test"], $this->engine->story());
        self::assertContains('@server_web2 create_config', $GLOBALS['called']);
    }

    public function testGrantsAreProbedOnAllAtOnce(): void
    {
        $service = $this->cluster();
        $db = new \Provision_Context('@server_db');
        $db->properties = ['remote_host' => 'db', 'db_port' => 3306];
        $service->context = new class ($db) extends \Provision_Context {
            public object $platform;

            public function __construct(public object $db_server)
            {
                $this->platform = (object) ['server' => d('@server_master')];
            }

            public function service(string $name): object
            {
                return new \Provision_Service_db_mysql($this->db_server);
            }
        };
        self::assertSame([d('@server_web1'), d('@server_web2'), d('@server_master')], $service->grant_server_list());
        $command = "mysql -u 'intntnllyInvalid_altered' -h 'db' -P '3306' -e \"SELECT VERSION()\"";
        self::assertSame(['run 1,2 ' . escapeshellcmd($command)], $this->engine->story());
        d('@server_web2')->shell_exec($command);
        self::assertCount(1, $this->engine->calls);
    }

    public function testTheStockWayIsStocksOwnCommands(): void
    {
        $this->aegir->isSimulated = true;
        d('@server_web1')->sync("$this->dir/config/server_web1/x", ['exclude' => 'y', 'no-delete' => true]);
        d('@server_web1')->sync("$this->dir/config/server_web1/x");
        d('@server_web1')->sync("$this->dir/gone");
        d('@server_web1')->shell_exec('mysql -e "SELECT VERSION()"');
        d('@server_web1')->fetch("$this->dir/config/server_web1/x");
        $path = "'$this->dir/config/server_web1/x'";
        $ssh = "ssh -o PasswordAuthentication=no 'aegir@web1'";
        self::assertSame([
            "rsync $path 'aegir@web1:/' exclude relative keep-dirlinks omit-dir-times",
            "rsync $path 'aegir@web1:/' relative keep-dirlinks omit-dir-times delete",
            "$ssh " . escapeshellarg(escapeshellcmd("rm -rf '$this->dir/gone'")),
            "$ssh " . escapeshellarg(escapeshellcmd('mysql -e "SELECT VERSION()"')),
            "rsync 'aegir@web1:/'" . trim($path, "'") . ' ' . trim($path, "'") . ' omit-dir-times delete',
        ], $GLOBALS['called']);
    }
}
