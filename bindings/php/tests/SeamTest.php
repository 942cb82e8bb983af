<?php

declare(strict_types=1);

namespace Hos\Tests;

use Hos\Actor;
use Hos\HosError;
use Hos\InternalError;
use Hos\Native\Handle;
use Hos\Native\Library;
use Hos\Pdo\Joined;
use Hos\Status;
use Hos\Tenant;
use Hos\Uid;
use PHPUnit\Framework\TestCase;

/** Whatever leads to the library stands behind one interface; and what it might say wrongly is never a yes. */
final class SeamTest extends TestCase
{
    private function library(int $status, string $json): Library
    {
        return new class ($status, $json) implements Library {
            public function __construct(private readonly int $status, private readonly string $told)
            {
            }

            public function version(): string
            {
                return '0';
            }

            public function open(string $options, ?int &$engine, ?string &$json): int
            {
                [$engine, $json] = [1, '{}'];

                return 1;
            }

            public function openShared(string $options, ?int &$engine, ?string &$json): int
            {
                return $this->open($options, $engine, $json);
            }

            public function openJoined(string $options, ?int &$engine, ?string &$json): int
            {
                return $this->open($options, $engine, $json);
            }

            public function step(int $engine, string $operation, int $inside, string $call, ?string &$json): int
            {
                return $this->call($engine, $operation, $call, $json);
            }

            public function close(int $engine, ?string &$json): int
            {
                return $this->call($engine, '', '', $json);
            }

            public function call(int $engine, string $operation, string $call, ?string &$json): int
            {
                $json = $this->told;

                return $this->status;
            }

            public function can(int $engine, string $tenant, Uid $principal, string $action, Uid $resource, string $beside, ?string &$json): int
            {
                return $this->call($engine, 'can', '', $json);
            }
        };
    }

    private function actor(int $status, string $json): Actor
    {
        return (new Tenant(Handle::open('{}', true, $this->library($status, $json)), 't1'))->as(new Uid('A', 'b'));
    }

    /** An actor in a transaction, whose steps all come to the same. */
    private function joined(int $status, string $json): Actor
    {
        $pdo = new \PDO('sqlite::memory:');
        $pdo->exec('CREATE TABLE hos_store (tenant, key, value)');
        $pdo->beginTransaction();

        return (new Tenant(new Joined($pdo, [], $this->library($status, $json)), 't1'))->as(new Uid('A', 'b'));
    }

    public function testOfAStepToo(): void
    {
        $yes = '{"answer":{"allowed":true},"settle":[]}';
        $calls = [
            fn (Actor $by) => $by->transition('c', 'i', 'e'),
            fn (Actor $by) => $by->can('a', 'A::"b"'),
            fn (Actor $by) => $by->directory->put('A::"b"'),
            fn (Actor $by) => $by->transition('c', 'i', 'e', args: fn () => []),
        ];
        self::assertTrue($calls[0]($this->joined(1, $yes))->allowed);
        self::assertFalse($calls[0]($this->joined(0, '{"answer":{"allowed":false},"settle":[]}'))->allowed);
        $wrong = [[1, '{}'], [1, '[]'], [1, ''], [1, '{"settle":[]}'], [1, '{"settle":[],"leave":[]}'], [0, '{"settle":[]}'], [1, '{"answer":null}']];
        $wrong = [...$wrong, [7, $yes], [-9, $yes], [PHP_INT_MAX, $yes], [2, $yes], [2, '{"step":1,"need":7}'], [2, '{}']];
        foreach ($wrong as [$status, $json]) {
            foreach ($calls as $call) {
                try {
                    set_error_handler(static fn (): bool => true);
                    $call($this->joined($status, $json));
                    self::fail("$status $json was taken");
                } catch (InternalError $error) {
                    self::assertSame('hos.internal', $error->code());
                } finally {
                    restore_error_handler();
                }
            }
        }
    }

    public function testOnlyOneIsAYes(): void
    {
        $error = '{"error":{"code":"hos.retry","message":"m","faults":[]}}';
        foreach ([2, 7, PHP_INT_MAX, -9, -100] as $status) {
            foreach (['{"allowed":true}', '', 'null', '[]', '{"error":{}}', '{"error":{"code":1,"message":"x"}}'] as $json) {
                try {
                    $this->actor($status, $json)->can('a', 'A::"b"');
                    self::fail("$status $json was taken");
                } catch (InternalError $internal) {
                    self::assertSame(['hos.internal', Status::Internal], [$internal->code(), $internal->status]);
                }
            }
        }
        foreach (Status::cases() as $class) {
            if ($class->value < 0) {
                try {
                    $this->actor($class->value, $error)->transition('a', 'b', 'c');
                    self::fail($class->name);
                } catch (HosError $told) {
                    self::assertSame([$class, 'hos.retry', 'hos.retry: m'], [$told->status, $told->code(), $told->getMessage()]);
                }
            }
        }
    }

    public function testAnAnswerThatIsNoneIsNotRead(): void
    {
        $whole = '{"allowed":true,"blockers":[],"policies":[],"errors":[],"mode":"enforce","divergence":false,"law":"x",'
            . '"directory_version":1,"fired":[],"again":false}';
        self::assertSame('x', $this->actor(1, $whole)->can('a', 'A::"b"')->law);
        foreach ([
            'status and words differ' => [0, $whole],
            'no JSON' => [1, '{'],
            'no object' => [1, '[]'],
            'an unknown mode' => [1, str_replace('enforce', 'lenient', $whole)],
            'an integer that PHP cannot hold' => [1, str_replace('"directory_version":1', '"directory_version":18446744073709551615', $whole)],
            'a field of another kind' => [1, str_replace('"again":false', '"again":"no"', $whole)],
        ] as $what => [$status, $json]) {
            $answer = $this->actor($status, $json)->can('a', 'A::"b"');
            try {
                $answer->mode;
                $answer->again;
                self::fail("$what was read");
            } catch (InternalError $error) {
                self::assertSame('hos.internal', $error->code(), $what);
            }
        }
    }
}
