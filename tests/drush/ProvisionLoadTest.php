<?php

namespace Aegir\Scale\Tests;

use PHPUnit\Framework\Attributes\RequiresPhpExtension;
use PHPUnit\Framework\TestCase;

/** The command file stays out of the way where it should. */
final class ProvisionLoadTest extends TestCase
{
    private const REPORT = 'echo json_encode([class_exists("Provision_Context_server"), function_exists("zz_aegir_scale_drush_exit"), $logged]);';

    /** @return array{bool, bool, list<string>} is our class there, are our hooks, what was logged */
    private static function load(string $before = '', array $environment = [], string ...$php): array
    {
        $file = Program::top() . '/php/drush/zz_aegir_scale.drush.inc';
        $code = '$logged = []; function drush_log($m, $t = "notice") { $GLOBALS["logged"][] = "$t: $m"; } class Provision_Context {} class Provision_Service_http {} '
            . "$before require '$file'; " . self::REPORT;
        $program = Program::run([PHP_BINARY, ...$php, '-r', $code], $environment);
        self::assertSame('', $program->err);

        return json_decode($program->out, true, 8, JSON_THROW_ON_ERROR);
    }

    public function testWithoutTheExtensionItDoesNothing(): void
    {
        self::assertSame([false, false, []], self::load('', [], '-n'));
    }

    #[RequiresPhpExtension('aegir_scale')]
    public function testItPutsItsClassesFirst(): void
    {
        self::assertSame([true, true, []], self::load());
    }

    #[RequiresPhpExtension('aegir_scale')]
    public function testTheEnvironmentTurnsItOff(): void
    {
        self::assertSame([false, false, []], self::load('', ['AEGIR_SCALE_OFF' => '1']));
    }

    #[RequiresPhpExtension('aegir_scale')]
    public function testOnceProvisionsClassIsThereItIsLeftAlone(): void
    {
        [$isThere, $hasHooks, $logged] = self::load('class Provision_Context_server {}');
        self::assertSame([true, false], [$isThere, $hasHooks]);
        self::assertCount(1, $logged);
        self::assertStringStartsWith('warning: aegir_scale is not used: ', $logged[0]);
    }

    public function testItsSyntaxIsOld(): void
    {
        $text = file_get_contents(Program::top() . '/php/drush/zz_aegir_scale.drush.inc');
        $names = array_map(static fn (mixed $token): string => is_array($token) ? token_name($token[0]) : $token, token_get_all($text));
        foreach (['T_FN', 'T_MATCH', 'T_COALESCE', 'T_COALESCE_EQUAL', 'T_ELLIPSIS', 'T_SPACESHIP', 'T_NULLSAFE_OBJECT_OPERATOR', 'T_READONLY', 'T_DECLARE'] as $new) {
            self::assertNotContains($new, $names);
        }
        self::assertDoesNotMatchRegularExpression('/function \w+\((\w+ \$|[^)]*\) ?:)/', $text, 'types of arguments and results');
    }
}
