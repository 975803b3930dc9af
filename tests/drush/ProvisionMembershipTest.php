<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Provision\Fleet;
use Aegir\Scale\Provision\Group;
use Aegir\Scale\Provision\Membership;
use Aegir\Scale\Provision\Server;
use PHPUnit\Framework\TestCase;

final class ProvisionMembershipTest extends TestCase
{
    use TemporaryDirectory;

    private FakeAegir $aegir;
    private FakeHosting $hosting;
    private LocalServersEngine $engine;
    private Membership $membership;
    private string $root;

    protected function setUp(): void
    {
        $this->root = $this->dir;
        mkdir("$this->root/hub/platforms/d7/sites/a.test/files", 0777, true);
        mkdir("$this->root/servers/web3/platforms/d7/sites/a.test/files", 0777, true);
        mkdir("$this->root/hub/config/server_web3/apache/vhost.d", 0777, true);
        mkdir("$this->root/servers/web3/config/server_web3/apache/vhost.d", 0777, true);
        touch("$this->root/hub/config/server_web3/apache/vhost.d/a.test");
        touch("$this->root/servers/web3/config/server_web3/apache/vhost.d/a.test");
        touch("$this->root/servers/web3/config/server_web3/apache.conf");
        $this->aegir = new FakeAegir("$this->root/hub");
        $server = new Server('@server_web3', 'web3', 'aegir');
        $this->aegir->servers = ['@server_web3' => $server, '@server_master' => new Server('@server_master', 'hub', 'aegir', isLocal: true)];
        $this->aegir->groups = ['@server_cluster' => new Group('@server_cluster', false, [new Server('@server_web1', 'web1', 'aegir')])];
        $this->hosting = new FakeHosting();
        $this->hosting->groups = ['@server_cluster' => ['@server_web1']];
        $this->hosting->platforms = [
            '@server_cluster' => ['@platform_d7' => "$this->root/hub/platforms/d7"],
            '@server_master' => ['@platform_hostmaster' => "$this->root/hub/hostmaster"],
        ];
        $this->hosting->sites = ['@platform_d7' => ['@a.test' => "$this->root/hub/platforms/d7/sites/a.test"]];
        $this->engine = new LocalServersEngine("$this->root/hub", "$this->root/servers");
        $this->membership = new Membership($this->aegir, $this->hosting, $this->engine, new Fleet($this->aegir, $this->engine));
    }

    public function testAJoinBringsEverythingOfTheGroupAndTheGrantComesFirst(): void
    {
        $this->hosting->groups['@server_cluster'][] = '@server_web3';
        self::assertTrue($this->membership->join('@server_web3'));
        self::assertSame([
            '@server_web3 provision-verify',
            '@platform_d7 provision-verify',
            '@a.test scale-grant @server_web3',
            '@a.test provision-verify',
        ], $this->hosting->invoked);
        self::assertSame(['@server_web3 has 1 platform and 1 site of @server_cluster'], $this->aegir->told('success'));
    }

    public function testASiteWithoutAGrantIsNotBrought(): void
    {
        $this->hosting->groups['@server_cluster'][] = '@server_web3';
        $this->hosting->failing = ['@a.test scale-grant @server_web3'];
        self::assertFalse($this->membership->join('@server_web3'));
        self::assertNotContains('@a.test provision-verify', $this->hosting->invoked);
        self::assertStringContainsString('has not got everything', $this->aegir->failures[0][1]);
    }

    public function testAServerThatIsInNoGroupCannotJoin(): void
    {
        self::assertFalse($this->membership->join('@server_web3'));
        self::assertFalse($this->membership->join('@server_master'));
        self::assertSame([], $this->hosting->invoked);
    }

    public function testALeaveRemovesPlatformsConfigurationAndGrants(): void
    {
        self::assertTrue($this->membership->leave('@server_web3'), implode("\n", array_column($this->aegir->log, 1)));
        self::assertDirectoryDoesNotExist("$this->root/servers/web3/platforms/d7");
        self::assertFileDoesNotExist("$this->root/servers/web3/config/server_web3/apache/vhost.d/a.test");
        self::assertFileDoesNotExist("$this->root/hub/config/server_web3/apache/vhost.d/a.test");
        self::assertFileExists("$this->root/servers/web3/config/server_web3/apache.conf");
        self::assertDirectoryExists("$this->root/hub/platforms/d7/sites/a.test/files");
        self::assertSame(['@a.test scale-revoke @server_web3'], $this->hosting->invoked);
        self::assertContains('fetch', array_column($this->engine->calls, 0));
        self::assertSame([], glob("$this->root/hub/platforms/d7/.aegir-scale-*"));
    }

    public function testAMemberIsNotEmptied(): void
    {
        $this->hosting->groups['@server_cluster'][] = '@server_web3';
        self::assertFalse($this->membership->leave('@server_web3'));
        self::assertSame([], $this->engine->calls);
        self::assertStringContainsString('is still in @server_cluster', $this->aegir->failures[0][1]);
    }

    public function testWhatIsTheSameDirectoryAsHereIsLeft(): void
    {
        exec('rm -rf ' . escapeshellarg("$this->root/servers/web3/platforms"));
        symlink("$this->root/hub/platforms", "$this->root/servers/web3/platforms");
        self::assertTrue($this->membership->leave('@server_web3'));
        self::assertDirectoryExists("$this->root/hub/platforms/d7/sites/a.test/files");
    }

    public function testUploadsThatCannotBeBroughtKeepTheTree(): void
    {
        $this->engine->throws = new \RuntimeException('no rsync here');
        self::assertFalse($this->membership->leave('@server_web3'));
        self::assertDirectoryExists("$this->root/servers/web3/platforms/d7");
        self::assertContains('no rsync here', $this->aegir->told('warning'));
    }

    public function testADeadServerLosesItsGrantsAndIsTold(): void
    {
        $this->engine->dead = ['server_web3' => 'refused the connection'];
        self::assertFalse($this->membership->leave('@server_web3'));
        self::assertSame(['@a.test scale-revoke @server_web3'], $this->hosting->invoked);
        self::assertStringContainsString('refused the connection', $this->aegir->told('warning')[0]);
    }
}
