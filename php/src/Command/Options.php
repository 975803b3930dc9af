<?php

namespace Aegir\Scale\Command;

/** The options that several commands share, so that they mean the same everywhere. */
final class Options
{
    public static function topology(): Option
    {
        return new Option('topology', OptionKind::Text, 'The topology: a YAML file that names the servers and groups. Default: '
            . 'the environment variable AEGIR_SCALE_TOPOLOGY, else ' . Command::TOPOLOGY . '.', 'FILE');
    }

    public static function format(string $json): Option
    {
        return new Option('format', OptionKind::Text, "table for people, json for programs: $json on standard output and nothing "
            . 'else there. Default: table.', 'table|json');
    }

    public static function limit(): Option
    {
        return new Option('limit', OptionKind::Number, 'Show at most so many paths of each server; 0 shows all. JSON always has '
            . 'all. Default: 50.', 'N');
    }

    /** @return list<Option> */
    public static function connections(): array
    {
        return [
            new Option('servers', OptionKind::Names, 'Only these servers of the group, with commas between them. Default: all '
                . 'of them.', 'NAME,NAME', 'servers'),
            new Option('parallel', OptionKind::Number, 'Log in to so many servers at a time. Default: 32.', 'N', 'parallel'),
            new Option('connect-timeout', OptionKind::Number, 'Give a server up that has not let us in within so many seconds. '
                . 'Default: the topology\'s, or 10.', 'SECONDS', 'connect_timeout'),
            new Option('timeout', OptionKind::Number, 'Give a server up that has been silent for so many seconds. Default: the '
                . 'topology\'s, or 300.', 'SECONDS', 'timeout'),
        ];
    }

    /** @return list<Option> which paths, and how they are compared: of a sync and of a status */
    public static function paths(): array
    {
        return [
            new Option('no-delete', OptionKind::Flag, 'Leave on the servers what is not in the source. Default: it is removed, '
                . 'below the pushed paths only.', '', 'delete', false),
            self::repeated('filter', 'A rule in rsync\'s --filter syntax, as "- *.log" or "+ /var/aegir/***". Asked before '
                . '--include and --exclude.', 'RULE'),
            self::repeated('include', 'Take along what matches, although an --exclude says no; rsync\'s patterns, from the '
                . 'server\'s root if they begin with a slash. In Drush write --filter="+ PATTERN", as --include is Drush\'s own.'),
            self::repeated('exclude', 'Leave out what matches, here and on the servers.'),
            self::repeated('protect', 'Never delete on a server what matches, nor replace it by an older file; a leading slash means the'
                . ' pushed path. Default: the uploads of Drupal sites (sites/*/files, sites/*/private). An empty one alone protects nothing.'),
            new Option('no-relative', OptionKind::Flag, 'Put the last component of a path (with a trailing slash: its contents) into the server\'s '
                . 'root. Default: recreate the whole path there.', '', 'relative', false),
            self::flag('copy-dirlinks', 'Send a symbolic link to a directory as that directory.', 'copy_dirlinks'),
            self::flag('keep-dirlinks', 'A symbolic link on the server stays where the source has a directory.', 'keep_dirlinks'),
            self::flag('omit-dir-times', 'Leave the times of directories alone.', 'omit_dir_times'),
            self::flag('checksum', 'Compare files by their content, not by size and time. It reads everything everywhere.', 'checksum'),
            self::flag('numeric-ids', 'Owners and groups by number, not by name.', 'numeric_ids'),
            self::flag('update', 'Leave files alone that are newer on the server.', 'update'),
            self::repeated('chmod', 'Permissions on the servers that differ from those here, in rsync\'s --chmod syntax: D2775,F664 or'
                . ' go-w,+X.', 'CHANGES'),
            self::repeated('link-dest', 'A directory on the servers, absolute or relative to the server\'s root. What is missing in the destination and'
                . ' equal there, under the same path, becomes a hard link to it.', 'DIRECTORY', 'link_dest'),
            self::flag('hard-links', 'Names of one file stay names of one file.', 'hard_links'),
            new Option('bwlimit', OptionKind::Number, 'Send at most so many KiB a second, to all servers together. Default: 0, no limit.',
                'KIB', 'bwlimit'),
            new Option('compress', OptionKind::Text, 'auto, none, zstd, lz4 or zlib. auto is the first of zstd, lz4 and zlib that a server has. Files that are'
                . ' compressed by their suffix are not compressed again. Default: auto.', 'HOW', 'compress'),
        ];
    }

    private static function flag(string $name, string $help, string $key, bool $given = true): Option
    {
        return new Option($name, OptionKind::Flag, $help . ' Default: off.', '', $key, $given);
    }

    private static function repeated(string $name, string $help, string $value = 'PATTERN', ?string $key = null): Option
    {
        return new Option($name, OptionKind::Repeated, $help . ' May be repeated.', $value, $key ?? $name);
    }
}
