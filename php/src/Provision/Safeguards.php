<?php

namespace Aegir\Scale\Provision;

use Aegir\Scale\Command\Engine;

/** What keeps uploads, other tasks and servers from harm, at the points where Drush calls us during a task. One for a process. */
final class Safeguards
{
    public readonly UploadGathering $gathering;
    public readonly SharedUploads $shared;
    public readonly Removal $removal;
    public readonly TaskLock $lock;

    public function __construct(private readonly Aegir $aegir, Fleet $fleet, Engine $engine)
    {
        $state = $aegir->root() . '/config/scale';
        $this->gathering = new UploadGathering($aegir, $fleet, $engine);
        $this->shared = new SharedUploads($aegir, $this->gathering, static fn (string $path): Share => new Share($fleet, $engine, $path));
        $this->removal = new Removal($aegir, $state);
        $this->lock = new TaskLock($aegir, "$state/locks");
    }

    /**
     * Before anything of a task: waits for others on the same platforms.
     *
     * @param list<string> $others roots of other platforms that the task changes
     */
    public function begin(string $command, array $others = []): bool
    {
        $group = $this->group();
        $root = $this->aegir->platformRoot();
        if ($group === null || $root === null || $this->aegir->isSimulated()) {
            return true;
        }
        $site = $this->aegir->sitePath();

        return $this->lock->take([$root, ...$others], $command . ' ' . ($site === null ? $root : basename($site)));
    }

    /** The site's uploads are links, or become links: before Provision writes below them. */
    public function share(bool $isRestore = false): bool
    {
        return $this->ofSite(fn (Group $group, string $site): bool => $this->shared->convert($group, $site, $isRestore));
    }

    /** The same, for a site whose uploads are links already: that the share is there is known before anything is tried. */
    public function checkShare(): bool
    {
        return $this->ofSite(fn (Group $group, string $site): bool => !is_link("$site/files") || $this->shared->convert($group, $site));
    }

    public function beginBackup(): bool
    {
        return $this->ofSite(fn (Group $group, string $site): bool => $this->shared->beginBackup($group, $site));
    }

    /** Before what is here of a site or a platform goes, and after the backup. */
    public function leaving(bool $isForced): bool
    {
        $group = $this->group();
        $root = $this->aegir->platformRoot();
        if ($group === null || $root === null) {
            return true;
        }
        $site = $this->aegir->sitePath();
        if ($site === null || $this->aegir->siteIsPlatform()) {
            $this->removal->platformIsGoing($root);
        }
        if ($site === null) {
            return true;
        }
        $missing = $this->gathering->missing($site);
        if ($missing !== [] && !$isForced) {
            $this->aegir->fail('AEGIR_SCALE_UPLOADS', 'uploads of ' . implode(', ', $missing) . ' are not in the backup, and would be lost with the'
                . ' old directory of ' . basename($site) . ': nothing was removed. Mend what keeps us from them, or give --force');

            return false;
        }
        $this->shared->leaving($group, $site);

        return true;
    }

    /** @param string|null $to where the site is now; null when it is nowhere */
    public function hasLeft(?string $to = null): void
    {
        $group = $this->group();
        if ($group !== null) {
            $this->shared->hasLeft($group, $to);
            $this->removal->platformIsGone();
        }
    }

    /** A task has gone well: where things lie here is where they should lie. */
    public function remember(): void
    {
        $root = $this->aegir->platformRoot();
        if ($this->group() !== null && !$this->aegir->isSimulated()) {
            $this->removal->remember($root ?? $this->aegir->root() . '/config');
        }
    }

    /** @param callable(Group, string): bool $what */
    private function ofSite(callable $what): bool
    {
        $group = $this->group();
        $site = $this->aegir->sitePath();

        return $group === null || $site === null || $what($group, $site);
    }

    private function group(): ?Group
    {
        $group = $this->aegir->currentGroup();

        return $group === null || $group->isOff ? null : $group;
    }
}
