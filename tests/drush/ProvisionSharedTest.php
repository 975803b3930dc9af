<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Provision\Fleet;
use Aegir\Scale\Provision\Group;
use Aegir\Scale\Provision\Policy;
use Aegir\Scale\Provision\Server;
use Aegir\Scale\Provision\Share;
use Aegir\Scale\Provision\SharedUploads;
use Aegir\Scale\Provision\UploadGathering;
use Aegir\Scale\Provision\Uploads;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

/** Servers are directories here: hub/ and web1/ to web3/ beside each other, and shared/ is common to all. */
final class ProvisionSharedTest extends TestCase
{
    use TemporaryDirectory;

    private FakeAegir $aegir;
    private LocalServersEngine $engine;

    protected function setUp(): void
    {
        $this->tree(['hub/sites/a.test/settings.php' => 'x', 'shared' => null]);
        foreach (['web1', 'web2', 'web3'] as $name) {
            $this->tree(["$name/sites/a.test/settings.php" => 'x']);
        }
        $this->aegir = new FakeAegir("$this->dir/aegir");
        $this->aegir->platformRoots = ["$this->dir/hub"];
        $this->engine = new LocalServersEngine("$this->dir/hub", $this->dir);
        putenv(UploadGathering::GATHERED);
    }

    protected function tearDown(): void
    {
        self::assertSame([], glob("$this->dir/shared/.aegir-scale-check.*"), 'a token is left');
        putenv(UploadGathering::GATHERED);
    }

    public function testANewSiteGetsLinksAndItsDirectoriesMoveIntoTheShare(): void
    {
        $this->tree(['hub/sites/a.test/files/css' => null, 'hub/sites/a.test/files/.htaccess' => 'deny', 'hub/sites/a.test/private/temp' => null]);
        chmod("$this->dir/hub/sites/a.test/files", 02775);
        self::assertTrue($this->shared()->convert($this->group(), $this->site()), json_encode($this->aegir->failures));
        self::assertSame(['a.test/files/.htaccess' => 'deny', 'a.test/files/css' => null, 'a.test/private/temp' => null], $this->found('shared'));
        self::assertSame(02775, fileperms("$this->dir/shared/a.test/files") & 07777);
        $this->assertLinks('hub', 'web1', 'web2', 'web3');
        self::assertSame([], $this->aegir->told('warning'));
    }

    public function testTheSecondTimeOnlyLooks(): void
    {
        $this->shared()->convert($this->group(), $this->site());
        $this->engine->calls = [];
        self::assertTrue($this->shared()->convert($this->group(), $this->site()));
        self::assertSame(['check'], array_map(static fn (array $c): string => $c[1][0], $this->engine->calls));
    }

    public function testUploadsOfAllServersAndTheHubAreThereAfterwards(): void
    {
        $this->upload('hub', 'only hub.jpg', 'h');
        $this->upload('web1', "new\nline", '1');
        $this->upload('web2', 'deep/er/2.jpg', '2');
        $this->upload('web3', '-rf', '3');
        $this->upload('web1', '$(touch x) `y` "z\'', 'q');
        $this->upload('web1', "\xff\xfe", 'bytes');
        $this->upload('web2', 'same', 's');
        $this->upload('web3', 'same', 's');
        self::assertTrue($this->shared()->convert($this->group(), $this->site()), json_encode($this->aegir->failures));
        self::assertEquals([
            "a.test/files/\xff\xfe" => 'bytes',
            'a.test/files/$(touch x) `y` "z\'' => 'q',
            'a.test/files/-rf' => '3',
            'a.test/files/deep/er/2.jpg' => '2',
            "a.test/files/new\nline" => '1',
            'a.test/files/only hub.jpg' => 'h',
            'a.test/files/same' => 's',
            'a.test/private' => null,
        ], $this->found('shared'));
        $this->assertLinks('hub', 'web1', 'web2', 'web3');
        self::assertSame([], $this->aegir->told('warning'));
        self::assertSame([], glob("$this->dir/*/sites/*.before-shared"), 'what was put aside is gone, as all of it is in the share');
    }

    public function testTheNewestWinsAndOtherContentIsKept(): void
    {
        $this->upload('hub', 'a', 'old', 1600000000);
        $this->upload('web1', 'a', 'new', 1600000300);
        $this->upload('web2', 'a', 'middle', 1600000200);
        $this->upload('web3', 'a', 'middle', 1600000200);
        self::assertTrue($this->shared()->convert($this->group(), $this->site()));
        $found = $this->found('shared');
        self::assertSame('new', $found['a.test/files/a']);
        ksort($found);
        self::assertSame(['a', 'a.server_web2-CONFLICT', 'a.server_web3-CONFLICT', 'a.shared-CONFLICT'], array_map('basename', array_slice(array_keys($found), 0, 4)));
        self::assertSame('old', $found['a.test/files/a.shared-CONFLICT']);
        self::assertCount(3, preg_grep('/had other content under one name/', $this->aegir->told('warning')));
        $this->assertLinks('hub', 'web1', 'web2', 'web3');
    }

    public function testTimesAndModesStay(): void
    {
        $this->upload('web2', 'dir/a', 'x', 1500000000);
        chmod("$this->dir/web2/sites/a.test/files/dir", 02770);
        chmod("$this->dir/web2/sites/a.test/files/dir/a", 0640);
        self::assertTrue($this->shared()->convert($this->group(), $this->site()));
        $stat = stat("$this->dir/shared/a.test/files/dir/a");
        self::assertSame([1500000000, 0640], [$stat['mtime'], $stat['mode'] & 07777]);
        self::assertSame(02770, fileperms("$this->dir/shared/a.test/files/dir") & 07777);
    }

    public function testWhatIsNoFileIsKeptBesideTheSite(): void
    {
        $this->tree(['web1/sites/a.test/files/link' => '-> /etc/passwd', 'web1/sites/a.test/files/clash/x' => 'x', 'shared/a.test/files/clash' => 'a file here']);
        $this->age('web1');
        self::assertTrue($this->shared()->convert($this->group(), $this->site()), json_encode($this->aegir->failures));
        $this->assertLinks('web1');
        self::assertSame(['clash/x' => 'x', 'link' => '-> /etc/passwd'], $this->found('web1/sites/a.test.files.before-shared'));
        self::assertSame(['a.test/files/clash' => 'a file here', 'a.test/private' => null], $this->found('shared'));
        self::assertNotEmpty(preg_grep('/web1 keeps .*before-shared/', $this->aegir->told('warning')));
    }

    public function testLinksThatAServersOwnerPutThereLeadNowhere(): void
    {
        $this->shared()->convert($this->group(), $this->site());
        $this->tree([
            'outside/keep' => 'k', 'outside/x' => 'same', 'shared/a.test/files/evil' => "-> $this->dir/outside",
            'shared/a.test/files/deep/evil' => "-> $this->dir/outside", 'shared/a.test/files/stolen' => "-> $this->dir/outside/keep",
        ]);
        unlink("$this->dir/web1/sites/a.test/files");
        foreach (['evil/new', 'evil/keep', 'evil/x', 'deep/evil/new', 'stolen', 'deep/fine'] as $name) {
            $this->upload('web1', $name, $name === 'evil/x' ? 'same' : 'mine');
        }
        self::assertTrue($this->shared()->convert($this->group(), $this->site()), json_encode($this->aegir->failures));
        self::assertSame(['keep' => 'k', 'x' => 'same'], $this->found('outside'));
        self::assertSame('mine', $this->found('shared')['a.test/files/deep/fine']);
        self::assertSame(
            ['deep/evil/new', 'evil/keep', 'evil/new', 'evil/x', 'stolen'],
            array_keys($this->found('web1/sites/a.test.files.before-shared')),
        );
    }

    #[DataProvider('linksInTheShare')]
    public function testAHomeThatAServersOwnerMadeALinkIsRefused(string $at, bool $isConverted): void
    {
        $this->tree(['outside/keep' => 'k']);
        $this->upload('hub', 'evil.drush.inc', 'mine');
        if ($isConverted) {
            self::assertTrue($this->shared()->convert($this->group(), $this->site()), json_encode($this->aegir->failures));
        }
        exec('rm -rf ' . escapeshellarg("$this->dir/shared/$at"));
        $this->tree(["shared/$at" => "-> $this->dir/outside"]);
        self::assertFalse($this->shared()->convert($this->group(), $this->site()));
        self::assertStringContainsString('is a link', $this->aegir->failures[0][1]);
        self::assertSame(['keep' => 'k'], $this->found('outside'));
        self::assertSame($isConverted ? [] : ['evil.drush.inc' => 'mine'], $isConverted ? [] : $this->found('hub/sites/a.test/files'));
    }

    /** @return list<array{string, bool}> */
    public static function linksInTheShare(): array
    {
        return [['a.test', false], ['a.test/files', false], ['a.test/private', false], ['a.test', true], ['a.test/files', true]];
    }

    /** Who can write in the share may change its directories while the script works. */
    public function testAHomeThatBecomesALinkMeanwhileLeadsNowhere(): void
    {
        $this->tree(['outside/files/keep' => 'k', 'shared/a.test/files/old' => 'o']);
        $this->upload('hub', 'evil.drush.inc', 'mine');
        // The first of these that the script runs in its home makes way for the attack.
        foreach (['mkdir', 'cp', 'mv', 'chmod', 'stat', 'readlink'] as $tool) {
            $this->tree(["bin/$tool" => "#!/bin/sh\ncase \$PWD/ in */shared/*)\n[ -L $this->dir/shared/a.test ] || { /bin/mv $this->dir/shared/a.test $this->dir/shared/b.test;"
                . " /bin/ln -s $this->dir/outside $this->dir/shared/a.test; } ;; esac\nPATH=\${PATH#*:} exec $tool \"\$@\"\n"]);
            chmod("$this->dir/bin/$tool", 0755);
        }
        $path = getenv('PATH');
        putenv("PATH=$this->dir/bin:$path");
        try {
            $this->shared()->convert($this->group(), $this->site());
        } finally {
            putenv("PATH=$path");
        }
        self::assertTrue(is_link("$this->dir/shared/a.test"));
        self::assertSame(['files/keep' => 'k'], $this->found('outside'));
        exec('grep -rl mine ' . escapeshellarg("$this->dir/hub") . ' ' . escapeshellarg("$this->dir/shared/b.test"), $kept);
        self::assertNotEmpty($kept);
    }

    public function testAFileThatMayStillBeWrittenToIsLookedAfterLater(): void
    {
        $this->upload('web1', 'growing', 'half', time());
        self::assertTrue($this->shared()->convert($this->group(), $this->site()));
        self::assertSame('half', $this->found('shared')['a.test/files/growing']);
        $aside = "$this->dir/web1/sites/a.test.files.before-shared/growing";
        file_put_contents($aside, ' and half', FILE_APPEND);
        touch($aside, time() + 5);
        self::assertTrue($this->shared()->convert($this->group(), $this->site()));
        self::assertSame('half and half', $this->found('shared')['a.test/files/growing']);
        touch($aside, time() - 300);
        self::assertTrue($this->shared()->convert($this->group(), $this->site()));
        self::assertFileDoesNotExist(dirname($aside));
    }

    public function testAServerWhoseMountIsAnotherDirectoryChangesNothing(): void
    {
        $this->upload('hub', 'a', 'h');
        $this->upload('web1', 'b', '1');
        $before = [$this->found('hub'), $this->found('web1')];
        $this->engine->dead = ['server_web2' => 'cannot connect'];
        self::assertFalse($this->shared()->convert($this->group(), $this->site()));
        self::assertStringContainsString('1 server of 3 cannot use it: server_web2', $this->aegir->failures[0][1]);
        self::assertSame($before, [$this->found('hub'), $this->found('web1')]);
        self::assertSame([], $this->found('shared'));
    }

    public function testASharedDirectoryThatIsNotMountedHereChangesNothing(): void
    {
        $this->upload('hub', 'a', 'h');
        rmdir("$this->dir/shared");
        self::assertFalse($this->shared()->convert($this->group(), $this->site()));
        self::assertStringContainsString('cannot be used: it is no directory', $this->aegir->failures[0][1]);
        self::assertSame(['a' => 'h'], $this->found('hub/sites/a.test/files'));
        self::assertSame([], $this->engine->calls);
    }

    public function testADirectoryThatOthersMayWriteInIsRefused(): void
    {
        chmod("$this->dir/shared", 0775);
        self::assertFalse($this->shared()->convert($this->group(), $this->site()));
        self::assertStringContainsString('chmod go-w', $this->aegir->failures[0][1]);
    }

    public function testADeadMountHereDoesNotHangUs(): void
    {
        // What asks the mount never answers, and does not even die of a TERM.
        $this->tree(['bin/stat' => "#!/bin/sh\ntrap '' TERM\nsleep 30\n", 'bin/sh' => "#!/bin/sh\ntrap '' TERM\nsleep 30\n"]);
        chmod("$this->dir/bin/stat", 0755);
        chmod("$this->dir/bin/sh", 0755);
        $path = getenv('PATH');
        putenv("PATH=$this->dir/bin:$path");
        $began = microtime(true);
        try {
            $fleet = new Fleet($this->aegir, $this->engine);
            $share = new Share($fleet, $this->engine, "$this->dir/shared", 1);
            $shared = new SharedUploads($this->aegir, new UploadGathering($this->aegir, $fleet, $this->engine), static fn (): Share => $share);
            self::assertFalse($shared->convert($this->group(), $this->site()));
        } finally {
            putenv("PATH=$path");
        }
        self::assertLessThan(20, microtime(true) - $began);
        self::assertStringContainsString('does not answer within 1 s', $this->aegir->failures[0][1]);
        self::assertSame([], $this->engine->calls);
    }

    public function testOnceItIsUsedThePolicyJudgesServersThatCannot(): void
    {
        $this->shared()->convert($this->group(), $this->site());
        $this->engine->dead = ['server_web2' => 'cannot connect'];
        self::assertTrue($this->shared()->convert($this->group(Policy::Quorum), $this->site()));
        self::assertSame(['server_web2: cannot connect'], $this->aegir->told('warning'));
        self::assertFalse($this->shared()->convert($this->group(Policy::All), $this->site()));
    }

    public function testAForeignLinkIsRefused(): void
    {
        $this->tree(['hub/sites/a.test/files' => "-> $this->dir/elsewhere", 'elsewhere/x' => 'x']);
        self::assertFalse($this->shared()->convert($this->group(), $this->site()));
        self::assertStringContainsString('is a link to', $this->aegir->failures[0][1]);
        self::assertSame(['x' => 'x'], $this->found('elsewhere'));
    }

    public function testARestoreReplacesAndAFailedOnePutsBack(): void
    {
        $this->upload('hub', 'a', 'then');
        $this->shared()->convert($this->group(), $this->site());
        $this->tree(['shared/a.test/files/b' => 'since then']);
        foreach (['undo' => ['a' => 'then', 'b' => 'since then'], 'keep' => ['a' => 'older']] as $end => $want) {
            unlink($this->site() . '/files');
            unlink($this->site() . '/private');
            $this->upload('hub', 'a', 'older', 1400000000);
            $shared = $this->shared();
            self::assertTrue($shared->convert($this->group(), $this->site(), true), json_encode($this->aegir->failures));
            self::assertSame(['a' => 'older'], $this->found('shared/a.test/files'));
            self::assertSame(['a' => 'older'], $this->found('web1/sites/a.test/files/.'));
            $shared->$end();
            self::assertSame($want, $this->found('shared/a.test/files'));
            self::assertSame([], glob("$this->dir/shared/a.test/.*[!.]"));
        }
    }

    public function testAFailedInstallLeavesNothing(): void
    {
        $this->upload('hub', 'a', 'x');
        $shared = $this->shared();
        $shared->convert($this->group(), $this->site());
        $shared->undo();
        self::assertSame([], $this->found('shared'));
    }

    public function testADeletedSiteTakesItsUploadsAlongAndNobodyElses(): void
    {
        $this->tree(['hub/sites/b.test/files/b' => 'b']);
        $this->upload('hub', 'a', 'a');
        foreach (['a.test', 'b.test'] as $uri) {
            self::assertTrue($this->shared()->convert($this->group(), "$this->dir/hub/sites/$uri"));
        }
        $shared = $this->shared();
        $shared->leaving($this->group(), $this->site());
        $shared->hasLeft($this->group());
        self::assertSame('a', $this->found('shared')['a.test/files/a'], 'its directory is still there');
        $shared->leaving($this->group(), $this->site());
        exec('rm -rf ' . escapeshellarg($this->site()));
        $shared->hasLeft($this->group());
        self::assertSame(['b.test/files/b' => 'b', 'b.test/private' => null], $this->found('shared'));
    }

    public function testASiteThatWasNeverLinkedTakesNothingAlong(): void
    {
        $this->tree(['shared/a.test/files/x' => 'of somebody else']);
        $shared = $this->shared();
        $shared->leaving($this->group(), $this->site());
        exec('rm -rf ' . escapeshellarg($this->site()));
        $shared->hasLeft($this->group());
        self::assertSame(['a.test/files/x' => 'of somebody else'], $this->found('shared'));
    }

    public function testAMigratedSiteKeepsItsUploads(): void
    {
        $this->upload('hub', 'a', 'a');
        $this->shared()->convert($this->group(), $this->site());
        $this->tree(['hub2/sites/a.test/files/a' => 'a', 'hub2/sites/a.test/settings.php' => 'x']);
        $this->aegir->platformRoots[] = "$this->dir/hub2";
        self::assertTrue($this->shared()->convert($this->group(), "$this->dir/hub2/sites/a.test"));
        $shared = $this->shared();
        $shared->leaving($this->group(), $this->site());
        exec('rm -rf ' . escapeshellarg($this->site()));
        $shared->hasLeft($this->group(), "$this->dir/hub2/sites/a.test");
        self::assertSame(['a.test/files/a' => 'a', 'a.test/private' => null], $this->found('shared'));
    }

    public function testARenamedSiteGetsWhatCameAfterItsBackup(): void
    {
        $this->upload('hub', 'a', 'a');
        $this->shared()->convert($this->group(), $this->site());
        $this->tree(['hub/sites/new.test/files/a' => 'a', 'shared/a.test/files/late' => 'l']);
        self::assertTrue($this->shared()->convert($this->group(), "$this->dir/hub/sites/new.test"));
        $shared = $this->shared();
        $shared->leaving($this->group(), $this->site());
        exec('rm -rf ' . escapeshellarg($this->site()));
        $shared->hasLeft($this->group(), "$this->dir/hub/sites/new.test");
        self::assertSame(['new.test/files/a' => 'a', 'new.test/files/late' => 'l', 'new.test/private' => null], $this->found('shared'));
    }

    public function testABackupHoldsTheUploadsAndNotTheLinks(): void
    {
        $this->tree(['hub/sites/a.test/files/css/x.css' => 'c', 'hub/sites/a.test/modules/files/logo' => 'm', 'hub/sites/a.test/lib' => '-> /etc']);
        $this->upload('hub', 'ä b.jpg', 'a');
        $this->upload('hub', 'abs', '-> a.test/files/x');
        $this->shared()->convert($this->group(), $this->site());
        symlink('a.test/x', "$this->dir/shared/a.test/files/rel");
        $shared = $this->shared();
        self::assertTrue($shared->beginBackup($this->group(), $this->site()));
        self::assertStringStartsWith("$this->dir/aegir/config/scale/", getenv('AEGIR_SCALE_TAR_DONE'), 'in /tmp it is anybody\'s');
        // As Provision does it, with a tag that keeps css out; and as its fork does it, with an h.
        foreach (['cpfz out.tar.gz', 'cphf out.tar'] as $tar) {
            $tar = 'tar ' . str_replace('out', "$this->dir/out", $tar) . ' --exclude-tag=exclude.tag .';
            exec('cd ' . escapeshellarg($this->site()) . " && touch './files/css'/exclude.tag && $tar 2>$this->dir/said", $said, $status);
            self::assertSame([0, []], [$status, preg_grep('/File removed before we read it/', file("$this->dir/said"), PREG_GREP_INVERT)]);
        }
        // Another tar is nobody's business.
        exec("cd $this->dir && tar cf other.tar hub/sites && tar tf other.tar | grep -c a.test/files", $count);
        self::assertTrue($shared->endBackup());
        self::assertSame(['1'], $count);
        self::assertStringNotContainsString('libexec', getenv('PATH'));
        mkdir("$this->dir/unpacked");
        exec("cd $this->dir/unpacked && gunzip -c ../out.tar.gz | tar pxf - 2>&1", $said, $status);
        self::assertSame([0, []], [$status, $said]);
        $want = [
            'files/abs' => '-> a.test/files/x', 'files/css/exclude.tag' => '', 'files/rel' => '-> a.test/x', 'files/ä b.jpg' => 'a', 'lib' => '-> /etc',
            'modules/files/logo' => 'm', 'private' => null, 'settings.php' => 'x',
        ];
        $found = $this->found('unpacked');
        // touch() follows no content: what upload() wrote for "abs" is a file.
        $want['files/abs'] = $found['files/abs'];
        self::assertEquals($want, $found);
    }

    public function testATarThatWasInstalledAsNoProgramIsCopied(): void
    {
        $this->upload('hub', 'a', 'a');
        $this->shared()->convert($this->group(), $this->site());
        copy(dirname(__DIR__, 2) . '/php/libexec/backup/tar', "$this->dir/tar");
        mkdir("$this->dir/aegir");
        $shared = $this->shared("$this->dir/tar");
        self::assertTrue($shared->beginBackup($this->group(), $this->site()), json_encode($this->aegir->failures));
        exec('cd ' . escapeshellarg($this->site()) . " && tar cpfz $this->dir/out.tar.gz --exclude-tag=exclude.tag . && tar tzf $this->dir/out.tar.gz", $found);
        self::assertTrue($shared->endBackup());
        self::assertContains('./files/a', $found);
        $shared = $this->shared("$this->dir/none");
        self::assertFalse($shared->beginBackup($this->group(), $this->site()));
    }

    public function testABackupThatLacksTheUploadsIsAFailure(): void
    {
        $this->shared()->convert($this->group(), $this->site());
        $shared = $this->shared();
        self::assertTrue($shared->beginBackup($this->group(), $this->site()));
        self::assertFalse($shared->endBackup());
        self::assertStringContainsString('lacks the uploads', $this->aegir->failures[0][1]);
    }

    public function testASiteWithoutLinksIsBackedUpAsEver(): void
    {
        $path = getenv('PATH');
        $shared = $this->shared();
        self::assertTrue($shared->beginBackup($this->group(), $this->site()));
        self::assertSame($path, getenv('PATH'));
        self::assertTrue($shared->endBackup());
    }

    public function testAnOddPathIsRefused(): void
    {
        foreach (['', '/', 'relative', '/a/../b', "/a\nb"] as $path) {
            $this->aegir->failures = [];
            self::assertFalse($this->shared()->convert(new Group('@g', false, [], [], Policy::All, Uploads::Shared, $path), $this->site()), $path);
            self::assertStringContainsString('want an absolute path', $this->aegir->failures[0][1]);
        }
        self::assertFalse($this->shared()->convert($this->group(), "$this->dir/hub"));
    }

    private function assertLinks(string ...$servers): void
    {
        foreach ($servers as $server) {
            foreach (['files', 'private'] as $name) {
                self::assertSame("$this->dir/shared/a.test/$name", @readlink("$this->dir/$server/sites/a.test/$name"), "$name of $server");
            }
        }
    }

    private function upload(string $server, string $name, string $content, int $time = 1600000000): void
    {
        $path = "$this->dir/$server/sites/a.test/files/$name";
        is_dir(dirname($path)) || mkdir(dirname($path), 0777, true);
        file_put_contents($path, $content);
        touch($path, $time);
    }

    private function age(string $server): void
    {
        exec("find '$this->dir/$server' -type f -exec touch -d 2020-01-01 {} +");
    }

    private function site(): string
    {
        return "$this->dir/hub/sites/a.test";
    }

    private function group(Policy $policy = Policy::All): Group
    {
        $servers = array_map(static fn (int $i): Server => new Server("@server_web$i", "web$i", 'aegir'), [1, 2, 3]);

        return new Group('@server_cluster', false, $servers, [], $policy, Uploads::Shared, "$this->dir/shared");
    }

    private function shared(string ...$tar): SharedUploads
    {
        $fleet = new Fleet($this->aegir, $this->engine);

        return new SharedUploads($this->aegir, new UploadGathering($this->aegir, $fleet, $this->engine), fn (string $path): Share => new Share($fleet, $this->engine, $path), ...$tar);
    }
}
