<?php

/**
 * @generate-class-entries
 * @undocumentable
 */

namespace Aegir\Scale {

    /** What happened on one server. */
    enum Outcome: string
    {
        /** Changed, and now equal to the source; of a command: it exited with 0. */
        case Synced = "synced";
        /** Was equal already. */
        case Unchanged = "unchanged";
        /** Of a dry run or a status: something would change. */
        case Differs = "differs";
        /** Was ready, but not committed because of another server; it serves what it served before. */
        case Staged = "staged";
        /** Failed; error says why. */
        case Failed = "failed";
        /** Not begun, because the call ended first. */
        case Skipped = "skipped";
    }

    /** Where a server is in a call, in the order in which it passes through. */
    enum Phase: string
    {
        case Connect = "connect";
        case Start = "start";
        case List = "list";
        case Transfer = "transfer";
        case Staged = "staged";
        case Commit = "commit";
        case Delete = "delete";
        case Done = "done";
    }

    /** What a call did or found: a SyncReport, a StatusReport or a RunReport. */
    interface Report extends \JsonSerializable
    {
    }

    /** The base of everything this extension throws, apart from PHP's own errors for bad arguments. */
    class ScaleException extends \Exception
    {
        /** The server it is about, null when it is no one server's. */
        public readonly ?string $server;
        /** The path it is about, or null. */
        public readonly ?string $path;
    }

    /** The topology is wrong. The message holds the first problem and how many there are. */
    final class TopologyException extends ScaleException
    {
        /** @var list<Problem> */
        public readonly array $problems;
    }

    /** $progress, a signal handler or a time limit stopped the call. */
    final class CancelledException extends ScaleException
    {
        /** How each server was left; null when no server had been touched. */
        public readonly ?Report $report;
    }

    /** One complaint about a topology file. */
    final readonly class Problem implements \JsonSerializable, \Stringable
    {
        /** "" for an array. */
        public readonly string $file;
        /** From 1; 0 for an array. */
        public readonly int $line;
        public readonly int $column;
        /** The key it is about, as "servers.web1.port"; "" for the file as a whole. */
        public readonly string $where;
        /** What was found and what would be right. */
        public readonly string $message;

        /** "file:line:column: message", or "where: message" for an array. */
        public function __toString(): string {}

        public function jsonSerialize(): array {}
    }

    /**
     * Which servers there are and how they belong together: immutable, and checked as a whole.
     *
     * The keys of the file are those of README.md, "The topology file".
     *
     * @strict-properties
     * @not-serializable
     */
    final class Topology
    {
        private function __construct() {}

        /**
         * Reads a YAML file.
         *
         * @throws TopologyException with every problem of the file
         * @throws ScaleException when the file cannot be read
         */
        public static function fromFile(string $file): Topology {}

        /**
         * The same keys as an array.
         *
         * @throws TopologyException with every problem of the array
         */
        public static function fromArray(array $spec): Topology {}

        /**
         * Every complaint about a YAML file, in the file's order; none when it is right.
         *
         * @return list<Problem>
         * @throws ScaleException when the file cannot be read
         */
        public static function problems(string $file): array {}

        /** The normalised topology with all defaults filled in. Topology::fromArray() takes it back. It holds no secrets. */
        public function toArray(): array {}
    }

    /** How far a server has come. Given to $progress at most ten times a second per server. */
    final readonly class Progress
    {
        public readonly string $server;
        public readonly Phase $phase;
        /** Files whose content the server has been sent, and has asked for so far. */
        public readonly int $filesDone;
        public readonly int $filesTotal;
        /** The same in bytes of file content. */
        public readonly int $bytesDone;
        public readonly int $bytesTotal;
    }

    /** One difference between the source and a server, or one change made there. */
    final readonly class Change implements \JsonSerializable
    {
        /** Absolute, as the server sees it under its root. Bytes as they are; JSON gets \xHH for what is not UTF-8. */
        public readonly string $path;
        /** rsync's --itemize-changes: "<f.st......", "cd+++++++++", "*deleting". */
        public readonly string $code;

        /** @implementation-alias Aegir\Scale\Problem::jsonSerialize */
        public function jsonSerialize(): array {}
    }

    /** What a sync or a status found and did on one server. */
    final readonly class ServerResult implements \JsonSerializable
    {
        public readonly string $server;
        public readonly Outcome $outcome;
        /** How far it came. */
        public readonly Phase $phase;
        /** Regular files whose content was sent. */
        public readonly int $files;
        /** Entries removed on the server; of a dry run: that would be. */
        public readonly int $deleted;
        /** Bytes given to this server's channel, compressed, without SSH's own. */
        public readonly int $bytesSent;
        /** Bytes of changed files that the server already had. */
        public readonly int $bytesMatched;
        public readonly float $seconds;
        /** One sentence, or null. */
        public readonly ?string $error;
        /** What the error is about, or null. */
        public readonly ?string $path;
        /** @var list<Change> with the option itemize, and of a status */
        public readonly array $changes;

        /** @implementation-alias Aegir\Scale\Problem::jsonSerialize */
        public function jsonSerialize(): array {}
    }

    /** What cluster_sync() did. */
    final readonly class SyncReport implements Report
    {
        /** True when every server is as the source. */
        public readonly bool $ok;
        /** True when the servers were released to switch. */
        public readonly bool $committed;
        public readonly float $seconds;
        /** Entries in the source, and bytes of its regular files. */
        public readonly int $files;
        public readonly int $bytes;
        /** @var array<string, ServerResult> by server name, in the topology's order */
        public readonly array $servers;
        /** @var list<string> about the source: a file that vanished, a directory that could not be read */
        public readonly array $warnings;

        /** @implementation-alias Aegir\Scale\Problem::jsonSerialize */
        public function jsonSerialize(): array {}
    }

    /** What cluster_status() found. */
    final readonly class StatusReport implements Report
    {
        /** True when every server answered and none differs. */
        public readonly bool $ok;
        public readonly float $seconds;
        public readonly int $files;
        public readonly int $bytes;
        /** @var array<string, ServerResult> */
        public readonly array $servers;
        /** @var list<string> */
        public readonly array $warnings;

        /** @implementation-alias Aegir\Scale\Problem::jsonSerialize */
        public function jsonSerialize(): array {}
    }

    /** What a command did on one server. */
    final readonly class RunResult implements \JsonSerializable
    {
        public readonly string $server;
        /** Synced when the command exited with 0, Failed when not or when it could not be run. */
        public readonly Outcome $outcome;
        /** 0 to 255; null when it was killed by a signal or never ended. */
        public readonly ?int $exitStatus;
        /** "KILL", "TERM"; null when there was none. */
        public readonly ?string $signal;
        /** At most 8 MiB each, as they came. */
        public readonly string $stdout;
        public readonly string $stderr;
        /** There was more than 8 MiB of one of them. */
        public readonly bool $truncated;
        public readonly float $seconds;
        public readonly ?string $error;

        /**
         * Output that is not UTF-8 is written with \xHH.
         *
         * @implementation-alias Aegir\Scale\Problem::jsonSerialize
         */
        public function jsonSerialize(): array {}
    }

    /** What cluster_run() did. */
    final readonly class RunReport implements Report
    {
        /** True when the command exited with 0 on every server. */
        public readonly bool $ok;
        public readonly float $seconds;
        /** @var array<string, RunResult> */
        public readonly array $servers;

        /** @implementation-alias Aegir\Scale\Problem::jsonSerialize */
        public function jsonSerialize(): array {}
    }

    /** The releases of a path on one server. */
    final readonly class ReleaseResult implements \JsonSerializable
    {
        public readonly string $server;
        /** Synced when something was changed, Unchanged when nothing had to be; Staged when it was kept from switching, or went back. */
        public readonly Outcome $outcome;
        /** The release that is served, or null. */
        public readonly ?string $current;
        /** The good release that was served last before it, or null: what one goes back to. */
        public readonly ?string $lastGood;
        /** @var list<string> all that are whole, newest first */
        public readonly array $releases;
        /** @var list<string> those that a call has switched to and ended well, most recently first */
        public readonly array $good;
        /** @var list<string> begun by a call that failed; a sync into the same release goes on with it */
        public readonly array $unfinished;
        /** @var list<string> removed by this call */
        public readonly array $removed;
        public readonly float $seconds;
        public readonly ?string $error;

        /** @implementation-alias Aegir\Scale\Problem::jsonSerialize */
        public function jsonSerialize(): array {}
    }

    /** What release_list(), release_switch() and release_prune() found and did. */
    final readonly class ReleaseReport implements Report
    {
        /** True when no server failed or was kept from switching. */
        public readonly bool $ok;
        public readonly float $seconds;
        /** @var array<string, ReleaseResult> */
        public readonly array $servers;

        /** @implementation-alias Aegir\Scale\Problem::jsonSerialize */
        public function jsonSerialize(): array {}
    }

    /**
     * Copies paths of this machine to every server of a group, all at once.
     *
     * The tree is read once and sent to all. By default the servers switch together: changed files are staged, and renamed into
     * place only when every server has all of them. A server that cannot be reached or refuses the files is a result with
     * Outcome::Failed. What lies on a server below the uploads of a Drupal site (sites/x/files, sites/x/private) is never deleted, nor replaced
     * by an older file. Uploads of this machine are sent after the switch, to each server by itself.
     *
     * Options, with rsync's names where rsync has one:
     *  - delete (bool, true): remove what is not in the source, below the pushed paths only
     *  - filter, include, exclude (list of strings, rsync's syntax, asked in this order): anchored patterns start at the server's root
     *  - protect (list of patterns; default the uploads): never deleted on a server, nor replaced by an older file; a leading / means the
     *    pushed path
     *  - relative (bool, true): recreate the whole path below the server's root; false: the last component, or with a trailing slash
     *    the contents, directly in the server's root
     *  - copy_dirlinks (bool, false): a symlink to a directory here is sent as that directory; one that leads to a directory it lies
     *    in stays a symlink, with a warning
     *  - keep_dirlinks, omit_dir_times, checksum, numeric_ids, update (bool, false)
     *  - chmod (list of strings, rsync's --chmod syntax, as "D2775,F664" or "go-w,+X"): permissions on the servers
     *  - link_dest (list of at most 20 directories on the servers, absolute or relative to the server's root): a file that is missing in the
     *    destination and equal in one of them (under the same path) becomes a hard link to that one
     *  - hard_links (bool, false): names of one file stay names of one file
     *  - compress ("auto", "none", "zstd", "zlib", "lz4"; default auto): auto is the first of zstd, lz4 and zlib that the server has, else none,
     *    whatever the network; files whose suffix says that they are compressed (rsync's own list) are not compressed again
     *  - bwlimit (int, KiB a second; default 0: no limit): of what is sent to all servers together, in fair shares; SSH's own bytes not counted
     *  - guard (bool, true): refuse a source that is an empty directory, or lies on another file system than at the last push of that path to
     *    that group, as when a disk or a share is not mounted. False pushes it as it is and remembers where it lies now. A source that is
     *    missing is always refused
     *  - dry_run, itemize (bool, false)
     *  - commit ("together", "each"; default together)
     *  - release (string): put the one path, a directory, into PATH/.releases/NAME on each server, with hard links to what is the same in the
     *    release that is served there, and when all servers have it switch PATH/current to it. Filters begin at the path.
     *    Uploads of Drupal sites are no part of a release: it has links to PATH/.releases/.shared in their place
     *  - max_failures (int, 0): servers that may fail without keeping the others from switching
     *  - max_delete (int, no limit): a server on which more entries would be deleted fails before anything is changed there; all
     *    servers are asked by a dry run first, which takes its time
     *  - parallel (int, 1 to 32; default 32): servers in handshake at once
     *  - connect_timeout, timeout (int seconds, 1 to 86400; default the topology's): until logged in; of silence, and of waiting for another
     *    call of this user that is at work on the same path, one above or one below it, on one of the same servers
     *  - servers (list of names; default all of the group)
     *
     * A list may be given as one string when it has one entry. $progress and signal handlers cannot begin another call.
     *
     * @param string $group a cluster, a pack or a server
     * @param array|string $paths absolute paths on this machine
     * @param callable|null $progress is given a Progress, at most ten times a second per server; returning false cancels
     * @throws \ValueError for a bad option or path
     * @throws CancelledException when $progress, a signal handler or a time limit stopped the call
     * @throws ScaleException when the source is missing, empty, on another file system than before or cannot be read, there is no such group,
     *                        or another call at work on the same did not end in time
     */
    function cluster_sync(Topology $t, string $group, array|string $paths, array $options = [], ?callable $progress = null): SyncReport {}

    /**
     * Brings what is new in directories of every server of a group to this machine, from all at once. Nothing here is deleted.
     *
     * Of files with one name the newest wins; it is never put over one here that is newer. Other content under that name, of a server
     * or older than what is here, is kept beside it as NAME.SERVER-CONFLICT, and is a warning of the report. Only regular files and
     * directories are brought, and only from servers that could be read as a whole. Needs rsync on this machine.
     *
     * In the report a server's files are those brought from it; files and bytes are those put in place here.
     *
     * Options: filter, include, exclude, checksum, itemize, parallel, connect_timeout, timeout, servers as for cluster_sync(); filters begin
     * at the path.
     *
     * @param array|string $paths absolute: directories, the same on the servers and here
     * @param callable|null $progress is given a Progress; returning false cancels, and nothing more is put in place
     * @throws \ValueError
     * @throws CancelledException
     * @throws ScaleException when a directory here cannot be written, or there is no such group
     */
    function cluster_fetch(Topology $t, string $group, array|string $paths, array $options = [], ?callable $progress = null): SyncReport {}

    /**
     * Runs a command on every server of a group at once.
     *
     * Options: input (string, ""): its standard input; parallel, connect_timeout, timeout, servers as for cluster_sync().
     *
     * @param string[] $argv the command and its arguments; no shell reads them
     * @param callable|null $progress is given a Progress; returning false cancels, which cuts the connections
     * @throws \ValueError for a bad option or argument
     * @throws CancelledException
     * @throws ScaleException when there is no such group
     */
    function cluster_run(Topology $t, string $group, array $argv, array $options = [], ?callable $progress = null): RunReport {}

    /**
     * What cluster_sync() with the same options would change, itemised per server and path. Changes nothing.
     *
     * Options: those of cluster_sync() but dry_run, itemize, commit and max_failures.
     *
     * @throws \ValueError
     * @throws CancelledException
     * @throws ScaleException
     */
    function cluster_status(Topology $t, string $group, array|string $paths, array $options = []): StatusReport {}

    /**
     * The releases of a path on every server of a group: what is there, what is served, what can be gone back to.
     *
     * Options: parallel, connect_timeout, timeout, servers as for cluster_sync().
     *
     * @param string $path absolute; what cluster_sync() was given with the option release
     * @throws \ValueError
     * @throws CancelledException
     * @throws ScaleException
     */
    function release_list(Topology $t, string $group, string $path, array $options = []): ReleaseReport {}

    /**
     * Makes a release the one that is served, on every server of a group, by one rename of a symbolic link on each. No server switches
     * unless all have the release; when more fail in the switch than may, the others go back to what they served.
     *
     * Options: those of release_list() and max_failures.
     *
     * @throws \ValueError
     * @throws CancelledException
     * @throws ScaleException
     */
    function release_switch(Topology $t, string $group, string $path, string $id, array $options = []): ReleaseReport {}

    /**
     * Removes old releases, and what failed calls left a day ago or earlier. Kept are the $keep good releases that were served last,
     * the one that is served, the last good one before it, and those that never were good for a day.
     *
     * Options: those of release_list().
     *
     * @param int $keep 0 to 1000000
     * @throws \ValueError
     * @throws CancelledException
     * @throws ScaleException
     */
    function release_prune(Topology $t, string $group, string $path, int $keep, array $options = []): ReleaseReport {}

    /**
     * The connections this process keeps.
     *
     * @return array{opened: int, reused: int, failed: int, closed: int, idle: int, in_use: int, sessions: list<array{server: string,
     *   host: string, port: int, user: string, state: string, transport: string, reason: string, host_key: string, cipher: string,
     *   commands: int, bytes_sent: int, bytes_received: int, seconds: float}>}
     */
    function pool_stats(): array {}

    /** Closes the connections this process keeps. */
    function pool_close(): void {}
}
