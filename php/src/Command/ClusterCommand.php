<?php

namespace Aegir\Scale\Command;

use Aegir\Scale\CancelledException;
use Aegir\Scale\Report\Text;

/** A command that works on the servers of a group: one call of the extension, one report. */
abstract class ClusterCommand extends Command
{
    /** @param callable $progress for the extension */
    abstract protected function call(object $topology, Input $input, callable $progress): \JsonSerializable;

    /**
     * The report for people, but for the servers that are not well.
     *
     * @param array<string, mixed> $report in its JSON form
     */
    abstract protected function show(array $report, Input $input, Output $output): void;

    /**
     * The servers that are not well, a line each.
     *
     * @param array<string, mixed> $report
     * @return list<string>
     */
    abstract protected function bad(array $report): array;

    /**
     * What is not well, in one sentence.
     *
     * @param array<string, mixed> $report
     */
    abstract protected function failure(array $report): string;

    protected function perform(Input $input, Output $output): int
    {
        $isJson = $this->wantsJson($input);
        $topology = $this->engine->topology($input->option('topology', self::defaultTopology()));
        $progress = $output->progress();
        $interrupt = new Interrupt();
        $tell = static function (object $p) use ($progress, $interrupt): bool {
            $progress->update($p->server, $p->phase->value, $p->filesDone, $p->filesTotal, $p->bytesDone, $p->bytesTotal);
            if ($interrupt->signal() === 0) {
                return true;
            }
            $interrupt->isHeard();

            return false;
        };
        try {
            $report = $interrupt->during(fn () => $this->call($topology, $input, $tell));
        } catch (CancelledException $e) {
            $progress->end();
            return $this->cancelled($e, $interrupt->signal(), $isJson, $input, $output);
        } finally {
            $progress->end();
        }
        $this->deliver($report, $isJson, $input, $output);
        $plain = $report->jsonSerialize();
        if ($plain['ok']) {
            return ExitStatus::OK;
        }
        $output->fail($this->failure($plain));

        return ExitStatus::BAD;
    }

    private function deliver(\JsonSerializable $report, bool $isJson, Input $input, Output $output): void
    {
        $plain = $report->jsonSerialize();
        if ($isJson) {
            $output->line(Text::json($report));
        } elseif (!$output->isQuiet() || !$plain['ok']) {
            $this->show($plain, $input, $output);
        }
        foreach ($this->bad($plain) as $line) {
            $isJson ? $output->note($line) : $output->bad($line);
        }
        if ($input->isVerbose) {
            $this->showSessions($output);
        }
    }

    private function cancelled(CancelledException $e, int $signal, bool $isJson, Input $input, Output $output): int
    {
        if ($e->report !== null) {
            $this->deliver($e->report, $isJson, $input, $output);
            $output->fail('cancelled: ' . $this->failure($e->report->jsonSerialize()));
        } else {
            $output->fail('cancelled: ' . Text::clean($e->getMessage()));
        }

        return $signal === 0 ? ExitStatus::BAD : ExitStatus::SIGNAL + $signal;
    }

    private function showSessions(Output $output): void
    {
        foreach ($this->engine->sessions() as $s) {
            $output->note(Text::clean("{$s['server']}: {$s['user']}@{$s['host']} port {$s['port']}, {$s['transport']}"
                . ($s['reason'] === '' ? '' : " ({$s['reason']})")
                . ($s['host_key'] === '' ? '' : ", host key {$s['host_key']}, {$s['cipher']}")
                . ", {$s['state']}"));
        }
    }
}
