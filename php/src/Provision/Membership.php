<?php

namespace Aegir\Scale\Provision;

use Aegir\Scale\Command\Engine;
use Aegir\Scale\Report\Text;

/** A server that comes to a cluster or pack gets all that is there; one that goes loses what it had. */
final class Membership
{
    /**
     * Empties the directories of configuration that were named, of sites, platforms and keys, but leaves the server's own: a web server
     * whose configuration is missing cannot even be reloaded.
     */
    private const FORGET = 'for d do [ ! -d "$d" ] || [ -L "$d" ] || find "$d" -xdev -mindepth 1 -delete || exit; done';
    /** Of a file that was just made here, and a tree: on a file system of the server's own, and not the directory of this machine? */
    private const LOOK = <<<'SH'
        [ ! -e "$1" ] || { echo shared; exit; }
        [ -e "$2" ] || { echo own; exit; }
        case $(stat -f -c %T -- "$2") in
            ext2/ext3 | ext* | xfs | btrfs | zfs | tmpfs | overlayfs | f2fs | jfs | reiserfs) echo own ;;
            *) echo shared ;;
        esac
        SH;
    private const CONFIG = ['vhost.d', 'platform.d', 'subdir.d', 'ssl.d'];

    public function __construct(
        private readonly Aegir $aegir,
        private readonly Hosting $hosting,
        private readonly Engine $engine,
        private readonly Fleet $fleet,
    ) {
    }

    /**
     * Brings everything of the groups that name the server to it: its own configuration, platforms, sites with their virtual hosts, and
     * the right to use their databases. True when all went well; what did not is in the log.
     */
    public function join(string $alias): bool
    {
        $server = $this->known($alias);
        if ($server === null) {
            return false;
        }
        $groups = $this->hosting->groupsOf($alias);
        if ($groups === []) {
            return $this->fail("$alias is in no cluster or pack: add it to one first, in the front end or with provision-save");
        }
        $isGood = $this->hosting->invoke($alias, 'provision-verify') || $this->warn("the configuration of $alias could not be brought to it");
        $done = ['platform' => 0, 'site' => 0];
        foreach ($groups as $group) {
            foreach (array_keys($this->hosting->platforms($group)) as $platform) {
                $ok = $this->hosting->invoke($platform, 'provision-verify') || $this->warn("$platform could not be brought to $alias");
                $done['platform'] += (int) $ok;
                $isGood = $isGood && $ok;
                foreach (array_keys($this->hosting->sites($platform)) as $site) {
                    // The grant comes first: the site must not be served before it can reach its database.
                    $ok = ($this->hosting->invoke($site, 'scale-grant', [$alias]) || $this->warn("$alias was not let in to the database of $site"))
                        && ($this->hosting->invoke($site, 'provision-verify') || $this->warn("$site could not be brought to $alias"));
                    $done['site'] += (int) $ok;
                    $isGood = $isGood && $ok;
                }
            }
        }
        $what = Text::count($done['platform'], 'platform') . ' and ' . Text::count($done['site'], 'site');
        $this->aegir->log("$alias has $what of " . implode(', ', $groups), $isGood ? 'success' : 'warning');

        return $isGood || $this->fail("$alias has not got everything; mend what the log says and join it again");
    }

    /**
     * Removes what Aegir has put on a server that is in no group any more. What visitors uploaded there is brought here first.
     */
    public function leave(string $alias): bool
    {
        $server = $this->known($alias);
        if ($server === null) {
            return false;
        }
        $groups = $this->hosting->groupsOf($alias);
        if ($groups !== []) {
            return $this->fail("$alias is still in " . implode(' and ', $groups) . ': take it out there first, or the next push brings everything back');
        }
        if ($this->hosting->platforms($alias) !== []) {
            return $this->fail("$alias is itself the web server of " . implode(', ', array_keys($this->hosting->platforms($alias))) . ': move these first');
        }
        $platforms = [];
        foreach ($this->hosting->webServers() as $webServer) {
            // What only this machine serves was never there.
            $platforms += $this->aegir->group($webServer) === null ? [] : $this->hosting->platforms($webServer);
        }
        $isGood = $this->forgetConfiguration($server) && $this->removeTrees($server, $platforms);
        foreach (array_keys($platforms) as $platform) {
            foreach (array_keys($this->hosting->sites($platform)) as $site) {
                $isGood = ($this->hosting->invoke($site, 'scale-revoke', [$alias]) || $this->warn("$alias may still use the database of $site")) && $isGood;
            }
        }
        if ($isGood) {
            $this->aegir->log("$alias serves nothing of Aegir any more; its own configuration is still there", 'success');
        }

        return $isGood || $this->fail("$alias could not be cleared as a whole; mend what the log says and let it leave again");
    }

    private function known(string $alias): ?Server
    {
        $server = $this->aegir->server($alias);
        if ($server === null || $server->isLocal) {
            $this->fail("$alias is no web server other than this machine");
            return null;
        }

        return $server;
    }

    private function forgetConfiguration(Server $server): bool
    {
        $base = $this->aegir->root() . '/config/' . $server->name();
        $directories = [];
        foreach (['apache', 'nginx', '.'] as $type) {
            foreach (self::CONFIG as $name) {
                $directories[] = $type === '.' ? "$base/$name" : "$base/$type/$name";
            }
        }
        // Here as well: else the next verify of the server puts them back.
        foreach ($directories as $directory) {
            foreach (is_dir($directory) && !is_link($directory) ? glob("$directory/*") ?: [] : [] as $file) {
                is_link($file) || is_file($file) ? unlink($file) : $this->aegir->log("$file was left: it is a directory", 'info');
            }
        }
        if (!$this->run($server, ['sh', '-c', self::FORGET, 'forget', ...$directories], 'its configuration of sites could not be removed')) {
            return false;
        }

        return $server->restart === '' || $this->run($server, ['sh', '-c', escapeshellcmd($server->restart)], 'it still serves the sites, as its web server could not be reloaded');
    }

    /** @param array<string, string> $platforms */
    private function removeTrees(Server $server, array $platforms): bool
    {
        $isGood = true;
        foreach ($platforms as $platform => $root) {
            $isGood = $this->removeTree($server, $platform, $root) && $isGood;
        }

        return $isGood;
    }

    private function removeTree(Server $server, string $platform, string $root): bool
    {
        if (!is_dir($root) || !str_starts_with($root, $this->aegir->root() . '/')) {
            return $this->warn("$root of $platform was left on {$server->alias}: here it is missing, or outside {$this->aegir->root()}");
        }
        $isShared = $this->isShared($server, $root);
        if ($isShared !== false) {
            return $isShared === true && ($this->aegir->log("$root was left on {$server->alias}: it is shared with other machines", 'info') ?? true);
        }
        $uploads = [];
        foreach ($this->hosting->sites($platform) as $site) {
            array_push($uploads, ...array_filter(["$site/files", "$site/private"], static fn (string $d): bool => is_dir($d) && !is_link($d)));
        }
        if ($uploads !== [] && !$this->bringUploads($server, $uploads)) {
            return $this->warn("$root was left on {$server->alias}: there may be uploads in it that are nowhere else");
        }

        return $this->run($server, ['rm', '-rf', '--one-file-system', '--', $root], "$root could not be removed");
    }

    /**
     * Do others see what the server has there? A directory over NFS must not be removed. Null when that could not be found out.
     */
    private function isShared(Server $server, string $root): ?bool
    {
        $token = $root . '/.aegir-scale-' . bin2hex(random_bytes(8));
        if (@file_put_contents($token, '') === false) {
            $this->warn("$root cannot be written to here, so whether {$server->alias} shares it is not known; it was left there");
            return null;
        }
        try {
            $result = $this->results($server, ['sh', '-c', self::LOOK, 'look', $token, $root]);
        } finally {
            unlink($token);
        }
        if ($result['outcome'] !== 'synced') {
            $this->warn("{$server->alias}: " . ($result['error'] ?? 'it did not answer') . "; $root was left there");
            return null;
        }

        return trim($result['stdout']) !== 'own';
    }

    /** @param list<string> $uploads */
    private function bringUploads(Server $server, array $uploads): bool
    {
        try {
            $report = $this->engine->fetch($this->fleet->topology([$server]), Fleet::GROUP, $uploads, [])->jsonSerialize();
        } catch (\Exception $e) {
            return $this->warn(Text::clean($e->getMessage()));
        }
        foreach ($report['warnings'] as $warning) {
            $this->warn(Text::clean($warning));
        }
        foreach ($report['servers'] as $result) {
            if ($result['error'] !== null) {
                return $this->warn("{$server->alias}: " . Text::clean($result['error']));
            }
        }

        return true;
    }

    /** @param list<string> $argv */
    private function run(Server $server, array $argv, string $failure): bool
    {
        $result = $this->results($server, $argv);
        if ($result['outcome'] === 'synced') {
            return true;
        }
        $lines = Text::lines($result['stderr'] ?? '');

        return $this->warn("{$server->alias}: $failure: " . ($lines === [] ? Text::clean((string) $result['error']) : end($lines)));
    }

    /**
     * @param list<string> $argv
     * @return array<string, mixed> of the server
     */
    private function results(Server $server, array $argv): array
    {
        try {
            $report = $this->engine->run($this->fleet->topology([$server]), Fleet::GROUP, $argv, [])->jsonSerialize();
        } catch (\Exception $e) {
            return ['outcome' => 'failed', 'error' => $e->getMessage(), 'stdout' => '', 'stderr' => ''];
        }

        return $report['servers'][$server->name()];
    }

    private function warn(string $message): bool
    {
        $this->aegir->log($message, 'warning');

        return false;
    }

    private function fail(string $message): bool
    {
        $this->aegir->fail('SCALE_MEMBERSHIP', $message);

        return false;
    }
}
