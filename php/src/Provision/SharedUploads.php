<?php

namespace Aegir\Scale\Provision;

use Aegir\Scale\Report\Text;

/**
 * Uploads in one directory that all servers and this machine have mounted.
 *
 *   ROOT/sites/URI/files   ──► SHARED/URI/files        a link here and on every server
 *   ROOT/sites/URI/private ──► SHARED/URI/private
 *
 * What Provision does to the two directories of a site on this machine goes through the links. What it does to the site as a whole is
 * answered here: a backup takes what the links lead to, and what a restore, clone, migration or rename unpacks goes into the share.
 * Pushes leave both directories out (UploadPushes).
 */
final class SharedUploads
{
    private const NAMES = ['files', 'private'];
    private const TAR = __DIR__ . '/../../libexec/backup/tar';

    /** @var array<string, true> sites that were looked at in this process */
    private array $done = [];
    /** @var array<string, true> homes in which a restore has put the former uploads aside */
    private array $replaced = [];
    /** @var array<string, true> homes that were not there before */
    private array $made = [];
    /** @var array{path: string, done: string}|null the PATH before the backup, and the file that says that our tar was run */
    private ?array $backup = null;
    /** The home of a site that is about to go, if it is its own. */
    private ?string $leaving = null;

    /** @param \Closure(string): Share $share of a path */
    public function __construct(
        private readonly Aegir $aegir,
        private readonly UploadGathering $gathering,
        private readonly \Closure $share,
        private readonly string $tar = self::TAR,
    ) {
    }

    /**
     * Makes the links here and on every server; what lies in their places goes into the share first. False when that failed, which
     * fails the command; then nothing was changed, or what was begun goes on with the next call.
     *
     * @param bool $isRestore what lies here is from a backup that replaces what is in the share; undo() puts that back
     */
    public function convert(Group $group, string $sitePath, bool $isRestore = false): bool
    {
        $sitePath = rtrim($sitePath, '/');
        if ($group->uploads !== Uploads::Shared || isset($this->done[$sitePath]) || $this->aegir->isSimulated() || !is_dir($sitePath)) {
            return true;
        }
        try {
            $this->link($group, $sitePath, $isRestore);
        } catch (ShareException $e) {
            return $this->fail("the uploads of $sitePath are not in the shared directory: " . $e->getMessage());
        }
        $this->done[$sitePath] = true;

        return true;
    }

    /** The command has gone well: what a restore replaced goes. */
    public function keep(): void
    {
        $this->made = [];
        $this->finishRestore('forget');
    }

    /** The command has failed, and Provision takes the site's directory away again: what was put into the share for it goes, too. */
    public function undo(): void
    {
        $this->finishRestore('unreplace');
        foreach (array_keys($this->made) as $home) {
            $this->quietly($home, 'remove');
        }
        $this->made = [];
    }

    /**
     * From now on tar takes what the links of a site lead to.
     *
     * Provision's command is fixed and does not follow links, so a tar of ours comes first in the PATH.
     */
    public function beginBackup(Group $group, string $sitePath): bool
    {
        $this->abandonBackup();
        $sitePath = rtrim($sitePath, '/');
        try {
            $home = $this->homeOf($group, $sitePath);
            if ($home === null || $this->aegir->isSimulated()) {
                return true;
            }
            ($this->share)($group->shared)->mustAnswer();
        } catch (ShareException $e) {
            return $this->fail("no backup of $sitePath: " . $e->getMessage());
        }
        $tar = $this->directoryOfTar();
        if ($tar === null) {
            return $this->fail("no backup of $sitePath: its uploads are links, and $this->tar is not there as a program, nor can it be copied to Aegir's config");
        }
        // Not in /tmp, where others may put a link, or the file itself, under that name.
        $this->backup = ['path' => (string) getenv('PATH'), 'done' => $this->state() . '/backup-' . bin2hex(random_bytes(8))];
        putenv("AEGIR_SCALE_TAR_PATH={$this->backup['path']}");
        putenv("AEGIR_SCALE_TAR_DONE={$this->backup['done']}");
        putenv('AEGIR_SCALE_TAR_SITE=' . realpath($sitePath));
        putenv('AEGIR_SCALE_TAR_SHARED=' . dirname($home));
        putenv('AEGIR_SCALE_TAR_KEY=' . basename($home));
        putenv("PATH=$tar:{$this->backup['path']}");

        return true;
    }

    /** False, which fails the command, when the uploads are not in the backup. */
    public function endBackup(): bool
    {
        $done = $this->backup['done'] ?? null;
        $isGood = $done === null || is_file($done);
        $this->abandonBackup();

        return $isGood || $this->fail('the backup lacks the uploads: tar was not run as we know it');
    }

    public function abandonBackup(): void
    {
        if ($this->backup !== null) {
            putenv("PATH={$this->backup['path']}");
            foreach (['PATH', 'DONE', 'SITE', 'SHARED', 'KEY'] as $name) {
                putenv("AEGIR_SCALE_TAR_$name");
            }
            if (is_file($this->backup['done'])) {
                unlink($this->backup['done']);
            }
            $this->backup = null;
        }
    }

    /** Before the directory of a site goes: remembers what in the share belongs to it. */
    public function leaving(Group $group, string $sitePath): void
    {
        $this->leaving = null;
        try {
            $this->leaving = $this->homeOf($group, rtrim($sitePath, '/'));
        } catch (ShareException $e) {
            $this->aegir->log('the uploads stay in the shared directory: ' . $e->getMessage(), 'warning');
        }
    }

    /** After it has gone: removes what belonged to it, or with $to gives what is left to the site's new directory first. */
    public function hasLeft(Group $group, ?string $to = null): void
    {
        $home = $this->leaving;
        $this->leaving = null;
        if ($home === null || $this->aegir->isSimulated() || $this->isUsed($home)) {
            return;
        }
        try {
            $share = ($this->share)($group->shared);
            $share->mustAnswer();
            if ($to !== null) {
                // What came after the backup that the new directory was made of.
                $link = @readlink("$to/files");
                $this->tell('hub', $share->here('absorb', $home, $link === false ? $to : dirname($link)));

                return;
            }
            $share->here('remove', $home);
            $this->aegir->log("the uploads in $home were removed", 'success');
        } catch (ShareException $e) {
            $this->aegir->log(Text::clean("the uploads in $home are still there: " . $e->getMessage()), 'warning');
        }
    }

    private function link(Group $group, string $sitePath, bool $isRestore): void
    {
        $share = ($this->share)($group->shared);
        $home = $share->home($sitePath);
        $isLinked = $this->isLinked($sitePath, $home);
        $seen = $share->look($group->all(), $sitePath);
        $bad = array_filter($seen, static fn (array $s): bool => $s['state'] === 'bad');
        $good = count($seen) - count($bad);
        // The first time all must be there: what a server has and we do not know would be lost to sight.
        $isFatal = $bad !== [] && (!$isLinked || !$group->policy->isMet($good, count($seen)));
        foreach ($bad as $server => $s) {
            $this->aegir->log("$server: {$s['why']}", 'warning');
        }
        if ($isFatal) {
            throw new ShareException(Text::count(count($bad), 'server') . ' of ' . count($seen) . ' cannot use it: ' . implode(', ', array_keys($bad)));
        }
        if ($isLinked) {
            // Provision writes through our links: what they lead to must not have become one, which any server can make.
            $this->tell('hub', $share->here('fold', $sitePath, $home));
        } else {
            $this->linkHere($share, $group, $sitePath, $home, $isRestore);
        }
        foreach ($group->servers as $server) {
            // A server that has just been given to the group may hold what nobody else has: one after the other, so that no two of
            // them put different files under one name at once.
            if (($seen[$server->name()]['state'] ?? 'bad') === 'todo') {
                $this->tell($server->name(), $share->on($server, 'fold', $sitePath, $home));
            }
        }
    }

    private function linkHere(Share $share, Group $group, string $sitePath, string $home, bool $isRestore): void
    {
        if ($isRestore) {
            $this->replaced[$home] = true;
            $share->here('replace', $sitePath, $home);
            $this->tell('hub', $share->here('fold', $sitePath, $home));

            return;
        }
        if (!$this->gathering->gather($group, $sitePath)) {
            throw new ShareException('what is on the servers could not be brought here first');
        }
        $lines = $share->here('fold', $sitePath, $home);
        if (in_array("made $home", $lines, true)) {
            $this->made[$home] = true;
        }
        $this->tell('hub', $lines);
    }

    /** @param list<string> $lines of the script */
    private function tell(string $who, array $lines): void
    {
        $files = 0;
        foreach ($lines as $line) {
            [$word, $rest] = explode(' ', $line, 2) + [1 => ''];
            $files += $word === 'merged' ? (int) $rest : 0;
            if ($word === 'conflict') {
                $this->aegir->log("$who had other content under one name, kept as $rest", 'warning');
            } elseif ($word === 'kept') {
                $this->aegir->log("$who keeps $rest: it holds what is neither a file nor a directory, or could not be removed", 'warning');
            }
        }
        if ($files > 0) {
            $this->aegir->log(Text::count($files, 'uploaded file') . " of $who went to the shared directory", 'success');
        }
    }

    /** The home of a site whose links lead there; null when they do not. */
    private function homeOf(Group $group, string $sitePath): ?string
    {
        if ($group->uploads !== Uploads::Shared) {
            return null;
        }
        $home = ($this->share)($group->shared)->home($sitePath);

        return $this->isLinked($sitePath, $home) ? $home : null;
    }

    /** Where our tar is a program: where it is, or a copy, as some ways to install a file make no program of it. */
    private function directoryOfTar(): ?string
    {
        $tar = (string) realpath($this->tar);
        if (is_executable($tar)) {
            return dirname($tar);
        }
        $to = $this->state() . '/bin';
        is_dir($to) || @mkdir($to, 0700);
        $isThere = $tar !== '' && @copy($tar, "$to/tar.new") && chmod("$to/tar.new", 0700) && rename("$to/tar.new", "$to/tar");

        return $isThere ? $to : null;
    }

    /** A directory of ours alone. */
    private function state(): string
    {
        $state = $this->aegir->root() . '/config/scale';
        is_dir($state) || @mkdir($state, 0700, true);

        return $state;
    }

    private function isLinked(string $sitePath, string $home): bool
    {
        foreach (self::NAMES as $name) {
            if (@readlink("$sitePath/$name") !== "$home/$name") {
                return false;
            }
        }

        return true;
    }

    /** Does a site of any platform still lead there? A migration leaves it to the new one. */
    private function isUsed(string $home): bool
    {
        foreach ($this->aegir->platformRoots() as $root) {
            foreach (self::NAMES as $name) {
                $link = "$root/sites/" . strtr(basename($home), '+', '/') . "/$name";
                if (@readlink($link) === "$home/$name") {
                    return true;
                }
            }
        }

        return false;
    }

    private function finishRestore(string $verb): void
    {
        foreach (array_keys($this->replaced) as $home) {
            $this->quietly($home, $verb);
        }
        $this->replaced = [];
    }

    /** At the end of a command, when nothing can be done about an error any more. */
    private function quietly(string $home, string $verb): void
    {
        try {
            ($this->share)(dirname($home))->here($verb, $home);
        } catch (ShareException $e) {
            $this->aegir->log(Text::clean($e->getMessage()), 'warning');
        }
    }

    private function fail(string $message): bool
    {
        $this->aegir->fail('AEGIR_SCALE_SHARED', Text::clean($message));

        return false;
    }
}
