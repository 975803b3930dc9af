<?php

namespace Aegir\Scale\Provision;

use Aegir\Scale\Report\Text;
use Psr\Log\LoggerInterface;

/** The Drush and the Provision that this process is. */
final class DrushAegir implements Aegir
{
    /** @var array<string, bool> by host: the resolver is asked once */
    private array $isLocal = [];

    /** @var array<string, true> */
    private array $complaints = [];

    /** @var array<string, Server|null> by alias: each push asks for all of them */
    private array $servers = [];

    /** @var array<string, Group|null> */
    private array $groups = [];

    /** Reads the topology file once. */
    private ?Fleet $fleet = null;

    public function log(string $message, string $type = 'info'): void
    {
        drush_log($message, $type);
    }

    public function fail(string $code, string $message): void
    {
        drush_set_error($code, $message);
    }

    public function option(string $name, mixed $default = null): mixed
    {
        return drush_get_option($name, $default);
    }

    public function output(array $lines): void
    {
        _drush_shell_exec_output_set($lines);
    }

    public function watch(callable $flush): void
    {
        $logger = drush_get_context('DRUSH_LOG_CALLBACK', null);
        if ($logger instanceof SubprocessLogger || $logger instanceof SubprocessCallback || !$logger) {
            return;
        }
        drush_set_context(
            'DRUSH_LOG_CALLBACK',
            $logger instanceof LoggerInterface ? new SubprocessLogger($logger, $flush) : new SubprocessCallback($logger, $flush),
        );
    }

    public function isSimulated(): bool
    {
        return (bool) drush_get_context('DRUSH_SIMULATE', false);
    }

    public function root(): string
    {
        return rtrim((string) d('@server_master')->aegir_root, '/');
    }

    public function server(string $alias): ?Server
    {
        return array_key_exists($alias, $this->servers) ? $this->servers[$alias] : $this->servers[$alias] = $this->readServer($alias);
    }

    public function group(string $alias): ?Group
    {
        return array_key_exists($alias, $this->groups) ? $this->groups[$alias] : $this->groups[$alias] = $this->readGroup($alias);
    }

    public function currentGroup(): ?Group
    {
        $web = $this->currentWebServer();

        return $web === null ? null : $this->group($web->name);
    }

    public function sitePath(): ?string
    {
        $context = $this->context(null);

        return $context !== null && $context->type === 'site' ? rtrim((string) $context->site_path, '/') : null;
    }

    public function platformRoot(): ?string
    {
        $context = $this->context(null);

        return $context !== null && in_array($context->type, ['site', 'platform'], true) && $context->root ? rtrim((string) $context->root, '/') : null;
    }

    public function siteIsPlatform(): bool
    {
        return $this->context(null) instanceof \Provision_Context_site && is_subclass_of('Provision_Context_site', 'Provision_Context_platform');
    }

    public function platformRoots(): array
    {
        $roots = [$this->platformRoot()];
        foreach (glob(drush_server_home() . '/.drush/*.alias.drushrc.php') ?: [] as $file) {
            foreach (self::aliases($file) as $options) {
                if (($options['context_type'] ?? null) === 'platform') {
                    array_push($roots, $options['root'] ?? null, $options['git_root'] ?? null);
                }
            }
        }
        $roots = array_filter($roots, static fn (mixed $root): bool => is_string($root) && str_starts_with($root, '/'));

        return array_values(array_unique(array_map(static fn (string $root): string => rtrim($root, '/'), $roots)));
    }

    private function readServer(string $alias): ?Server
    {
        $context = $this->context($alias);
        if ($context === null || $context->type !== 'server') {
            return null;
        }
        $restart = (string) $context->http_restart_cmd;
        $test = (string) $context->scale_test_cmd;

        return new Server(
            $context->name,
            (string) $context->remote_host,
            (string) $context->script_user,
            $restart,
            in_array($test, ['none', 'off', 'true'], true) ? '' : ($test !== '' ? $test : ConfigTest::of($restart)),
            $this->isLocalHost((string) $context->remote_host),
            self::isOff($context) || self::isOff($this->currentWebServer()),
        );
    }

    private function readGroup(string $alias): ?Group
    {
        $context = $this->context($alias);
        if ($context === null || $context->type !== 'server') {
            return null;
        }
        $type = $context->http_service_type;
        $policy = $this->choice($context, 'scale_policy', Policy::class) ?? Policy::All;
        if ($type !== 'cluster' && $type !== 'pack') {
            $server = $this->server($alias);
            return $server === null || $server->isLocal ? null
                : new Group($context->name, false, [$server], [], $policy, Uploads::Protect, '', self::isOff($context));
        }
        $this->fleet ??= new Fleet($this);

        return new Group(
            $context->name,
            $type === 'pack',
            $this->remote($type === 'pack' ? $context->master_web_servers : $context->cluster_web_servers),
            $type === 'pack' ? $this->remote($context->slave_web_servers) : [],
            $policy,
            $this->choice($context, 'scale_uploads', Uploads::class) ?? $this->fleet->uploads($alias) ?? ($type === 'pack' ? Uploads::Protect : Uploads::Gather),
            rtrim((string) ($context->scale_shared ?: $this->fleet->shared($alias)), '/'),
            self::isOff($context),
        );
    }

    /** The server that the command's site or platform is served by, or that it is about. */
    private function currentWebServer(): ?object
    {
        $context = $this->context(null);
        $web = match ($context?->type) {
            // DevShop's sites are platforms of their own.
            'site' => is_object($context->platform) ? $context->platform->web_server : $context->web_server,
            'platform' => $context->web_server,
            'server' => $context,
            default => null,
        };

        return is_string($web) ? $this->context($web) : (is_object($web) ? $web : null);
    }

    /** d() complains and gives no object while Drush starts, or when there is no such alias. */
    private function context(?string $alias): ?object
    {
        if (drush_get_context('DRUSH_BOOTSTRAP_PHASE') == DRUSH_BOOTSTRAP_NONE) {
            return null;
        }
        $context = d($alias);

        return is_object($context) ? $context : null;
    }

    /**
     * @param mixed $aliases
     * @return list<Server>
     */
    private function remote(mixed $aliases): array
    {
        $servers = array_map($this->server(...), array_values(array_filter((array) $aliases, static fn (mixed $a): bool => is_string($a) && $a !== '')));

        return array_values(array_filter($servers, static fn (?Server $server): bool => $server !== null && !$server->isLocal));
    }

    private function isLocalHost(string $host): bool
    {
        return $this->isLocal[$host] ??= provision_is_local_host($host);
    }

    /**
     * @template T of \BackedEnum
     * @param class-string<T> $enum
     * @return T|null
     */
    private function choice(object $context, string $option, string $enum): ?\BackedEnum
    {
        $value = (string) $context->$option;
        $choice = $enum::tryFrom($value);
        if ($value !== '' && $choice === null && !isset($this->complaints["$context->name $option"])) {
            $this->complaints["$context->name $option"] = true;
            $known = implode(', ', array_column($enum::cases(), 'value'));
            $this->log(Text::clean("$context->name: the option $option is \"$value\", want one of $known"), 'warning');
        }

        return $choice;
    }

    private static function isOff(?object $context): bool
    {
        return $context !== null && in_array($context->scale, ['off', 'no', '0', 0, false], true);
    }

    /** @return array<string, array<string, mixed>> */
    private static function aliases(string $file): array
    {
        $aliases = [];
        include $file;

        return $aliases;
    }
}
