<?php

namespace Aegir\Scale\Provision;

use Aegir\Scale\CancelledException;
use Aegir\Scale\Command\Engine;
use Aegir\Scale\Report\Text;
use Aegir\Scale\ScaleException;

/**
 * Brings what visitors uploaded on the servers of a group to this machine: before a push of a site, so that all servers get it, and before
 * a backup, so that it is in there.
 *
 * Nothing is deleted here or there, and times are kept: what came from a server is never older than what the server has.
 */
final class UploadGathering
{
    /** The environment variable with the sites that a task has gathered, for the commands that it starts in processes of their own. */
    public const GATHERED = 'AEGIR_SCALE_GATHERED';
    /** Conflicts that are told one by one. */
    private const TOLD = 20;
    /**
     * What is not brought, from each directory on. Drupal makes it anew on every server, and a backup leaves most of it out; what is
     * in php/ is run by whoever bootstraps the site, also here. The .htaccess at the top is Provision's.
     */
    private const NOT_UPLOADS = [
        'files' => ['/css/', '/js/', '/php/', '/.htaccess'],
        'private' => ['/temp/', '/.htaccess'],
    ];

    /** @var array<string, list<string>> by site: the servers whose uploads may be missing here */
    private array $missing = [];

    public function __construct(
        private readonly Aegir $aegir,
        private readonly Fleet $fleet,
        private readonly Engine $engine,
    ) {
    }

    /** Before a push; does nothing when this task has done it already. */
    public function before(Group $group, string $sitePath): void
    {
        $sitePath = rtrim($sitePath, '/');
        if ($group->uploads === Uploads::Gather && !in_array($sitePath, self::gathered(), true)) {
            $this->gather($group, $sitePath);
        }
    }

    /** Now, whatever was done before and whatever the mode is: a backup may hold all that is left of the site. */
    public function forBackup(Group $group, string $sitePath): void
    {
        $sitePath = rtrim($sitePath, '/');
        $this->gather($group, $sitePath);
        $missing = $this->missing($sitePath);
        if ($missing !== []) {
            $this->aegir->log('the backup may lack what was uploaded on ' . implode(', ', $missing) . ' to ' . basename($sitePath), 'warning');
        }
    }

    /**
     * The servers whose uploads could not be brought here the last time.
     *
     * @return list<string>
     */
    public function missing(string $sitePath): array
    {
        return $this->missing[rtrim($sitePath, '/')] ?? [];
    }

    /** True when all servers could be asked. */
    public function gather(Group $group, string $sitePath): bool
    {
        $this->note($sitePath);
        $this->missing[$sitePath] = [];
        if ($group->servers === [] || !is_dir($sitePath) || $this->aegir->isSimulated()) {
            return true;
        }
        $warnings = [];
        $failed = [];
        $brought = 0;
        foreach (self::NOT_UPLOADS as $name => $exclude) {
            // A link into the shared directory: what is on the servers is here.
            if ($group->uploads === Uploads::Shared && is_link("$sitePath/$name")) {
                continue;
            }
            $report = $this->fetch($group, "$sitePath/$name", $exclude);
            if ($report === null) {
                $this->missing[$sitePath] = array_map(static fn (Server $s): string => $s->name(), $group->servers);

                return false;
            }
            $brought += $report['files'];
            array_push($warnings, ...array_values($report['warnings']));
            foreach ($report['servers'] as $server => $result) {
                if (!in_array($result['outcome'], ['synced', 'unchanged'], true)) {
                    $failed[$server] ??= $result['error'] ?? $result['outcome'];
                }
            }
        }
        $this->tell($sitePath, $brought, $warnings, $failed);
        $this->missing[$sitePath] = array_map(strval(...), array_keys($failed));

        return $failed === [];
    }

    /** @return list<string> sites that this task has gathered */
    private static function gathered(): array
    {
        $of = explode(':', (string) getenv(self::GATHERED));

        return Ancestry::has((int) array_shift($of)) ? $of : [];
    }

    private function note(string $sitePath): void
    {
        putenv(self::GATHERED . '=' . implode(':', array_unique([getmypid(), ...self::gathered(), $sitePath])));
    }

    /**
     * @param list<string> $exclude
     * @return array<string, mixed>|null null when the call as a whole failed, which was told
     */
    private function fetch(Group $group, string $path, array $exclude): ?array
    {
        try {
            $topology = $this->fleet->topology($group->servers);
            $report = $this->engine->fetch($topology, Fleet::GROUP, [$path], ['exclude' => $exclude]);

            return json_decode(Text::json($report), true);
        } catch (CancelledException $e) {
            throw $e;
        } catch (ScaleException $e) {
            $this->aegir->log('uploads could not be brought here: ' . Text::clean($e->getMessage()), 'warning');

            return null;
        }
    }

    /**
     * @param list<string> $warnings
     * @param array<string, string> $failed
     */
    private function tell(string $sitePath, int $brought, array $warnings, array $failed): void
    {
        if ($brought > 0) {
            $this->aegir->log(Text::count($brought, 'uploaded file') . ' of ' . Text::clean(basename($sitePath)) . ' brought from the servers', 'success');
        }
        foreach (array_slice($warnings, 0, self::TOLD) as $warning) {
            $this->aegir->log(Text::clean($warning), 'warning');
        }
        if (count($warnings) > self::TOLD) {
            $this->aegir->log('and ' . Text::count(count($warnings) - self::TOLD, 'more conflict') . ": look for *-CONFLICT* below $sitePath", 'warning');
        }
        foreach ($failed as $server => $why) {
            $this->aegir->log(Text::clean("$server could not be asked for uploads of " . basename($sitePath) . ": $why"), 'warning');
        }
    }
}
