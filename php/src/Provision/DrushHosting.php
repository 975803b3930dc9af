<?php

namespace Aegir\Scale\Provision;

/** Reads Drush's aliases, which Provision keeps in ~/.drush. */
final class DrushHosting implements Hosting
{
    /** @var array<string, array<string, mixed>>|null */
    private ?array $records = null;

    public function groupsOf(string $server): array
    {
        $groups = [];
        foreach ($this->records('server') as $alias => $record) {
            foreach (['cluster_web_servers', 'master_web_servers', 'slave_web_servers'] as $list) {
                if (in_array($server, self::names($record[$list] ?? []), true)) {
                    $groups[] = $alias;
                    break;
                }
            }
        }

        return $groups;
    }

    public function platforms(string $webServer): array
    {
        $here = array_filter($this->records('platform'), static fn (array $r): bool => self::name($r['web_server'] ?? '') === $webServer);

        return array_map(static fn (array $r): string => (string) ($r['root'] ?? ''), $here);
    }

    public function sites(string $platform): array
    {
        $root = (string) ($this->records('platform')[$platform]['root'] ?? '');
        $sites = [];
        foreach ($this->records('site') as $alias => $record) {
            if (self::name($record['platform'] ?? '') === $platform && ($record['uri'] ?? '') !== '') {
                $sites[$alias] = "$root/sites/" . $record['uri'];
            }
        }

        // A site may have several aliases; one will do.
        return array_unique($sites);
    }

    public function webServers(): array
    {
        return array_values(array_unique(array_map(static fn (array $r): string => self::name($r['web_server'] ?? ''), $this->records('platform'))));
    }

    public function invoke(string $alias, string $command, array $arguments = []): bool
    {
        $result = provision_backend_invoke($alias, $command, $arguments);

        return is_array($result) && (int) ($result['error_status'] ?? 1) === 0;
    }

    /** @return array<string, array<string, mixed>> by alias, with "@" */
    private function records(string $type): array
    {
        if ($this->records === null) {
            $this->records = [];
            drush_sitealias_load_all();
            foreach (drush_get_context('site-aliases', []) as $name => $record) {
                if (is_array($record) && isset($record['context_type'])) {
                    $this->records[self::name($name)] = $record;
                }
            }
            ksort($this->records);
        }

        return array_filter($this->records, static fn (array $r): bool => $r['context_type'] === $type);
    }

    /** @return list<string> */
    private static function names(array|string $list): array
    {
        return array_map(self::name(...), array_values(array_filter(is_array($list) ? $list : explode(',', $list), is_string(...))));
    }

    private static function name(string $name): string
    {
        return '@' . ltrim(trim($name), '@');
    }
}
