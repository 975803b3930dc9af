<?php

namespace Aegir\Scale\Provision;

use Aegir\Scale\CancelledException;
use Aegir\Scale\Command\Engine;
use Aegir\Scale\Report\Text;
use Aegir\Scale\ScaleException;

/**
 * Brings what servers have to this machine. Aegir asks for a site's directories one after the other: the first question fetches
 * them all, by one call for all servers.
 */
final class SiteFetch
{
    private const UPLOADS = ['files', 'private'];
    private const CODE = ['modules', 'themes', 'libraries', 'local.settings.php'];

    /** @var array<string, bool> by site and servers */
    private array $done = [];

    public function __construct(
        private readonly Aegir $aegir,
        private readonly Fleet $fleet,
        private readonly Engine $engine,
        private readonly Verdict $verdict,
    ) {
    }

    /** @param non-empty-list<Server> $servers */
    public function fetch(array $servers, string $path): bool
    {
        $path = Push::plain($path);
        $alive = array_values(array_filter($servers, fn (Server $server): bool => $this->verdict->whyDead($server) === null));
        $names = implode('|', array_map(preg_quote(...), [...self::UPLOADS, ...self::CODE]));
        if (preg_match("~^(.*/sites/[^/]+)/($names)$~", $path, $found) !== 1) {
            return $this->one($alive, $path);
        }
        $key = $found[1] . "\0" . implode(' ', array_column($servers, 'alias'));
        if (!isset($this->done[$key]) || $found[2] === self::UPLOADS[0]) {
            $this->done[$key] = is_dir($found[1]) && $this->call($alive, $found[1], self::only($found[1], [...self::UPLOADS, ...array_filter(
                self::CODE,
                static fn (string $name): bool => file_exists("$found[1]/$name"),
            )])) && count($alive) === count($servers);
        }

        return $this->done[$key];
    }

    /** @param list<Server> $servers */
    private function one(array $servers, string $path): bool
    {
        if (is_link($path) || !file_exists($path)) {
            return true;
        }

        return is_dir($path) ? $this->call($servers, $path, ['filter' => self::vcs()])
            : $this->call($servers, dirname($path), self::only(dirname($path), [basename($path)]));
    }

    /**
     * @param list<Server> $servers
     * @param array<string, mixed> $options
     */
    private function call(array $servers, string $path, array $options): bool
    {
        if ($servers === []) {
            return false;
        }
        try {
            $topology = $this->fleet->topology($servers);
            $report = $this->engine->fetch($topology, Fleet::GROUP, [$path], $options + ['itemize' => true])->jsonSerialize();
        } catch (CancelledException $e) {
            throw $e;
        } catch (ScaleException | \ValueError $e) {
            $this->aegir->fail('PROVISION_FILE_SYNC_FAILED', Text::clean("$path was not fetched: " . $e->getMessage()));
            return false;
        }
        foreach ($servers as $server) {
            $r = $report['servers'][$server->name()];
            if (!in_array($r['outcome'], ['synced', 'unchanged'], true)) {
                $why = Text::clean("could not be fetched from: " . ($r['error'] ?? $r['outcome']));
                $r['phase'] === 'connect' ? $this->verdict->dead($server, $why) : $this->verdict->bad($server, $why);
            }
            $this->putAside($server, array_column($r['changes'], 'path'), $path);
        }
        foreach (array_slice($report['warnings'], 0, 20) as $warning) {
            $this->aegir->log(Text::clean($warning), 'warning');
        }

        return $report['ok'];
    }

    /**
     * A copy of code that differs is not left where a web server would show it: modules/a.php.web1-CONFLICT is no PHP to Apache.
     *
     * @param list<string> $paths
     */
    private function putAside(Server $server, array $paths, string $site): void
    {
        foreach ($paths as $path) {
            if (preg_match('~\.' . preg_quote($server->name(), '~') . '-CONFLICT(-\d+)?$~', $path) !== 1
                || preg_match('~^(' . implode('|', self::UPLOADS) . ')/~', substr($path, strlen($site) + 1)) === 1) {
                continue;
            }
            $dir = $this->fleet->state() . '/conflicts';
            $to = $dir . '/' . date('Ymd.His') . '-' . substr(sha1($path), 0, 8) . '-' . substr(basename($path), -150);
            if ((is_dir($dir) || mkdir($dir, 0700)) && rename($path, $to)) {
                chmod($to, 0600);
                $this->aegir->log(Text::clean("$path was moved to $to, as a web server would show what is in it"), 'warning');
            }
        }
    }

    /**
     * @param list<string> $names
     * @return array<string, list<string>>
     */
    private static function only(string $dir, array $names): array
    {
        // What is a link here leads out of the site.
        $names = array_filter($names, static fn (string $name): bool => !is_link("$dir/$name"));

        return ['filter' => [
            ...self::vcs(),
            // Compiled templates: Drupal runs them here, too, and makes them anew.
            '- /files/php/',
            ...array_map(static fn (string $name): string => '+ ' . SyncOptions::pattern("/$name", ''), $names),
            '- /*',
        ]];
    }

    /** @return list<string> */
    private static function vcs(): array
    {
        return array_map(static fn (string $name): string => "- $name", SyncOptions::VCS);
    }
}
