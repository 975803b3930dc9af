<?php

namespace Aegir\Scale\Command;

use Aegir\Scale\Report\Text;
use Aegir\Scale\ScaleException;
use Aegir\Scale\TopologyException;

/** What a command is called, what it takes, and what it does: the same in every front end. */
abstract class Command
{
    public const TOPOLOGY = '/etc/aegir_scale/topology.yml';

    public function __construct(protected readonly Engine $engine = new Engine())
    {
    }

    /** "sync": aegir-scale sync, drush scale-sync. */
    abstract public function name(): string;

    abstract public function summary(): string;

    /**
     * What it does, in paragraphs.
     *
     * @return list<string>
     */
    abstract public function help(): array;

    /** @return list<Argument> */
    abstract public function arguments(): array;

    /** @return list<Option> */
    abstract public function options(): array;

    /** @return array<string, string> what to type after the command's name, and what comes of it */
    abstract public function examples(): array;

    /** @return array<int|string, string> by exit status */
    abstract public function exitStatuses(): array;

    abstract protected function perform(Input $input, Output $output): int;

    /** Never throws for anything that a user can do wrong. Returns the exit status. */
    final public function run(Input $input, Output $output): int
    {
        if (!$this->engine->isLoaded()) {
            $output->fail('the PHP extension aegir_scale is not loaded: add the line "extension=aegir_scale" to php.ini'
                . ' (php --ini says where it is), or call php -d extension=aegir_scale');
            return ExitStatus::USAGE;
        }
        try {
            foreach (array_intersect_key(array_column($this->options(), null, 'name'), $input->options) as $name => $option) {
                $option->read($input->options[$name]);
            }
            return $this->perform($input, $output);
        } catch (TopologyException $e) {
            foreach ($e->problems as $problem) {
                $output->note(Text::clean((string) $problem));
            }
            $output->fail('the topology has ' . Text::count(count($e->problems), 'problem'));
        } catch (UsageException | ScaleException $e) {
            $output->fail(Text::clean($e->getMessage()));
        } catch (\ValueError $e) {
            $output->fail(Text::clean(self::inOurWords($e->getMessage())));
        }

        return ExitStatus::USAGE;
    }

    /** The format that was asked for: is it JSON? */
    protected function wantsJson(Input $input): bool
    {
        return match ($format = $input->option('format', 'table')) {
            'json' => true,
            'table' => false,
            default => throw new UsageException("--format is \"$format\", want table or json"),
        };
    }

    protected static function defaultTopology(): string
    {
        $file = getenv('AEGIR_SCALE_TOPOLOGY');

        return is_string($file) && $file !== '' ? $file : self::TOPOLOGY;
    }

    /** An option as it is typed, not as the extension calls it; the rest of PHP's sentence is no news to a shell. */
    private static function inOurWords(string $message): string
    {
        $message = preg_replace('/^Aegir\\\\Scale\\\\\w+\(\): Argument #\d+ \(\$\w+\) (is wrong: )?/', '', $message);

        return preg_replace_callback(
            '/\boption "?([a-z_]+)"?/',
            static fn (array $m): string => '--' . strtr($m[1], '_', '-'),
            $message,
        );
    }
}
