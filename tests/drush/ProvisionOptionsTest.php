<?php

namespace Aegir\Scale\Tests;

use Aegir\Scale\Provision\ConfigTest;
use Aegir\Scale\Provision\NoMapping;
use Aegir\Scale\Provision\SshOptions;
use Aegir\Scale\Provision\SyncOptions;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

/** What Drush's options for rsync and ssh mean to the extension. */
final class ProvisionOptionsTest extends TestCase
{
    private const ROOT = '/var/aegir/platforms/d7';
    private const ALWAYS = ['relative' => true, 'keep-dirlinks' => true, 'omit-dir-times' => true, 'delete' => true];

    /**
     * @param array<string, mixed> $options
     * @param array<string, mixed> $drush
     */
    private static function of(array $options, string $path = self::ROOT, array $drush = []): SyncOptions
    {
        $aegir = new FakeAegir();
        $aegir->options = $drush;

        return SyncOptions::fromDrush($options + self::ALWAYS, $path, self::ROOT, $aegir);
    }

    /** @return list<string> the rules without those that leave version control out */
    private static function rules(SyncOptions $options): array
    {
        return array_slice($options->engine['filter'], 9);
    }

    public function testWhatEveryPushHas(): void
    {
        $engine = self::of([])->engine;
        self::assertSame('- .git', $engine['filter'][0]);
        self::assertCount(9, $engine['filter']);
        unset($engine['filter']);
        self::assertEquals(['copy_dirlinks' => true, 'compress' => 'auto', 'relative' => true, 'keep_dirlinks' => true, 'omit_dir_times' => true,
            'delete' => true], $engine);
    }

    public function testSitesAreLeftOutOfThePlatformOnly(): void
    {
        self::assertSame(['+ ' . self::ROOT . '/sites/all', '- ' . self::ROOT . '/sites/*'], self::rules(self::of(['exclude-sites' => true])));
    }

    public function testAWidenedPathLeavesTheSitesOfTheRootInItOut(): void
    {
        $options = SyncOptions::fromDrush(['exclude-sites' => true], '/srv/project', '/srv/project/web', new FakeAegir());
        self::assertContains('- /srv/project/web/sites/*', $options->engine['filter']);
        self::assertNotContains('- /srv/project/sites/*', $options->engine['filter']);
    }

    public function testUploadsAreThoseOfTheSite(): void
    {
        $site = self::ROOT . '/sites/a.test';
        $drush = ['exclude-paths' => 'files/*:private/*:*.log'];
        self::assertSame(["- $site/files/*", "- $site/private/*", '- *.log'], self::rules(self::of([], $site, $drush)));
        self::assertSame(['- ' . self::ROOT . '/sites/*/files/*', '- ' . self::ROOT . '/sites/*/private/*', '- *.log'], self::rules(self::of([], self::ROOT, $drush)));
    }

    public function testADirectoryWithoutWhatIsInIt(): void
    {
        self::assertTrue(self::of(['exclude' => '/var/aegir/config/server_web1/apache/vhost.d/*'], '/var/aegir/config/server_web1/apache/vhost.d')->isDirectoryOnly);
        self::assertFalse(self::of(['exclude' => '/ssl.d/a/*.receipt'], '/ssl.d/a')->isDirectoryOnly);
    }

    public function testNamesWithWildcardsAreNames(): void
    {
        self::assertSame('/srv/a/*', SyncOptions::pattern('/srv/a', '/*'));
        self::assertSame('/srv/\[a]\*\\\\/x', SyncOptions::pattern('/srv/[a]*\\', '/x'));
    }

    /** @return iterable<string, array{array<string, mixed>, array<string, mixed>}> */
    public static function mapped(): iterable
    {
        yield 'no-delete' => [['no-delete' => true], ['delete' => false]];
        yield 'no-delete that is not meant' => [['no-delete' => false], ['delete' => true]];
        yield 'checksum' => [['checksum' => true], ['checksum' => true]];
        yield 'mode' => [['mode' => 'rlptgoDa'], ['copy_dirlinks' => false, 'compress' => 'none']];
        yield 'bwlimit' => [['bwlimit' => '500'], ['bwlimit' => 500]];
        yield 'compress-choice' => [['compress-choice' => 'zstd'], ['compress' => 'zstd']];
        yield 'chmod' => [['chmod' => 'D2775'], ['chmod' => ['D2775']]];
        yield 'timeout' => [['timeout' => 30], ['timeout' => 30]];
        yield 'NULL and lists are passed over by Drush' => [['links' => null, 'x' => []], []];
        yield 'what is done anyway' => [['archive' => true, 'stats' => true, 'delete-after' => true], ['delete' => true]];
    }

    /**
     * @param array<string, mixed> $options
     * @param array<string, mixed> $expected
     */
    #[DataProvider('mapped')]
    public function testMapped(array $options, array $expected): void
    {
        $engine = self::of($options)->engine;
        self::assertEquals($expected, array_intersect_key($engine, $expected));
        self::assertArrayNotHasKey('x', $engine);
    }

    /** @return iterable<string, array{array<string, mixed>, array<string, mixed>}> */
    public static function unmapped(): iterable
    {
        yield 'unknown' => [['safe-links' => true], []];
        yield 'exclude-from' => [['exclude-from' => '/etc/x'], []];
        yield 'rsync-path' => [['rsync-path' => 'sudo rsync'], []];
        yield 'a flag that is off' => [['links' => false], []];
        yield 'no archive' => [['mode' => 'rz'], []];
        yield 'a letter' => [['mode' => 'akzL'], []];
        yield 'a rule in an exclude' => [['exclude' => '+ x'], []];
        yield 'a word as number' => [['bwlimit' => '1.5m'], []];
        yield 'ssh' => [[], ['ssh-options' => '-o ProxyJump=gate']];
        yield 'ssh with quotes' => [[], ['ssh-options' => "-i 'a b'"]];
        yield 'ssh with two keys' => [[], ['ssh-options' => '-i /a -i /b']];
        yield 'ssh that takes any key' => [[], ['ssh-options' => '-o StrictHostKeyChecking=no']];
    }

    /**
     * @param array<string, mixed> $options
     * @param array<string, mixed> $drush
     */
    #[DataProvider('unmapped')]
    public function testWhatHasNoMeaningHereGoesTheStockWay(array $options, array $drush): void
    {
        $this->expectException(NoMapping::class);
        self::of($options, self::ROOT, $drush);
    }

    public function testOptionsOfSsh(): void
    {
        self::assertSame([], SshOptions::read(''));
        self::assertSame([], SshOptions::read('-o PasswordAuthentication=no -o ControlMaster=auto -o ControlPath=/run/%C -o "ControlPersist 60" -qT'));
        self::assertEquals(['port' => 2222, 'identity' => '/k', 'user' => 'x'], SshOptions::read('-p 2222 -i/k -o User=x'));
        self::assertEquals(['port' => 22], SshOptions::read('-p 22 -p 23'), 'ssh takes the first');
        self::assertSame(['identity' => '/k'], SshOptions::read('-i /k'));
        self::assertEquals(['connect_timeout' => 5, 'known_hosts' => '/h'], SshOptions::read('-o ConnectTimeout=5 -o UserKnownHostsFile=/h'));
    }

    /** @return iterable<array{string, string}> */
    public static function restarts(): iterable
    {
        yield ['sudo /usr/sbin/apache2ctl graceful', 'sudo /usr/sbin/apache2ctl configtest'];
        yield ['sudo apachectl -k graceful', 'sudo apachectl configtest'];
        yield ['sudo /usr/sbin/httpd -k restart', 'sudo /usr/sbin/httpd -t'];
        yield ['sudo /etc/init.d/nginx reload', 'sudo /etc/init.d/nginx configtest'];
        yield ['sudo /usr/sbin/nginx -s reload', 'sudo /usr/sbin/nginx -t'];
        yield ['sudo systemctl reload apache2', ''];
        yield ['true', ''];
        yield ['', ''];
        yield ['sudo apache2ctl stop', ''];
    }

    #[DataProvider('restarts')]
    public function testTheTestIsMadeFromTheRestart(string $restart, string $test): void
    {
        self::assertSame($test, ConfigTest::of($restart));
    }

    public function testATestThatCouldNotBeMadeIsNone(): void
    {
        self::assertTrue(ConfigTest::wasNotMade(Reports::ran('web1', 1, '', ['stderr' => "sudo: a password is required\n"])));
        self::assertTrue(ConfigTest::wasNotMade(Reports::ran('web1', 127, '', ['stderr' => "sh: 1: apache2ctl: not found\n"])));
        self::assertTrue(ConfigTest::wasNotMade(Reports::ran('web1', 3, "Usage: nginx {start|stop}\n")));
        self::assertFalse(ConfigTest::wasNotMade(Reports::ran('web1', 1, '', ['stderr' => "AH00526: Syntax error on line 1\n"])));
        self::assertFalse(ConfigTest::wasNotMade(Reports::ran('web1', null, '', ['error' => 'cannot connect'])));
    }
}
