--TEST--
The shape of the results
--EXTENSIONS--
aegir_scale
--FILE--
<?php
foreach ((new ReflectionExtension('aegir_scale'))->getClasses() as $class) {
    $kind = $class->isEnum() ? 'enum' : ($class->isInterface() ? 'interface' : ($class->isFinal() ? 'final class' : 'class'));
    $parent = $class->getParentClass() ? ' extends ' . $class->getParentClass()->getShortName() : '';
    $json = $class->implementsInterface('JsonSerializable') ? ', JSON' : '';
    echo "$kind ", $class->getShortName(), "$parent$json\n";
    if ($class->isEnum()) {
        echo '  ', implode(' ', array_map(fn ($case) => $case->value, $class->getName()::cases())), "\n";
        continue;
    }
    foreach ($class->getProperties() as $p) {
        if ($p->getDeclaringClass() == $class) {
            echo $p->isReadOnly() ? '  ' : '  WRITABLE ', $p->getName(), ': ', $p->getType(), "\n";
        }
    }
}
?>
--EXPECT--
enum Outcome
  synced unchanged differs staged failed skipped
enum Phase
  connect start list transfer staged commit delete done
interface Report, JSON
class ScaleException extends Exception
  server: ?string
  path: ?string
final class TopologyException extends ScaleException
  problems: array
final class CancelledException extends ScaleException
  report: ?Aegir\Scale\Report
final class Problem, JSON
  file: string
  line: int
  column: int
  where: string
  message: string
final class Topology
final class Progress
  server: string
  phase: Aegir\Scale\Phase
  filesDone: int
  filesTotal: int
  bytesDone: int
  bytesTotal: int
final class Change, JSON
  path: string
  code: string
final class ServerResult, JSON
  server: string
  outcome: Aegir\Scale\Outcome
  phase: Aegir\Scale\Phase
  files: int
  deleted: int
  bytesSent: int
  bytesMatched: int
  seconds: float
  error: ?string
  path: ?string
  changes: array
final class SyncReport, JSON
  ok: bool
  committed: bool
  seconds: float
  files: int
  bytes: int
  servers: array
  warnings: array
final class StatusReport, JSON
  ok: bool
  seconds: float
  files: int
  bytes: int
  servers: array
  warnings: array
final class RunResult, JSON
  server: string
  outcome: Aegir\Scale\Outcome
  exitStatus: ?int
  signal: ?string
  stdout: string
  stderr: string
  truncated: bool
  seconds: float
  error: ?string
final class RunReport, JSON
  ok: bool
  seconds: float
  servers: array
final class ReleaseResult, JSON
  server: string
  outcome: Aegir\Scale\Outcome
  current: ?string
  lastGood: ?string
  releases: array
  good: array
  unfinished: array
  removed: array
  seconds: float
  error: ?string
final class ReleaseReport, JSON
  ok: bool
  seconds: float
  servers: array
