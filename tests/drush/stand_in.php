<?php

/**
 * As much of Drush 8 as our command file asks of it: php stand_in.php scale-sync GROUP PATH --option=value
 *
 * STAND_IN is JSON: "specific" and "stdin" are options that were not typed, "drushrc" what the configuration file says, "contexts" are
 * Drush's, as {"DRUSH_BACKEND": true}. Log lines go to standard error as "[type] text".
 */

const DRUSH_BOOTSTRAP_NONE = -1;
const DRUSH_BOOTSTRAP_DRUSH = 0;

$given = json_decode(getenv('STAND_IN') ?: '{}', true, 16, JSON_THROW_ON_ERROR);
$contexts = ($given['contexts'] ?? []) + [
    'argv' => ['drush', ...array_slice($argv, 1)],
    'stdin' => $given['stdin'] ?? [],
    'specific' => $given['specific'] ?? [],
    'cli' => [],
    'drushrc' => $given['drushrc'] ?? [],
    'DRUSH_EXIT_CODE' => 0,
];
$isError = false;

function drush_get_context(string $name, mixed $default = null): mixed
{
    return $GLOBALS['contexts'][$name] ?? $default;
}

function drush_set_context(string $name, mixed $value): void
{
    $GLOBALS['contexts'][$name] = $value;
}

function drush_get_option(string $name, mixed $default = null, ?string $context = null): mixed
{
    foreach ($context === null ? ['stdin', 'specific', 'cli', 'drushrc'] : [$context] as $place) {
        $options = drush_get_context($place, []);
        if (array_key_exists("no-$name", $options)) {
            return false;
        }
        if (array_key_exists($name, $options)) {
            return $options[$name];
        }
    }

    return $default;
}

function drush_unset_option(string $name, string $context): void
{
    unset($GLOBALS['contexts'][$context][$name]);
}

function drush_print(string $message = '', int $indent = 0, mixed $handle = null): void
{
    fwrite($handle ?? STDOUT, str_repeat(' ', $indent) . $message . "\n");
}

function drush_log(string $message, string $type = 'notice'): void
{
    fwrite(STDERR, "[$type] $message\n");
}

function drush_set_error(string $error, string $message = ''): bool
{
    $GLOBALS['isError'] = true;
    drush_log($message, 'error');

    return false;
}

function drush_get_global_options(): array
{
    return ['nocolor' => [], 'verbose' => ['short-form' => 'v'], 'include' => ['short-form' => 'i'], 'simulate' => ['short-form' => 's']];
}

function dt(string $text): string
{
    return $text;
}

set_error_handler(function (int $level, string $message, string $file, int $line): bool {
    throw new ErrorException($message, 0, $level, $file, $line);
});

require dirname(__DIR__, 2) . '/php/drush/aegir_scale.drush.inc';

$name = $argv[1];
if (preg_grep('/^(--help|-h)$/', $argv)) {
    $contexts['cli']['help'] = true;
}
$command = aegir_scale_drush_command()[$name];
if (drush_get_option('help')) {
    echo aegir_scale_drush_help("drush:$name"), "\n", json_encode($command), "\n";
    exit(0);
}
$words = [];
foreach (array_slice($argv, 2) as $word) {
    if (!str_starts_with($word, '-')) {
        $words[] = $word;
        continue;
    }
    [$option, $value] = explode('=', ltrim($word, '-'), 2) + [1 => true];
    if (empty($command['strict-option-handling'])) {
        $contexts['cli'][$option] = $value;
    }
}
$command['callback'](...$command['callback arguments'], ...$words);
foreach (get_declared_classes() as $class) {
    if (preg_match('/^(Symfony|Composer|Aegir\\\\Scale\\\\Console)\\\\/', $class)) {
        fwrite(STDERR, "$class was loaded\n");
        exit(99);
    }
}
exit($contexts['DRUSH_EXIT_CODE'] ?: (int) $isError);
