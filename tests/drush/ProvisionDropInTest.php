<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Provision\DropIn;
use Aegir\Scale\Provision\Group;
use Aegir\Scale\Provision\Policy;
use Aegir\Scale\Provision\Push;
use Aegir\Scale\Provision\Server;
use Aegir\Scale\Provision\Stale;
use Aegir\Scale\Provision\SyncOptions;
use Aegir\Scale\Provision\Uploads;
use Aegir\Scale\ScaleException;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

/** From what Provision asks for to what the extension is asked for. */
final class ProvisionDropInTest extends TestCase
{
    use TemporaryDirectory;

    private const RESTART = 'sudo apache2ctl graceful';
    private const TEST = 'sudo apache2ctl configtest';

    private FakeAegir $aegir;
    private ScriptedEngine $engine;
    private DropIn $scale;
    private string $root;
    private string $site;

    protected function setUp(): void
    {
        $this->aegir = new FakeAegir($this->dir);
        $this->engine = new ScriptedEngine();
        $this->root = "$this->dir/platforms/d7";
        $this->site = "$this->root/sites/a.test";
        $this->tree(['platforms/d7/index.php' => '', 'platforms/d7/sites/a.test/settings.php' => '', 'platforms/d7/sites/sites.php' => '']);
        for ($i = 1; $i <= 4; $i++) {
            $this->tree(["config/server_web$i/apache/vhost.d/a.test" => '']);
            $this->aegir->servers["@server_web$i"] = new Server("@server_web$i", "10.0.0.$i", 'aegir', self::RESTART, self::TEST);
        }
        $this->aegir->platformRoot = $this->root;
        $this->aegir->platformRoots = [$this->root];
        $this->aegir->sitePath = $this->site;
        $this->cluster();
        $this->next();
    }

    private function cluster(Policy $policy = Policy::All): void
    {
        $this->aegir->currentGroup = new Group('@server_cluster', false, array_values($this->aegir->servers), [], $policy, Uploads::Protect);
        $this->aegir->groups = ['@server_cluster' => $this->aegir->currentGroup];
    }

    /** Another process. */
    private function next(): void
    {
        $this->engine->calls = [];
        $this->aegir->log = $this->aegir->failures = [];
        $this->scale = new DropIn($this->aegir, $this->engine);
    }

    /** @param list<int> $on */
    private function push(string $path, array $options = [], array $on = [1, 2, 3, 4]): void
    {
        foreach ($on as $i) {
            $this->scale->sync("@server_web$i", $path, $options + ['relative' => true, 'delete' => true] + ($path === $this->root ? ['exclude-sites' => true] : []), static fn (): bool => self::fail('stock'));
        }
    }

    private function vhosts(): void
    {
        for ($i = 1; $i <= 4; $i++) {
            $this->push("$this->dir/config/server_web$i/apache/vhost.d/a.test", [], [$i]);
        }
    }

    private function restart(): array
    {
        $this->scale->restartAhead(array_keys($this->aegir->servers));
        $results = [];
        foreach (array_keys($this->aegir->servers) as $alias) {
            $results[] = $this->scale->exec($alias, self::RESTART, static fn (): bool => self::fail('stock'));
        }
        $this->scale->forgetAhead();

        return $results;
    }

    private function stale(): Stale
    {
        return new Stale($this->aegir, $this->scale->fleet);
    }

    /** @return list<string> without the directory of the test */
    private function story(): array
    {
        return str_replace("$this->dir/", '', $this->engine->story());
    }

    public function testNothingIsDoneBeforeItMustBe(): void
    {
        $this->push($this->root);
        self::assertSame([], $this->engine->calls);
        ($this->aegir->watchers[0])();
        self::assertSame(['sync 1,2,3,4 platforms/d7'], $this->story());
        $this->scale->flush();
        self::assertCount(1, $this->engine->calls);
    }

    public function testASitesVerifyIsAHandfulOfCalls(): void
    {
        // aegir.md: P X A P X V R P X
        foreach ([$this->root, $this->site, "$this->root/sites/sites.php", $this->root, $this->site] as $path) {
            $this->push($path);
        }
        $this->vhosts();
        self::assertSame([true, true, true, true], $this->restart());
        $this->push($this->root);
        $this->scale->settle();
        $story = $this->story();
        self::assertContains('sync 1,2,3,4 platforms/d7', $story);
        self::assertContains('sync 3 config/server_web3/apache/vhost.d/a.test', $story);
        self::assertSame(['run 1,2,3,4 ' . self::TEST, 'run 1,2,3,4 ' . self::RESTART, 'sync 1,2,3,4 platforms/d7'], array_slice($story, -3));
        self::assertLessThanOrEqual(11, count($story));
        self::assertSame([], $this->aegir->failures);
    }

    public function testAPlatformAndItsSiteAreOnePush(): void
    {
        foreach ([$this->root, $this->site, "$this->root/sites/sites.php"] as $path) {
            $this->push($path);
        }
        $this->scale->flush();
        self::assertSame("sync 1,2,3,4 platforms/d7", $this->story()[0]);
        $rules = $this->engine->calls[0]['options']['filter'];
        self::assertSame(["- $this->site/files", "- $this->site/private", '- .git'], array_slice($rules, 0, 3));
        self::assertSame(["+ $this->site", "+ $this->root/sites/sites.php", "+ $this->root/sites/all", "- $this->root/sites/*"], array_slice($rules, -4));
        self::assertCount(2, $this->engine->calls, 'and the uploads');
        self::assertSame(['delete' => false, 'update' => true], array_intersect_key($this->engine->calls[1]['options'], ['delete' => 0, 'update' => 0]));
    }

    public function testAPushWithOtherOptionsStaysOneOfItsOwn(): void
    {
        $this->push($this->root);
        $this->push("$this->root/sites/sites.php", ['checksum' => true]);
        $this->scale->flush();
        self::assertSame(['sync 1,2,3,4 platforms/d7', 'sync 1,2,3,4 platforms/d7/sites/sites.php'], $this->story());
    }

    public function testGoodServersSwitchThoughOthersAreDead(): void
    {
        $this->push($this->root);
        $this->scale->flush();
        self::assertSame(['commit' => 'together', 'max_failures' => 3], array_intersect_key($this->engine->calls[0]['options'], ['commit' => 0, 'max_failures' => 0]));
    }

    public function testADeadServerIsTriedTwiceNamedOnceAndLeftAlone(): void
    {
        $this->engine->dead = ['server_web3' => "no route\x07"];
        $this->push($this->root);
        $this->scale->flush();
        $this->push($this->site);
        $this->scale->flush();
        self::assertFalse($this->scale->exec('@server_web3', 'uptime', static fn (): bool => true));
        self::assertSame(['sync 1,2,3,4 platforms/d7', 'sync 3 platforms/d7'], array_slice($this->story(), 0, 2));
        self::assertCount(1, array_filter($this->story(), static fn (string $call): bool => str_contains($call, ' 3 ')));
        self::assertSame(['@server_web3: no route\x07'], $this->aegir->told('error'));
        self::assertCount(1, $this->aegir->failures);
        self::assertStringStartsWith('1 of 4 servers of @server_cluster is not up to date: @server_web3.', $this->aegir->failures[0][1]);
        self::assertSame(['no route\x07'], $this->aegir->output);
    }

    public function testAQuorumIsAWarning(): void
    {
        $this->cluster(Policy::Quorum);
        $this->engine->dead = ['server_web3' => 'no route'];
        $this->push($this->root);
        $this->scale->flush();
        self::assertSame([], $this->aegir->failures);
        self::assertCount(2, $this->aegir->told('warning'));
        $this->engine->dead += ['server_web1' => 'no route'];
        $this->push($this->site);
        $this->scale->flush();
        self::assertSame('SCALE_PARTIAL', $this->aegir->failures[0][0]);
    }

    public function testWhatWasMissedIsMadeUpForByAnotherProcess(): void
    {
        $this->engine->dead = ['server_web3' => 'no route'];
        $this->push($this->root);
        $this->vhosts();
        $this->restart();
        self::assertSame(['server_web3'], $this->stale()->servers());
        self::assertSame(0100600, fileperms("$this->dir/config/scale/state.json"));

        $this->engine->dead = [];
        $this->next();
        $this->push($this->site, [], [3]);
        $this->scale->settle();
        $story = $this->story();
        self::assertContains('sync 3 platforms/d7', $story);
        self::assertContains('sync 3 config/server_web3/apache/vhost.d/a.test', $story);
        self::assertSame(['run 3 ' . self::TEST, 'run 3 ' . self::RESTART], array_slice($story, -2));
        self::assertSame([], $this->stale()->servers());
        self::assertStringContainsString('@server_web3 had missed 2 changes', $this->aegir->told('ok')[0]);
    }

    public function testAMissedRestartIsNotMadeTwice(): void
    {
        $this->engine->exits['server_web2 ' . self::TEST] = [1, 'Syntax error'];
        $this->vhosts();
        $this->restart();
        $this->engine->exits = [];
        $this->next();
        $this->vhosts();
        $this->restart();
        $this->scale->settle();
        self::assertCount(1, array_filter($this->story(), static fn (string $call): bool => str_starts_with($call, 'run') && str_ends_with($call, self::RESTART)));
        self::assertSame([], $this->aegir->failures);
        self::assertSame([], $this->stale()->servers());
    }

    public function testAWrongConfigurationIsNotReloaded(): void
    {
        $this->engine->exits['server_web2 ' . self::TEST] = [1, "AH00526: Syntax error on line 1\n"];
        $this->vhosts();
        self::assertSame([true, false, true, true], $this->restart());
        self::assertContains('run 1,3,4 ' . self::RESTART, $this->story());
        self::assertStringContainsString('@server_web2: the configuration is wrong, it was not reloaded: AH00526: Syntax error', $this->aegir->told('error')[0]);
        self::assertSame('SCALE_PARTIAL', $this->aegir->failures[0][0]);
        self::assertTrue($this->stale()->wantsRestart($this->aegir->servers['@server_web2']));
    }

    public function testATestThatSudoForbidsKeepsNoReload(): void
    {
        $this->engine->exits[self::TEST] = [1, "sudo: a password is required\n"];
        self::assertSame([true, true, true, true], $this->restart());
        self::assertSame([], $this->aegir->failures);
    }

    public function testAReloadThatFailsIsAFailure(): void
    {
        $this->engine->exits['server_web4 ' . self::RESTART] = [1, "no such process\n"];
        self::assertSame([true, true, true, false], $this->restart());
        self::assertSame(['on web4', 'no such process'], str_replace('server_', '', $this->aegir->output));
        self::assertSame('SCALE_PARTIAL', $this->aegir->failures[0][0]);
    }

    public function testASingleServersReloadIsTestedToo(): void
    {
        self::assertTrue($this->scale->exec('@server_web1', self::RESTART, static fn (): bool => false));
        self::assertSame(['run 1 ' . self::TEST, 'run 1 ' . self::RESTART], $this->story());
    }

    public function testAProbeIsMadeOnAllAtOnceAndAnsweredOnce(): void
    {
        $this->scale->ahead(array_keys($this->aegir->servers), 'mysql -e "SELECT VERSION()"');
        for ($i = 1; $i <= 4; $i++) {
            self::assertTrue($this->scale->exec("@server_web$i", 'mysql -e "SELECT VERSION()"', static fn (): bool => false));
            self::assertSame(["on server_web$i"], $this->aegir->output);
        }
        self::assertSame(['run 1,2,3,4 mysql -e "SELECT VERSION\(\)"'], $this->story());
        $this->scale->exec('@server_web1', 'mysql -e "SELECT VERSION()"', static fn (): bool => false);
        self::assertCount(2, $this->engine->calls);
    }

    public function testAServerThatCannotBeAskedIsAnsweredFor(): void
    {
        $this->cluster(Policy::Quorum);
        $this->engine->dead = ['server_web3' => 'no route'];
        $this->scale->ahead(array_keys($this->aegir->servers), 'mysql', static fn (Server $away): string => "Access denied for 'x'@'$away->host'");
        self::assertFalse($this->scale->exec('@server_web3', 'mysql', static fn (): bool => true));
        self::assertSame(["Access denied for 'x'@'10.0.0.3'"], $this->aegir->output);
        self::assertSame([], $this->aegir->failures);
    }

    /** @return iterable<array{string, bool}> */
    public static function hostsThatADatabaseNames(): iterable
    {
        yield ["ERROR 1045 (28000): Access denied for user 'intntnllyInvalid'@'web-1.example.org' (using password: NO)", true];
        yield ["ERROR 1130 (HY000): Host 'fe80::1' is not allowed to connect to this MariaDB server", true];
        yield ["Access denied for user 'intntnllyInvalid'@'x`; GRANT ALL ON *.* TO `me`@`%'", false];
        yield ["Access denied for user 'intntnllyInvalid'@'%'", false];
        yield ["Access denied for user 'intntnllyInvalid'@''", false];
        yield ["Access denied for user 'intntnllyInvalid'@'x`;\n DROP DATABASE `a'", false];
        yield ["Host 'x` y' is not\n allowed to connect to", false];
        yield ["Host 'good' is not allowed to connect to Access denied for user 'intntnllyInvalid'@'x` y'", false];
    }

    #[DataProvider('hostsThatADatabaseNames')]
    public function testNoServerWritesSql(string $said, bool $isGood): void
    {
        $this->engine->exits['server_web1 mysql'] = [1, $said];
        $this->scale->exec('@server_web1', 'mysql', static fn (): bool => true);
        $output = implode('', $this->aegir->output);
        self::assertSame($isGood, str_contains($output, $said), $output);
        // The words of Provision_Service_db_mysql::grant_host().
        $isRead = preg_match("/Access denied for user 'intntnllyInvalid'@'([^']*)'|Host '([^']*)' is not allowed to connect to/", $output) === 1;
        self::assertSame($isGood, $isRead, $output);
    }

    public function testACommandComesAfterWhatWasPushedBefore(): void
    {
        $this->push($this->site);
        $this->scale->exec('@server_web1', 'ln -sf a b', static fn (): bool => false);
        self::assertSame(['sync 1,2,3,4', 'run 1 ln -sf a b'], [substr($this->story()[0], 0, 12), $this->story()[count($this->story()) - 1]]);
    }

    public function testAPathThatIsGoneIsRemoved(): void
    {
        $vhost = "$this->dir/config/server_web2/apache/vhost.d/a.test";
        unlink($vhost);
        $this->vhosts();
        $this->scale->flush();
        self::assertContains('run 2 rm -rf --one-file-system -- config/server_web2/apache/vhost.d/a.test', $this->story());
        self::assertSame([], $this->aegir->failures);
    }

    public function testAPathThatIsNoneOfAegirsIsNotRemoved(): void
    {
        $this->push('/nonexistent/thing');
        $this->scale->flush();
        self::assertSame([], $this->engine->calls);
        self::assertStringContainsString('/nonexistent/thing', $this->aegir->failures[0][1]);
    }

    public function testWhatCannotBeSeenIsNotGone(): void
    {
        symlink("$this->dir/loop", "$this->dir/loop");
        $gone = new Push($this->aegir->servers['@server_web1'], "$this->dir/config/server_web1/x/y", new SyncOptions([]));
        $unseen = new Push($this->aegir->servers['@server_web1'], "$this->dir/loop/x", new SyncOptions([]));
        self::assertSame([true, false], [$gone->isGone(), $unseen->isGone()]);
    }

    public function testAStoppedCallIsNoted(): void
    {
        $this->engine->refusal = static fn (): \Throwable => new \RuntimeException('stopped');
        $this->push($this->site);
        try {
            $this->scale->flush();
            self::fail('no exception');
        } catch (\RuntimeException) {
            self::assertCount(4, $this->stale()->servers());
        }
    }

    public function testARemovalThatWasMissedIsAllowedLater(): void
    {
        $this->engine->dead = ['server_web3' => 'no route'];
        exec('rm -rf ' . escapeshellarg($this->site));
        $this->push($this->site);
        $this->scale->flush();
        $this->engine->dead = [];
        $this->aegir->sitePath = "$this->root/sites/b.test";
        $this->next();
        $this->push("$this->root/sites/sites.php");
        $this->scale->flush();
        self::assertContains('run 3 rm -rf --one-file-system -- platforms/d7/sites/a.test', $this->story());
        self::assertSame([], $this->aegir->failures);
    }

    public function testWhatCameAfterItWasAskedForIsPushedThen(): void
    {
        $this->push("$this->dir/config/server_web1/ssl.d/default", [], [1]);
        $this->scale->flush();
        $this->tree(['config/server_web1/ssl.d/default/openssl.key' => '']);
        $this->push("$this->dir/config/server_web1/apache/vhost.d/a.test", [], [1]);
        $this->scale->flush();
        self::assertStringContainsString('config/server_web1/ssl.d/default', end($this->engine->calls)['paths'][1] ?? end($this->engine->calls)['paths'][0]);
    }

    public function testAnEmptyDirectoryIsMadeAndNothingIsDeletedInIt(): void
    {
        $this->tree(['config/server_web1/apache/pre.d' => null, 'config/server_web1/apache/post.d' => null]);
        $this->push("$this->dir/config/server_web1/apache/pre.d", [], [1]);
        $this->push("$this->dir/config/server_web1/apache/post.d", [], [1]);
        $this->scale->flush();
        $call = $this->engine->calls[0];
        self::assertCount(1, $this->engine->calls);
        self::assertSame(["$this->dir/config/server_web1/apache"], $call['paths']);
        self::assertFalse($call['options']['delete']);
        self::assertSame([
            "+ $this->dir/config/server_web1/apache/pre.d/", "+ $this->dir/config/server_web1/apache/post.d/",
            "- $this->dir/config/server_web1/apache/pre.d/*", "- $this->dir/config/server_web1/apache/post.d/*",
            "- $this->dir/config/server_web1/apache/*",
        ], $call['options']['filter']);
    }

    public function testAFaultOfOnePathKeepsNoOther(): void
    {
        $this->engine->refusal = fn (array $paths): ?\Throwable => in_array("$this->root/sites/sites.php", $paths, true)
            ? new \ValueError("$this->root/sites/sites.php cannot be read") : null;
        $this->push("$this->root/sites/sites.php");
        $this->push("$this->dir/config/server_web1/apache/vhost.d/a.test");
        $this->scale->flush();
        self::assertContains('sync 1,2,3,4 config/server_web1/apache/vhost.d/a.test', $this->story());
        self::assertSame('PROVISION_FILE_SYNC_FAILED', $this->aegir->failures[0][0]);
        self::assertSame([], $this->stale()->servers(), 'no server missed what is wrong here');
    }

    public function testAfterARollbackTheServersHaveWhatIsHere(): void
    {
        $this->push($this->site);
        $this->vhosts();
        $this->scale->flush();
        exec('rm -rf ' . escapeshellarg($this->site) . ' ' . escapeshellarg($this->dir) . '/config/server_web*/apache/vhost.d/a.test');
        $this->engine->calls = [];
        $this->scale->converge();
        $story = $this->story();
        self::assertContains('run 1,2,3,4 rm -rf --one-file-system -- platforms/d7/sites/a.test', $story);
        self::assertContains('run 4 rm -rf --one-file-system -- config/server_web4/apache/vhost.d/a.test', $story);
        self::assertSame('run 1,2,3,4 ' . self::RESTART, end($story));
    }

    public function testARollbackThatChangesNothingReloadsNothing(): void
    {
        $this->vhosts();
        $this->restart();
        $this->engine->isUnchanged = true;
        $this->engine->calls = [];
        $this->scale->converge();
        self::assertSame(['sync', 'sync', 'sync', 'sync'], array_column($this->engine->calls, 'what'));
    }

    public function testAnOptionWithoutMeaningGoesTheStockWayAfterAllElse(): void
    {
        $this->push($this->root);
        $isStock = false;
        $done = $this->scale->sync('@server_web1', $this->site, ['safe-links' => true], function () use (&$isStock): bool {
            $isStock = count($this->engine->calls) === 1;
            return true;
        });
        self::assertSame([true, true], [$done, $isStock]);
        self::assertStringContainsString('--safe-links', implode($this->aegir->told('info')));
    }

    public function testRsyncDoesNotSeeUploads(): void
    {
        $more = null;
        $this->scale->sync('@server_web1', $this->site, ['safe-links' => true], function (array $options) use (&$more): bool {
            $more = $options;
            return true;
        });
        self::assertSame("- $this->site/files\n- $this->site/private\n", file_get_contents(substr($more['filter'], strlen('merge '))));
        $this->scale->settle();
        self::assertSame(['sync 1 platforms/d7/sites/a.test'], $this->story());
        self::assertFalse($this->engine->calls[0]['options']['delete']);
        self::assertTrue($this->engine->calls[0]['options']['update']);

        $this->scale->sync('@server_web1', $this->root, ['safe-links' => true, 'exclude-sites' => true], function (array $options) use (&$more): bool {
            $more = $options;
            return true;
        });
        self::assertSame([], $more, 'there are none');
        $this->scale->sync('@server_web1', $this->site, ['safe-links' => true, 'filter' => '- x'], function (array $options) use (&$more): bool {
            $more = $options;
            return true;
        });
        self::assertSame(['delete' => null], $more);
        self::assertTrue($this->scale->sync('@server_web1', "$this->site/files", ['safe-links' => true], static fn (): bool => self::fail('stock')));
    }

    public function testOffIsStock(): void
    {
        $this->aegir->servers['@server_web1'] = new Server('@server_web1', '10.0.0.1', 'aegir', self::RESTART, self::TEST, false, true);
        $stock = static fn (): bool => true;
        self::assertTrue($this->scale->sync('@server_web1', $this->site, [], $stock));
        self::assertTrue($this->scale->exec('@server_web1', self::RESTART, $stock));
        self::assertTrue($this->scale->fetch(['@server_web1'], "$this->site/files/", $stock));
        $this->scale->restartAhead(['@server_web1']);
        $this->scale->settle();
        self::assertSame([], $this->engine->calls);
    }

    public function testSimulatedIsStock(): void
    {
        $this->aegir->isSimulated = true;
        self::assertTrue($this->scale->sync('@server_web1', $this->site, [], static fn (): bool => true));
        $this->scale->restartAhead(['@server_web1']);
        $this->scale->settle();
        self::assertSame([], $this->engine->calls);
    }

    public function testThisMachineIsNotCopiedTo(): void
    {
        $this->aegir->servers['@server_master'] = new Server('@server_master', 'localhost', 'aegir', '', '', true);
        self::assertTrue($this->scale->sync('@server_master', $this->site, [], static fn (): bool => self::fail('stock')));
        self::assertTrue($this->scale->exec('@server_master', 'x', static fn (): bool => true));
        $this->scale->settle();
        self::assertSame([], $this->engine->calls);
    }

    public function testADamagedStateIsPutAside(): void
    {
        mkdir("$this->dir/config/scale");
        file_put_contents("$this->dir/config/scale/state.json", '{"version":1,"servers":[');
        $this->push($this->site);
        $this->scale->flush();
        self::assertFileExists("$this->dir/config/scale/state.json.damaged");
        self::assertStringContainsString('is damaged', $this->aegir->told('warning')[0]);
        self::assertSame([], $this->aegir->failures);
    }

    public function testNamesThatAreNotUtf8AreKept(): void
    {
        $odd = "$this->dir/config/server_web1/\xff";
        file_put_contents($odd, '');
        $this->engine->dead = ['server_web1' => "\xfe"];
        $this->push($odd, [], [1]);
        $this->scale->flush();
        self::assertSame([$odd], array_column($this->stale()->of($this->aegir->servers['@server_web1']), 'path'));
        foreach ([...array_column($this->aegir->log, 1), ...array_column($this->aegir->failures, 1)] as $line) {
            self::assertSame(1, preg_match('//u', $line));
        }
    }

    public function testOneFetchBringsAllOfASite(): void
    {
        $this->tree(['platforms/d7/sites/a.test/modules' => null]);
        foreach (['files/', 'private/', 'modules/', 'themes/', 'libraries/', 'local.settings.php'] as $name) {
            self::assertTrue($this->scale->fetch(['@server_web1', '@server_web2'], "$this->site/$name", static fn (): bool => self::fail('stock')));
        }
        self::assertSame(['fetch 1,2 platforms/d7/sites/a.test'], $this->story());
        self::assertSame(['- /files/php/', '+ /files', '+ /private', '+ /modules', '- /*'], array_slice($this->engine->calls[0]['options']['filter'], 9));
    }

    public function testADifferentCopyOfCodeIsNotLeftInAWebRoot(): void
    {
        // A name that a server has made as long as one may be.
        $long = str_repeat('x', 230) . '.php.server_web1-CONFLICT';
        $this->tree(["platforms/d7/sites/a.test/modules/$long" => '<?php', 'platforms/d7/sites/a.test/modules/x.php.server_web1-CONFLICT' => '<?php', 'platforms/d7/sites/a.test/files/y.server_web1-CONFLICT' => '']);
        $this->engine->changes = [['path' => "$this->site/modules/$long", 'code' => ''], ['path' => "$this->site/modules/x.php.server_web1-CONFLICT", 'code' => ''], ['path' => "$this->site/files/y.server_web1-CONFLICT", 'code' => '']];
        $this->scale->fetch(['@server_web1'], "$this->site/files/", static fn (): bool => false);
        self::assertSame(['files/y.server_web1-CONFLICT', 'modules', 'settings.php'], array_keys($this->found('platforms/d7/sites/a.test')));
        self::assertCount(2, glob("$this->dir/config/scale/conflicts/*x.php.server_web1-CONFLICT"));
    }

    public function testAnErrorOfOursIsAnException(): void
    {
        $this->expectException(\RuntimeException::class);
        $this->scale->sync('@server_web1', $this->site, ['safe-links' => true], static fn (): bool => throw new \TypeError('x'));
    }
}
