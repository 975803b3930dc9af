<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Provision\Mounts;
use Aegir\Scale\Provision\Removal;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

final class ProvisionRemovalTest extends TestCase
{
    use TemporaryDirectory;

    private FakeAegir $aegir;

    protected function setUp(): void
    {
        $this->tree([
            'aegir/config/server_web1/apache/vhost.d/a.test' => 'x',
            'aegir/platforms/d7/index.php' => 'x',
            'aegir/platforms/d7/sites/all/modules' => null,
            'aegir/platforms/d10/web/sites/b.test/settings.php' => 'x',
            'aegir/platforms/d10/vendor/autoload.php' => 'x',
        ]);
        $this->aegir = new FakeAegir("$this->dir/aegir");
        $this->aegir->platformRoots = ["$this->dir/aegir/platforms/d7", "$this->dir/aegir/platforms/d10", "$this->dir/aegir/platforms/d10/web"];
        $this->aegir->platformRoot = "$this->dir/aegir/platforms/d7";
        $this->aegir->sitePath = "$this->dir/aegir/platforms/d7/sites/a.test";
    }

    #[DataProvider('whatMayGo')]
    public function testWhatMayGo(string $path): void
    {
        self::assertNull($this->removal()->allowed("$this->dir/aegir/$path"));
    }

    /** @return list<array{string}> */
    public static function whatMayGo(): array
    {
        return array_map(static fn (string $path): array => [$path], [
            'platforms/d7/sites/a.test',
            'platforms/d7/sites/a.test/',
            'platforms/d7/sites/a.test/local.settings.php',
            'platforms/d7/sites/a.test/private/temp/.htaccess',
            'platforms/d7/sites/sites.php',
            'config/server_web1/apache/vhost.d/gone.test',
            'config/server_web1/apache/platform.d/platform_gone.conf',
            'config/server_web1/ssl.d/key',
            'config/server_web1/apache/vhost.d/2 words.test',
        ]);
    }

    #[DataProvider('whatMayNot')]
    public function testWhatMayNot(string $path, string $why): void
    {
        $path = str_starts_with($path, '=') ? substr($path, 1) : "$this->dir/aegir/$path";
        self::assertStringContainsString($why, (string) $this->removal()->allowed($path));
    }

    /** @return list<array{string, string}> a path that begins with = is one as it is */
    public static function whatMayNot(): array
    {
        return [
            ['=/', 'want an absolute path'],
            ['=', 'want an absolute path'],
            ['=relative/sites/a.test', 'want an absolute path'],
            ['=/etc/gone', "none of Aegir's"],
            ['platforms/d7/sites/a.test/../b.test', 'want an absolute path'],
            ['platforms/d7/sites/./a.test', 'want an absolute path'],
            ["platforms/d7/sites/a.test\n", 'want an absolute path'],
            ['platforms/d7//sites/a.test', 'want an absolute path'],
            ['platforms/d7/sites', 'still there'],
            ['platforms/d10/sites', 'of a platform only'],
            ['platforms/d7/sites/other.test', 'the task is about'],
            ['platforms/d7/sites/a.test.evil', 'the task is about'],
            ['platforms/d7/sites/default', 'the task is about'],
            ['platforms/d7/modules', 'of a platform only'],
            ['platforms/d10/web/sites/a.test', 'the task is about'],
            ['platforms/d7/index.php', 'still there'],
            ['platforms/unknown', "none of Aegir's"],
            ['config/server_gone/apache/vhost.d/a.test', 'the configuration of the whole server'],
            ['config/server_gone', "none of Aegir's"],
            ['config/includes', "none of Aegir's"],
            ['backups/a.tar.gz', "none of Aegir's"],
        ];
    }

    public function testAPlatformGoesOnlyWhenThisCommandHasDeletedIt(): void
    {
        $root = "$this->dir/aegir/platforms/d7";
        $this->aegir->sitePath = null;
        $removal = $this->removal();
        $removal->remember($root);
        exec("mv '$root' '$this->dir/elsewhere'");
        self::assertStringContainsString('missing on this machine', $removal->allowed($root));
        exec("mv '$this->dir/elsewhere' '$root'");
        $removal->platformIsGoing($root);
        exec("rm -rf '$root'");
        self::assertNull($removal->allowed($root));
        $removal->platformIsGone();
        self::assertNull($removal->allowed($root));
        $this->tree(['aegir/platforms/d7/web/index.php' => 'x']);
        self::assertNull($removal->guard($root), 'another one of that name is another one');
        exec("rm -rf '$this->dir/aegir/platforms'");
        self::assertStringContainsString('file system not mounted', $removal->allowed($root));
    }

    public function testWithAPlatformThatGoesItsSiteGoes(): void
    {
        $root = "$this->dir/aegir/platforms/d7";
        $site = (string) $this->aegir->sitePath;
        $removal = $this->removal();
        $removal->remember($root);
        exec("mv '$root' '$this->dir/elsewhere'");
        self::assertNotNull($removal->allowed($site), 'the platform is not said to go');
        exec("mv '$this->dir/elsewhere' '$root'");
        $removal->platformIsGoing($root);
        exec("rm -rf '$root'");
        self::assertNull($removal->allowed($site));
    }

    public function testAPlatformThatWasMissingBeforeStays(): void
    {
        $this->aegir->platformRoots[] = $gone = "$this->dir/aegir/platforms/gone";
        $removal = $this->removal();
        $removal->platformIsGoing($gone);
        self::assertStringContainsString('missing on this machine', $removal->allowed($gone));
    }

    public function testAComposerPlatformGoesWithoutItsWebRootTakingOthersAlong(): void
    {
        $web = "$this->dir/aegir/platforms/d10/web";
        $removal = $this->removal();
        $removal->platformIsGoing($web);
        exec("rm -rf '$this->dir/aegir/platforms/d10'");
        self::assertNull($removal->allowed($web));
        $removal->platformIsGoing("$this->dir/aegir/platforms");
        exec("mv '$this->dir/aegir/platforms' '$this->dir/elsewhere'");
        self::assertStringContainsString('belongs to Aegir', $removal->allowed("$this->dir/aegir/platforms"));
    }

    public function testUploadsOfASiteThatIsHereStay(): void
    {
        $this->tree(['aegir/platforms/d7/sites/a.test/settings.php' => 'x']);
        foreach (['files', 'private', 'files/a.jpg', 'private/x/y'] as $name) {
            self::assertStringContainsString('uploads go with their site only', $this->removal()->allowed("{$this->aegir->sitePath}/$name"));
        }
        self::assertNull($this->removal()->allowed("{$this->aegir->sitePath}/themes"));
    }

    public function testNothingGoesWhenThePlatformIsEmptyOrGone(): void
    {
        $site = $this->aegir->sitePath;
        exec("rm -rf '$this->dir/aegir/platforms/d7'");
        self::assertStringContainsString('is missing on this machine', $this->removal()->allowed($site));
        self::assertStringContainsString('mount it', $this->removal()->guard($site));
        mkdir("$this->dir/aegir/platforms/d7");
        mkdir("$this->dir/aegir/platforms/d7/lost+found");
        self::assertStringContainsString('is empty on this machine', $this->removal()->allowed($site));
        self::assertStringContainsString('is empty on this machine', $this->removal()->guard("$this->dir/aegir/platforms/d7"));
    }

    public function testOurOwnStateDoesNotHideThatTheConfigurationIsNotMounted(): void
    {
        $vhost = "$this->dir/aegir/config/server_web1/apache/vhost.d/gone.test";
        self::assertNull($this->removal()->guard($vhost));
        exec("rm -rf '$this->dir/aegir/config/server_web1'");
        mkdir("$this->dir/aegir/config/scale");
        self::assertStringContainsString('is empty on this machine', $this->removal()->allowed($vhost));
    }

    public function testAnotherFileSystemThanLastTimeIsNoticedAcrossReboots(): void
    {
        $root = "$this->dir/aegir/platforms/d7";
        $before = $this->mountinfo("36 1 8:17 / $root rw,relatime shared:1 - ext4 /dev/sdz1 rw");
        $removal = new Removal($this->aegir, "$this->dir/aegir/config/scale", $before);
        $removal->remember("$root/sites/a.test");
        self::assertNull($removal->guard($root));
        self::assertNull($removal->allowed($this->aegir->sitePath));

        // After a reboot: other numbers, other order, the same file system.
        $after = new Removal($this->aegir, "$this->dir/aegir/config/scale", $this->mountinfo("99 1 8:33 / $root rw - ext4 /dev/sdz1 rw"));
        self::assertNull($after->allowed($this->aegir->sitePath));

        // Not mounted, but the directory below has something in it.
        $off = new Removal($this->aegir, "$this->dir/aegir/config/scale", $this->mountinfo());
        foreach ([$off->allowed($this->aegir->sitePath), $off->guard($root)] as $why) {
            self::assertStringContainsString('lay on the file system "/dev/sdz1 ext4 /"', $why);
            self::assertStringContainsString('--scale_moved', $why);
        }
        // Nor is that remembered.
        $off->remember($root);
        self::assertNull($removal->guard($root));
    }

    public function testAPlatformThatOnlyHasSettingsLeftIsNotPushed(): void
    {
        $root = "$this->dir/aegir/platforms/d7";
        $this->removal()->remember($root);
        exec("rm -rf '$root'");
        $this->tree(['aegir/platforms/d7/sites/a.test/settings.php' => 'x']);
        foreach ([$this->removal()->guard($root), $this->removal()->guard("$root/sites/a.test"), $this->removal()->allowed("$root/sites/a.test/themes")] as $why) {
            self::assertStringContainsString('has no index.php any more', (string) $why);
        }
        $this->removal()->remember($root);
        self::assertNotNull($this->removal()->guard($root), 'that was not forgotten');
    }

    public function testAMovedPlatformIsTakenOnWhenTheTaskSaysSo(): void
    {
        $root = "$this->dir/aegir/platforms/d7";
        (new Removal($this->aegir, "$this->dir/aegir/config/scale", $this->mountinfo("36 1 8:17 / $root rw - ext4 /dev/sdz1 rw")))->remember($root);
        $now = new Removal($this->aegir, "$this->dir/aegir/config/scale", $this->mountinfo());
        self::assertStringContainsString('--scale_moved', (string) $now->guard($root));
        $this->aegir->options[Removal::MOVED] = true;
        self::assertNull($now->guard($root));
        $now->remember($root);
        $this->aegir->options = [];
        self::assertNull($now->guard($root));
        $this->aegir->options[Removal::MOVED] = true;
        exec("rm -rf '$root'/*");
        self::assertStringContainsString('is empty', (string) $now->guard($root), 'nobody moves a platform into an empty directory');
    }

    public function testWhatIsMountedInsideOfAPlatformBelongsToIt(): void
    {
        $root = "$this->dir/aegir/platforms/d7";
        $modules = "36 1 0:40 / $root/sites/all/modules rw - nfs4 nas:/modules rw";
        $files = "37 1 0:41 / $root/sites/a.test/files rw - nfs4 nas:/files rw";
        (new Removal($this->aegir, "$this->dir/aegir/config/scale", $this->mountinfo($modules, $files)))->remember($root);
        self::assertNull((new Removal($this->aegir, "$this->dir/aegir/config/scale", $this->mountinfo($modules)))->guard($root));
        $off = new Removal($this->aegir, "$this->dir/aegir/config/scale", $this->mountinfo($files));
        foreach ([$root, "$root/sites/all/modules", "$root/sites/a.test"] as $path) {
            self::assertStringContainsString('sites/all/modules lay on the file system "nas:/modules nfs4 /"', (string) $off->guard($path));
        }
        self::assertNull($off->guard("$this->dir/aegir/config/server_web1"));
        $this->aegir->options[Removal::MOVED] = true;
        self::assertNull($off->guard($root));
    }

    public function testNamesOfMountsAreReadAsTheKernelWritesThem(): void
    {
        $mounts = $this->mountinfo('36 1 0:40 /a\040b /mnt/x\040y rw - nfs4 nas:/export\134z rw', '37 1 0:41 / /mnt/x\040y/in rw - tmpfs tmpfs rw');
        self::assertSame('nas:/export\\z nfs4 /a b', $mounts->identity('/mnt/x y/below/it'));
        self::assertSame('tmpfs tmpfs /', $mounts->identity('/mnt/x y/in'));
        self::assertSame('/dev/sdz9 ext4 /', $mounts->identity('/mnt/x yy'));
        self::assertNotNull((new Mounts())->identity(__DIR__));
    }

    private function removal(): Removal
    {
        return new Removal($this->aegir, "$this->dir/aegir/config/scale");
    }

    private function mountinfo(string ...$lines): Mounts
    {
        $file = "$this->dir/mountinfo" . count(glob("$this->dir/mountinfo*"));
        file_put_contents($file, implode("\n", ['25 1 8:1 / / rw - ext4 /dev/sdz9 rw', ...$lines]) . "\n");

        return new Mounts($file);
    }
}
