<?php

namespace Aegir\Scale\Provision;

use Aegir\Scale\Report\Text;

/** Which servers are not as they should be in this process, and what that means for the task. */
final class Verdict
{
    /** @var array<string, array{Server, string}> by name */
    private array $bad = [];

    /** @var array<string, string> those nobody could log in to, and why */
    private array $dead = [];

    /** @var array<string, true> those that could not be asked for uploads */
    private array $suspects = [];

    /** @var array<string, true> */
    private array $told = [];

    /** @var array<string, true> groups whose task has failed */
    private array $failed = [];

    public function __construct(private readonly Aegir $aegir)
    {
    }

    public function bad(Server $server, string $why): void
    {
        $this->bad[$server->name()] ??= [$server, $why];
    }

    /** It is not tried again in this process. */
    public function dead(Server $server, string $why): void
    {
        $this->dead[$server->name()] ??= $why;
        $this->bad($server, $why);
    }

    /** It is not tried twice. */
    public function suspect(string $name): void
    {
        $this->suspects[$name] = true;
    }

    public function isSuspect(Server $server): bool
    {
        return isset($this->suspects[$server->name()]);
    }

    /** Why it is not tried again, or null. */
    public function whyDead(Server $server): ?string
    {
        return $this->dead[$server->name()] ?? null;
    }

    /** A line for each server that has become bad since the last time, a summary for its group, and an error where the policy says so. */
    public function tell(): void
    {
        $new = array_diff_key($this->bad, $this->told);
        $this->told = array_fill_keys(array_keys($this->bad), true);
        $groups = [];
        foreach ($new as $name => [$server]) {
            $group = $this->groupOf($server);
            $groups[$group->alias] = $group;
        }
        foreach ($groups as $group) {
            $this->tellOf($group, $new);
        }
    }

    /** @param array<string, array{Server, string}> $new */
    private function tellOf(Group $group, array $new): void
    {
        $all = $group->all();
        $bad = array_values(array_filter($all, fn (Server $server): bool => isset($this->bad[$server->name()])));
        $isMet = $group->policy->isMet(count($all) - count($bad), count($all));
        if (count($all) === 1) {
            $this->tellOfOne($group, "{$bad[0]->alias}: " . $new[$bad[0]->name()][1], $isMet);
            return;
        }
        foreach ($bad as $server) {
            if (isset($new[$server->name()])) {
                $this->aegir->log("$server->alias: " . $new[$server->name()][1], $isMet ? 'warning' : 'error');
            }
        }
        $names = implode(', ', array_map(static fn (Server $server): string => $server->alias, $bad));
        $summary = count($bad) . ' of ' . Text::count(count($all), 'server') . " of $group->alias " . (count($bad) === 1 ? 'is' : 'are')
            . " not up to date: $names. What is missing there is noted, and sent when the server is spoken to again.";
        if ($isMet) {
            $this->aegir->log($summary, 'warning');
        } elseif (!isset($this->failed[$group->alias])) {
            $this->failed[$group->alias] = true;
            $this->aegir->fail('SCALE_PARTIAL', "$summary (scale_policy is {$group->policy->value})");
        }
    }

    private function tellOfOne(Group $group, string $line, bool $isMet): void
    {
        if ($isMet) {
            $this->aegir->log($line, 'warning');
        } else {
            $this->failed[$group->alias] = true;
            $this->aegir->fail('SCALE_PARTIAL', $line);
        }
    }

    private function groupOf(Server $server): Group
    {
        $current = $this->aegir->currentGroup();

        return $current !== null && $current->has($server) ? $current
            : $this->aegir->group($server->alias) ?? new Group($server->alias, false, [$server]);
    }
}
