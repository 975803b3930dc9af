<?php

/**
 * As much of Drush 8 and Provision 7.x-3.x as our classes ask of them: servers by name in $GLOBALS['contexts'], what was called in
 * $GLOBALS['called'].
 */

foreach (['contexts' => [], 'called' => [], 'options' => [], 'command' => 'provision-verify', 'logged' => []] as $name => $value) {
    $GLOBALS[$name] = $value;
}

function d(mixed $name = null): mixed
{
    return is_object($name) ? $name : $GLOBALS['contexts'][$name ?? '@self'] ?? null;
}

function drush_log(string $message, string $type = 'notice'): void
{
    $GLOBALS['logged'][] = [$type, $message];
}

function drush_set_error(string $code, string $message = ''): bool
{
    $GLOBALS['logged'][] = ['error', "$code: $message"];

    return false;
}

function drush_get_command(): array
{
    return ['command' => $GLOBALS['command']];
}

function drush_get_option(string $name, mixed $default = null): mixed
{
    return $GLOBALS['options'][$name] ?? $default;
}

function drush_command_invoke_all(string $hook): array
{
    return $hook === 'provision_services' ? ['http' => null, 'file' => 'local', 'db' => null] : [];
}

function drush_command_invoke_all_ref(string $hook, mixed &$value): void
{
    $value .= '_altered';
}

function drush_shell_exec(string $command, string ...$arguments): bool
{
    $GLOBALS['called'][] = vsprintf($command, array_map(escapeshellarg(...), $arguments));

    return true;
}

function drush_shell_exec_output(): array
{
    return [];
}

function drush_core_call_rsync(string $from, string $to, array $options, bool $conf, bool $live): bool
{
    $GLOBALS['called'][] = "rsync $from $to " . implode(' ', array_keys($options));

    return true;
}

function provision_is_local_host(string $host): bool
{
    return $host === 'localhost';
}

function provision_current_user(): string
{
    return 'aegir';
}

function provision_file(): object
{
    return new class {
        private bool $status = false;

        public function exists(string $path): self
        {
            $this->status = file_exists($path);

            return $this;
        }

        public function status(): bool
        {
            return $this->status;
        }
    };
}

/** Properties that are written into the alias, and the options that they come from. */
class Provision_Context
{
    public $type = null;
    /** @var array<string, mixed> */
    public array $properties = [];
    /** @var array<string, mixed> */
    public array $options = [];

    public function __construct(public string $name)
    {
    }

    public function __get(string $name): mixed
    {
        return $this->properties[$name] ?? $this->options[$name] ?? null;
    }

    public function __set(string $name, mixed $value): void
    {
        $this->properties[$name] = $value;
    }

    public function setProperty(string $name, mixed $default = null, bool $isList = false): void
    {
        $value = $this->options[$name] ?? $default;
        $this->properties[$name] = $isList && is_string($value) ? explode(',', $value) : $value;
    }

    public function type_invoke(string $name): void
    {
        $GLOBALS['called'][] = "$this->name $name";
    }
}

class Provision_Service
{
    public mixed $server;
    public mixed $context = null;

    public function __construct(mixed $server)
    {
        $this->server = d($server) ?? $server;
    }

    public function setContext(mixed $context): void
    {
        $this->context = d($context) ?? $context;
    }

    public function succeed(string $text): self
    {
        return $this;
    }

    public function fail(string $text, ?string $code = null): self
    {
        return $this;
    }
}

class Provision_Service_null extends Provision_Service
{
}

class Provision_Service_http extends Provision_Service
{
}

class Provision_Service_file_local extends Provision_Service
{
}

class Provision_Service_db_mysql extends Provision_Service
{
}

/** A server's own web service: remembers what it was asked, and answers what it is told to. */
class Provision_Service_http_apache extends Provision_Service_http
{
    public static array $answers = [];

    public function __call(string $method, array $arguments): mixed
    {
        $GLOBALS['called'][] = "{$this->server->name} $method";

        return self::$answers["{$this->server->name} $method"] ?? null;
    }

    public function sync(?string $path = null, array $options = []): mixed
    {
        return $this->server->sync($path, $options);
    }

    public function restart(): bool
    {
        return $this->server->shell_exec($this->server->http_restart_cmd);
    }

    public function parse_configs(): bool
    {
        return $this->restart();
    }
}

spl_autoload_register(static function (string $class): void {
    $ours = ['Provision_Context_server' => 'context_server', 'Provision_Service_http_cluster' => 'http_cluster', 'Provision_Service_http_pack' => 'http_pack'];
    if (isset($ours[$class])) {
        require dirname(__DIR__, 2) . "/php/drush/classes/$ours[$class].php";
    }
});

/** A server as provision-verify finds it. */
function stand_in_server(string $name, array $options): Provision_Context_server
{
    $server = $GLOBALS['contexts'][$name] = new Provision_Context_server($name);
    $server->options = $options;
    $server->init_server();

    return $server;
}
