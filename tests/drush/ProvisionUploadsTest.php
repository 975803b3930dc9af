<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Provision\Fleet;
use Aegir\Scale\Provision\Group;
use Aegir\Scale\Provision\Policy;
use Aegir\Scale\Provision\Push;
use Aegir\Scale\Provision\Server;
use Aegir\Scale\Provision\SyncOptions;
use Aegir\Scale\Provision\UploadGathering;
use Aegir\Scale\Provision\UploadPushes;
use Aegir\Scale\Provision\Uploads;
use PHPUnit\Framework\TestCase;

final class ProvisionUploadsTest extends TestCase
{
    use TemporaryDirectory;

    private FakeAegir $aegir;
    private LocalServersEngine $engine;
    private string $site;

    protected function setUp(): void
    {
        putenv(UploadGathering::GATHERED);
        $this->site = "$this->dir/hub/sites/a.test";
        $this->tree(['hub/sites/a.test/settings.php' => 'x', 'hub/sites/all/modules/x' => 'x', 'hub/sites/b.test/settings.php' => 'x']);
        $this->aegir = new FakeAegir("$this->dir/aegir");
        $this->engine = new LocalServersEngine("$this->dir/hub", $this->dir);
    }

    protected function tearDown(): void
    {
        putenv(UploadGathering::GATHERED);
    }

    public function testBothDirectoriesComeFromAllServersWithoutWhatDrupalMakesAnew(): void
    {
        self::assertTrue($this->gathering()->gather($this->group(), $this->site));
        self::assertSame([
            ['fetch', ["$this->site/files"], ['exclude' => ['/css/', '/js/', '/php/', '/.htaccess']], ['server_web1', 'server_web2']],
            ['fetch', ["$this->site/private"], ['exclude' => ['/temp/', '/.htaccess']], ['server_web1', 'server_web2']],
        ], $this->engine->calls);
    }

    public function testBeforePushesOnceATaskForABackupAlways(): void
    {
        $gathering = $this->gathering();
        $gathering->before($this->group(), $this->site);
        $gathering->before($this->group(), "$this->site/");
        self::assertCount(2, $this->engine->calls);
        // What the task starts in another process knows it.
        $this->gathering()->before($this->group(), $this->site);
        self::assertCount(2, $this->engine->calls);
        $gathering->forBackup($this->group(), $this->site);
        self::assertCount(4, $this->engine->calls);
        $gathering->before($this->group(), "$this->dir/hub/sites/b.test");
        self::assertCount(6, $this->engine->calls);
    }

    public function testWhatAnotherTaskGatheredCountsForNothing(): void
    {
        // A daemon may have been started by a task that has ended long ago.
        $process = proc_open(['true'], [], $pipes);
        $pid = proc_get_status($process)['pid'];
        proc_close($process);
        putenv(UploadGathering::GATHERED . "=$pid:$this->site");
        $this->gathering()->before($this->group(), $this->site);
        self::assertCount(2, $this->engine->calls);
    }

    public function testOnlyTheModeGatherGathersBeforePushes(): void
    {
        foreach ([Uploads::Protect, Uploads::Shared] as $mode) {
            $this->gathering()->before($this->group($mode), $this->site);
        }
        self::assertSame([], $this->engine->calls);
        $this->gathering()->forBackup($this->group(Uploads::Protect), $this->site);
        self::assertCount(2, $this->engine->calls, 'a backup holds them in any mode');
    }

    public function testLinksIntoTheShareAreNotGathered(): void
    {
        $this->tree(['hub/sites/a.test/files' => '-> /shared/a.test/files', 'hub/sites/a.test/private' => null]);
        $this->gathering()->forBackup($this->group(Uploads::Shared), $this->site);
        self::assertSame([["$this->site/private"]], array_column($this->engine->calls, 1));
    }

    public function testNothingIsDoneForASiteThatIsNotHereOrInASimulation(): void
    {
        $this->gathering()->before($this->group(), "$this->dir/hub/sites/gone.test");
        $this->aegir->isSimulated = true;
        $this->gathering()->before($this->group(), $this->site);
        self::assertSame([], $this->engine->calls);
    }

    public function testADeadServerIsToldOnceAndTheBackupSaysWhatItMayLack(): void
    {
        $this->engine->dead = ['server_web2' => "cannot\x1b[1m connect"];
        $gathering = $this->gathering();
        $gathering->forBackup($this->group(), $this->site);
        self::assertSame([
            'server_web2 could not be asked for uploads of a.test: cannot\x1b[1m connect',
            'the backup may lack what was uploaded on server_web2 to a.test',
        ], $this->aegir->told('warning'));
        self::assertSame(['server_web2'], $gathering->missing($this->site));
        self::assertSame([], $this->aegir->failures);
    }

    public function testConflictsAreToldOneByOneButNotThousandsOfThem(): void
    {
        $this->engine->fetched = ['files' => 30, 'warnings' => array_map(static fn (int $i): string => "conflict\x07 $i", range(1, 15))];
        $this->gathering()->before($this->group(), $this->site);
        $warnings = $this->aegir->told('warning');
        self::assertCount(21, $warnings);
        self::assertSame('conflict\x07 1', $warnings[0]);
        self::assertStringStartsWith('and 10 more conflicts: look for', $warnings[20]);
        self::assertSame(['60 uploaded files of a.test brought from the servers'], $this->aegir->told('success'));
    }

    public function testACallThatFailsAsAWholeLeavesTheUploadsOfAllMissing(): void
    {
        if (!class_exists(\Aegir\Scale\ScaleException::class)) {
            self::markTestSkipped('without the extension there is no ScaleException');
        }
        $this->engine->throws = new \Aegir\Scale\ScaleException('no room');
        $gathering = $this->gathering();
        $gathering->forBackup($this->group(), $this->site);
        self::assertSame(['server_web1', 'server_web2'], $gathering->missing($this->site));
        self::assertStringContainsString('no room', $this->aegir->told('warning')[0]);
    }

    public function testASiteIsPushedAsCodeAndAsUploads(): void
    {
        [$code, $uploads] = $this->pushes($this->site, ['delete' => true, 'filter' => ['- .git']]);
        self::assertSame(['delete' => true, 'filter' => ["- $this->site/files", "- $this->site/private", '- .git']], $code);
        self::assertFalse($uploads['delete']);
        self::assertTrue($uploads['update']);
        self::assertSame('- .git', $uploads['filter'][0]);
        self::assertContains("+ $this->site/files/**", $uploads['filter']);
        self::assertSame("- $this->site/**", end($uploads['filter']));
    }

    public function testSharedUploadsAreNoPartOfAPush(): void
    {
        self::assertSame(
            [['delete' => true, 'filter' => ["- $this->site/files", "- $this->site/private"]]],
            $this->pushes($this->site, ['delete' => true], Uploads::Shared),
        );
        self::assertSame([], $this->pushes("$this->site/private/temp/.htaccess", ['delete' => true], Uploads::Shared));
        self::assertSame([], $this->pushes("$this->site/files", ['delete' => true], Uploads::Shared));
    }

    public function testAPathBelowUploadsDeletesNothingAndReplacesNothingNewer(): void
    {
        self::assertSame([['delete' => false, 'filter' => [], 'update' => true]], $this->pushes("$this->site/private/temp/.htaccess", ['delete' => true]));
    }

    public function testAPlatformWithoutItsSitesIsPushedAsItIs(): void
    {
        $engine = ['delete' => true, 'filter' => ["+ $this->dir/hub/sites/all", "- $this->dir/hub/sites/*"]];
        self::assertSame([$engine], $this->pushes("$this->dir/hub", $engine));
        foreach (['sites/sites.php', 'sites/all', 'sites/all/files', 'modules/files', 'sites/a.test/modules'] as $path) {
            self::assertSame([['delete' => true]], $this->pushes("$this->dir/hub/$path", ['delete' => true]), $path);
        }
        self::assertSame([['delete' => true]], $this->pushes("$this->dir/aegir/config/server_web1", ['delete' => true]));
    }

    public function testAPlatformWithItsSitesHasUploadsOfAllOfThem(): void
    {
        [$code, $uploads] = $this->pushes($this->dir, ['delete' => true]);
        self::assertSame(array_map(fn (string $name): string => "- $this->dir/hub/sites/$name", ['a.test/files', 'a.test/private', 'b.test/files', 'b.test/private']), $code['filter']);
        self::assertContains("+ $this->dir/hub/", $uploads['filter']);
        self::assertContains("+ $this->dir/hub/sites/b.test/private/", $uploads['filter']);
        self::assertFalse($uploads['delete']);
    }

    public function testAPacksPushThatLeavesUploadsOutStaysAsItIs(): void
    {
        $engine = ['delete' => true, 'filter' => ["- $this->site/files/*", "- $this->site/private/*"]];
        self::assertSame([$engine], $this->pushes($this->site, $engine, Uploads::Protect));
    }

    public function testNamesWithStarsAreMeantAsTheyAre(): void
    {
        $this->tree(['hub/sites/[x]/settings.php' => 'x']);
        [$code] = $this->pushes("$this->dir/hub/sites/[x]", []);
        self::assertSame("- $this->dir/hub/sites/\\[x]/files", $code['filter'][0]);
    }

    /**
     * The engine's options of each push that is made instead.
     *
     * @param array<string, mixed> $engine
     * @return list<array<string, mixed>>
     */
    private function pushes(string $path, array $engine, Uploads $mode = Uploads::Gather): array
    {
        $push = new Push(new Server('@server_web1', 'web1', 'aegir'), $path, new SyncOptions($engine));
        $pushes = UploadPushes::of($push, "$this->dir/hub", $mode);

        return array_map(static function (Push $p): array {
            $engine = $p->options->engine;
            ksort($engine);

            return $engine;
        }, $pushes);
    }

    private function group(Uploads $mode = Uploads::Gather): Group
    {
        $servers = array_map(static fn (int $i): Server => new Server("@server_web$i", "web$i", 'aegir'), [1, 2]);

        return new Group('@server_cluster', false, $servers, [], Policy::All, $mode, '/shared');
    }

    private function gathering(): UploadGathering
    {
        return new UploadGathering($this->aegir, new Fleet($this->aegir, $this->engine), $this->engine);
    }
}
