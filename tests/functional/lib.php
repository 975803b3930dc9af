<?php

/**
 * What the functional tests share. A test is
 *
 *   test('a file that is gone from the source goes from the servers', function () {
 *       source(['a' => '1', 'b' => '2']);
 *       push();
 *       ...
 *       equal_to_source();
 *   });
 *
 * and prints one line, "ok NAME", "not ok NAME - why" or "skip NAME - why". Every test begins with an empty hub and empty servers, all of
 * them up, and no connections. tests/functional/run.sh calls the files.
 */

use Aegir\Scale\Outcome;
use Aegir\Scale\Progress;
use Aegir\Scale\ServerResult;
use Aegir\Scale\StatusReport;
use Aegir\Scale\SyncReport;
use Aegir\Scale\Topology;

final class Failure extends Exception
{
}

final class Skip extends Exception
{
}

set_error_handler(function (int $level, string $message, string $file, int $line): bool {
    if (!(error_reporting() & $level)) {
        return false;
    }
    throw new ErrorException($message, 0, $level, $file, $line);
});

const SEED = 20241123;
define('FLEET', getenv('FLEET_DIR') ?: exit("call this by tests/functional/run.sh\n"));
define('NAMESPACES', getenv('FLEET_MODE') === 'namespaces');
define('HUB', NAMESPACES ? '/var/aegir' : FLEET . '/hub');
define('PLATFORMS', HUB . '/platforms');
define('SOURCE', PLATFORMS . '/shop');
define('NAMES', preg_split('/\s+/', trim(shell_exec('bash ' . escapeshellarg(dirname(__DIR__) . '/lib/fleet.sh') . ' names'))));

$failed = 0;

// --- tests -----------------------------------------------------------------------------------------------------------

function test(string $name, callable $body): void
{
    global $argv, $failed;
    if (isset($argv[1]) && !str_contains($name, $argv[1])) {
        return;
    }
    $begun = microtime(true);
    $status = 'ok';
    $why = '';
    try {
        clean();
        $body();
    } catch (Skip $e) {
        [$status, $why] = ['skip', $e->getMessage()];
    } catch (Throwable $e) {
        [$status, $why] = ['not ok', describe($e)];
        $failed++;
    }
    printf("%s %s%s\n", $status, $name, $why === '' ? '' : ' - ' . str_replace("\n", ' | ', $why));
    if (microtime(true) - $begun > 20) {
        printf("# that took %.0f s\n", microtime(true) - $begun);
    }
}

function describe(Throwable $e): string
{
    $at = $e;
    $line = $at->getLine();
    foreach ($e->getTrace() as $frame) {
        if (isset($frame['file']) && basename($frame['file']) !== 'lib.php') {
            $line = basename($e->getFile()) === 'lib.php' ? $frame['line'] : $line;
            break;
        }
    }
    return ($e instanceof Failure ? '' : get_class($e) . ': ') . $e->getMessage() . " (line $line)";
}

function finish(): never
{
    global $failed;
    clean();
    echo "# end\n";
    exit($failed > 0 ? 1 : 0);
}

function check(bool $claim, string $otherwise): void
{
    $claim || throw new Failure($otherwise);
}

function same(mixed $got, mixed $want, string $what): void
{
    check($got === $want, "$what is " . show($got) . ', want ' . show($want));
}

function show(mixed $value): string
{
    if ($value instanceof UnitEnum) {
        return $value->name;
    }
    $text = is_string($value) ? "\"$value\"" : json_encode($value, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES);
    return strlen($text) > 400 ? substr($text, 0, 400) . '…' : $text;
}

/** The exception that $body throws. */
function thrown(string $class, callable $body): Throwable
{
    try {
        $body();
    } catch (Throwable $e) {
        check($e instanceof $class, 'got ' . get_class($e) . " ({$e->getMessage()}), want $class");
        return $e;
    }
    throw new Failure("nothing was thrown, want $class");
}

function needs_namespaces(): void
{
    NAMESPACES || throw new Skip('needs namespaces, which are not permitted here');
}

// --- the fleet -------------------------------------------------------------------------------------------------------

/** A function of tests/lib/fleet.sh; its output. What is done to a server is undone before the next test. */
function fleet(string ...$words): string
{
    if (in_array($words[0], ['kill', 'crash', 'freeze', 'link', 'keys'], true)) {
        Touched::$servers[$words[1]] = true;
    }
    return run_fleet(...$words);
}

function run_fleet(string ...$words): string
{
    return run_here('bash', dirname(__DIR__) . '/lib/fleet.sh', ...$words);
}

/** A shell line on a server, not over ssh. */
function on(string $server, string $line): string
{
    return fleet('exec', $server, 'bash', '-c', $line);
}

/** A command's output; no shell reads its words. */
function run_here(string ...$argv): string
{
    $out = tmpfile();
    $process = proc_open($argv, [['file', '/dev/null', 'r'], $out, $out], $pipes);
    $status = proc_close($process);
    rewind($out);
    $text = rtrim(stream_get_contents($out), "\n");
    check($status === 0, implode(' ', $argv) . " gave $status: $text");
    return $text;
}

/** A command beside the test; it is ended with the test. */
function background(string ...$argv): void
{
    Touched::$processes[] = proc_open($argv, array_fill(0, 3, ['file', '/dev/null', 'r+']), $pipes);
}

/** What the test has done to servers, to be undone before the next one. */
final class Touched
{
    /** Servers whose processes or cables are not as they were. */
    public static array $servers = [];
    /** Server and shell line, last in first out. */
    public static array $undo = [];
    public static array $processes = [];
}

function afterwards(string $server, string $line): void
{
    array_unshift(Touched::$undo, [$server, $line]);
}

function clean(): void
{
    foreach (Touched::$processes as $process) {
        proc_terminate($process, SIGKILL);
        proc_close($process);
    }
    Touched::$processes = [];
    Aegir\Scale\pool_close();
    foreach (Touched::$undo as [$server, $line]) {
        run_fleet('exec', $server, 'bash', '-c', $line);
    }
    foreach (Touched::$servers as $name => $_) {
        if (NAMESPACES) {
            run_fleet('link', $name, 'up');
        }
        run_fleet('kill', $name);
        run_fleet('revive', $name);
    }
    Touched::$undo = [];
    Touched::$servers = [];
    foreach (NAMES as $name) {
        run_here('find', server_path($name, HUB), '-mindepth', '1', '-delete');
    }
    if (is_dir(HUB)) {
        run_here('find', HUB, '-mindepth', '1', '-delete');
    }
    @mkdir(PLATFORMS, 0755, true);
    touch(PLATFORMS, 1600000000);
}

/** Where a server keeps what the hub calls $path. */
function server_path(string $server, string $path): string
{
    clearstatcache();
    $path = NAMESPACES ? FLEET . "/servers/$server/aegir" . substr($path, strlen('/var/aegir')) : FLEET . "/servers/$server/root$path";
    if ($path === server_path_base($server) && !is_dir($path)) {
        mkdir($path, 0755, true);
    }
    return $path;
}

function server_path_base(string $server): string
{
    return NAMESPACES ? FLEET . "/servers/$server/aegir" : FLEET . "/servers/$server/root" . HUB;
}

/** The topology of the fleet; $change gets the array. */
function topology(?callable $change = null): Topology
{
    fleet('topology', FLEET . '/topology.yml');
    $t = Topology::fromFile(FLEET . '/topology.yml');
    if ($change === null) {
        return $t;
    }
    $spec = $t->toArray();
    $change($spec);
    return Topology::fromArray($spec);
}

// --- trees -----------------------------------------------------------------------------------------------------------

/**
 * Makes files: 'a/b' => content, 'dir/' => null, 'link' => ['->', target]. Parents are made, what is there is replaced.
 * Files get a new time at each call, as rsync compares whole seconds.
 */
function tree(string $at, array $entries): void
{
    if (!is_dir($at)) {
        mkdir($at, 0755, true);
    }
    static $clock = 1600000000;
    $clock += 10;
    foreach ($entries as $name => $content) {
        $path = "$at/" . rtrim((string) $name, '/');
        if (!is_dir(dirname($path))) {
            mkdir(dirname($path), 0755, true);
        }
        if (is_link($path) || (is_file($path) && !is_string($content))) {
            unlink($path);
        }
        match (true) {
            $content === null => is_dir($path) || mkdir($path, 0755),
            is_array($content) => symlink($content[1], $path),
            default => file_put_contents($path, $content) === false || touch($path, $clock),
        };
    }
}

function source(array $entries): void
{
    tree(SOURCE, $entries);
}

/** Bytes that do not compress, the same for the same seed. */
function noise(int $length, int $seed = SEED): string
{
    $bytes = '';
    for ($i = 0; strlen($bytes) < $length; $i++) {
        $bytes .= hash('sha512', "$seed/$i", true);
    }
    return substr($bytes, 0, $length);
}

/** Text that does compress. */
function prose(int $length, int $seed = SEED): string
{
    mt_srand($seed);
    $words = ['function', 'return', 'array', '$node', '=>', 'Drupal', '(', ')', "\n", ';', 'foreach', 'entity', 'cache', '{', '}'];
    $text = '';
    while (strlen($text) < $length) {
        $text .= $words[mt_rand(0, count($words) - 1)] . ' ';
    }
    return substr($text, 0, $length);
}

/** A small site, with a bit of everything. */
function small_site(): array
{
    return [
        'index.php' => "<?php echo 1;\n",
        'core/lib/a.php' => prose(3000, 1),
        'core/lib/b.php' => prose(70000, 2),
        'core/misc/logo.png' => noise(20000, 3),
        'core/empty' => '',
        'modules/' => null,
        'sites/default/settings.php' => "<?php \$x = 1;\n",
        'current' => ['->', 'core/lib'],
    ];
}

// --- pushing and comparing -------------------------------------------------------------------------------------------

function push(array $options = [], ?callable $progress = null, array|string $paths = SOURCE, ?Topology $t = null, string $group = 'live'): SyncReport
{
    return Aegir\Scale\cluster_sync($t ?? topology(), $group, $paths, $options, $progress);
}

function status(array $options = [], array|string $paths = SOURCE): StatusReport
{
    return Aegir\Scale\cluster_status(topology(), 'live', $paths, $options);
}

/** A push that must work on every server. */
function pushed(array $options = [], array|string $paths = SOURCE): SyncReport
{
    $report = push($options, null, $paths);
    went_well($report);
    return $report;
}

function went_well(SyncReport $report): void
{
    foreach ($report->servers as $name => $result) {
        check(in_array($result->outcome, [Outcome::Synced, Outcome::Unchanged], true),
            "$name is {$result->outcome->value} in phase {$result->phase->value}: {$result->error}");
    }
    check($report->ok, 'the report is not ok although every server is');
    same(array_keys($report->servers), NAMES, 'the list of servers');
}

function outcome(SyncReport|StatusReport $report, string $server, Outcome $want): ServerResult
{
    $result = $report->servers[$server];
    check($result->outcome === $want, "$server is {$result->outcome->value} in phase {$result->phase->value}"
        . ($result->error === null ? '' : " ({$result->error})") . ", want {$want->value}");
    $wants_error = ['failed' => true, 'staged' => $result->error !== null, 'skipped' => $result->error !== null][$want->value] ?? false;
    check(($result->error !== null) === $wants_error, "$server is {$result->outcome->value} with error " . show($result->error));
    return $result;
}

/** What stock rsync would still change on a server. */
function differences(string $server, array $options = [], array|string $paths = SOURCE, bool $content = true, bool $relative = true): string
{
    // The parents of a pushed path are made when they are missing and left as they are otherwise.
    $argv = ['rsync', $server, '-n', ...($relative ? ['-aR', '--no-implied-dirs'] : ['-a']), '--delete', '--itemize-changes', ...($content ? ['-c'] : []), ...$options, ...(array) $paths];
    // Of a directory that holds what the filters keep, rsync only says so.
    return implode("\n", preg_grep('/^cannot delete non-empty directory: /', explode("\n", fleet(...$argv)), PREG_GREP_INVERT));
}

/** Says no when stock rsync finds anything to do on a server. */
function equal_to_source(array $options = [], array|string $paths = SOURCE, ?array $servers = null, bool $content = true, bool $relative = true): void
{
    foreach ($servers ?? NAMES as $server) {
        $left = differences($server, $options, $paths, $content, $relative);
        check($left === '', "rsync would still change on $server: " . substr($left, 0, 600));
        foreach ((array) $paths as $path) {
            $staged = is_dir($path) && $relative && NAMESPACES ? run_here('find', server_path($server, $path), '-name', '.~tmp~') : '';
            check($staged === '', "staged files are left on $server: $staged");
        }
    }
}

/** Every name, type, mode, owner, time and content below $path, to compare before and after. */
function snapshot(string $path): string
{
    if (!file_exists($path)) {
        return '(nothing)';
    }
    $list = run_here('bash', '-c', 'cd "$1" && find . -name ".~tmp~" -prune -o -printf "%P %y %m %U %G %T@ %s %l\n" | sort; '
        . 'find . -name ".~tmp~" -prune -o -type f -print0 | sort -z | xargs -0r md5sum', '-', $path);
    return $list;
}

/** Regular files and their content alone: what the barrier holds back. */
function contents(string $path): string
{
    if (!file_exists($path)) {
        return '(nothing)';
    }
    return run_here('bash', '-c', 'cd "$1" && find . -name ".~tmp~" -prune -o -type f -print0 | sort -z | xargs -0r md5sum', '-', $path);
}

/** Calls $act once, when $server comes to $phase or past it. */
function at_phase(string $server, Aegir\Scale\Phase $phase, callable $act, ?bool &$done = null): callable
{
    $done = false;
    $order = array_flip(array_map(fn ($p) => $p->value, Aegir\Scale\Phase::cases()));
    return function (Progress $p) use ($server, $phase, $act, &$done, $order) {
        if (!$done && $p->server === $server && $order[$p->phase->value] >= $order[$phase->value]) {
            $done = true;
            return $act($p);
        }
    };
}

/** Waits until $claim holds. */
function eventually(callable $claim, string|Closure $otherwise, float $seconds = 10): void
{
    for ($until = microtime(true) + $seconds; microtime(true) < $until; usleep(50000)) {
        if ($claim()) {
            return;
        }
    }
    throw new Failure(is_string($otherwise) ? $otherwise : $otherwise());
}
