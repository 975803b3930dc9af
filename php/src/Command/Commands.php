<?php

namespace Aegir\Scale\Command;

final class Commands
{
    /** @return list<Command> */
    public static function all(Engine $engine = new Engine()): array
    {
        return [
            new SyncCommand($engine),
            new FetchCommand($engine),
            new RunCommand($engine),
            new StatusCommand($engine),
            new CheckCommand($engine),
            new ReleaseListCommand($engine),
            new ReleaseSwitchCommand($engine),
            new ReleasePruneCommand($engine),
            new TopologyCheckCommand($engine),
        ];
    }

    public static function named(string $name, Engine $engine = new Engine()): Command
    {
        foreach (self::all($engine) as $command) {
            if ($command->name() === $name) {
                return $command;
            }
        }
        throw new UsageException("there is no command \"$name\"");
    }
}
