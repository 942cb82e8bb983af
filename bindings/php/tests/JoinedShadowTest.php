<?php

declare(strict_types=1);

namespace Hos\Tests;

use Hos\Actor;
use Hos\Answer;
use Hos\Engine;
use Hos\Mode;
use Hos\Tests\Support\Host;
use Hos\Tests\Support\Place;
use Hos\Tests\Support\Worlds;
use PHPUnit\Framework\TestCase;

/** The law watches in a transaction of the world's, and no fault of ours reaches the world or its transaction. */
final class JoinedShadowTest extends TestCase
{
    /** @var array<string, Host> */
    private static array $hosts = [];

    public function kinds(): array
    {
        return Host::kinds();
    }

    /** A host whose law only watches. */
    private static function host(string $kind): Host
    {
        return self::$hosts[$kind] ??= self::watched($kind);
    }

    private static function watched(string $kind): Host
    {
        $host = Host::fresh($kind);
        $modes = array_merge(...array_map(static fn (string $event): array => ['--mode', "order.$event=shadow"], ['place', 'pay', 'cancel']));
        $host->hos('law', 'activate', Place::law(), ...$modes, ...['--tenant', 'pazar-tr', '--as', 'Account::root']);

        return $host;
    }

    private static function id(): string
    {
        return 'sh-' . bin2hex(random_bytes(4));
    }

    /** What the world's session looks like. */
    private static function session(Host $host, \PDO $pdo): array
    {
        return $pdo->query(match ($host->kind) {
            'PostgreSQL' => "SELECT current_setting('lock_timeout'), current_setting('statement_timeout'), current_setting('search_path')",
            'MariaDB' => 'SELECT @@lock_wait_timeout, @@innodb_lock_wait_timeout, @@max_statement_time, @@sql_mode',
            'SQLite' => 'PRAGMA busy_timeout',
        })->fetch(\PDO::FETCH_NUM);
    }

    /** The world's code: it writes a row of its own, and gives an object. */
    private static function sells(\PDO $pdo, string $id): \Closure
    {
        return static function () use ($pdo, $id): \ArrayObject {
            $pdo->exec("INSERT INTO orders VALUES ('$id', 'new', 4200)");

            return new \ArrayObject([$id]);
        };
    }

    private static function facts(Actor $by): array
    {
        return ['buyer' => $by->principal, 'shop' => \Hos\Uid::parse(Host::SHOP), 'total' => 4200];
    }

    /** @dataProvider kinds */
    public function testTheWorldDecidesAndTheLawIsJudgedAfterwards(string $kind): void
    {
        $host = self::host($kind);
        $pdo = $host->pdo();
        $ayse = Host::ayse($pdo);
        $host->intact();
        [$id, $session] = [self::id(), self::session($host, $pdo)];
        $seen = [];
        $note = function (Answer|\Throwable $told) use (&$seen): void {
            $seen[] = $told;
        };
        $pdo->beginTransaction();
        $given = $ayse->shadowBegin('order', $id, 'place', legacy: self::sells($pdo, $id), facts: self::facts($ayse), seen: $note);
        self::assertSame([$id], $given->getArrayCopy());
        // The world takes a payment that the law would not take.
        $ayse->shadow('order', $id, 'pay', legacy: fn () => new \Hos\Legacy(true, 'paid'), args: ['amount' => 1, 'psp_ref' => 'x'], seen: $note);
        self::assertSame($session, self::session($host, $pdo));
        $pdo->commit();
        foreach ($seen as $told) {
            self::assertInstanceOf(Answer::class, $told);
            self::assertSame([true, Mode::Shadow], [$told->allowed, $told->mode]);
        }
        self::assertCount(2, $seen);
        // What is rolled back was not watched either.
        $pdo->beginTransaction();
        $ayse->shadowBegin('order', "$id-x", 'place', legacy: self::sells($pdo, "$id-x"), facts: self::facts($ayse));
        $pdo->rollBack();
        self::assertSame(0, $host->count('hos_instance WHERE contract = \'order\''), 'nobody has judged yet');
        self::assertStringContainsString('judged   2 in shadow', $host->hos('work'));
        self::assertSame(1, $host->count('hos_instance WHERE contract = \'order\''));
        self::assertSame('paid', $host->pdo()->query("SELECT state FROM hos_instance WHERE contract = 'order'")->fetchColumn());
        self::assertStringContainsString('order.amount_short', $host->hos('history', 'order', $id, '--tenant', 'pazar-tr', '--json'));
        $host->intact();
        $host->pdo()->exec('DELETE FROM orders');
    }

    /** @dataProvider kinds */
    public function testNobodyWaitsForWhoWatches(string $kind): void
    {
        $host = self::host($kind);
        [$one, $other] = [$host->pdo(), $host->pdo()];
        $id = self::id();
        foreach ([$one, $other] as $at => $pdo) {
            $ayse = Host::ayse($pdo);
            $ayse->can('shop.edit', Host::SHOP);
            $pdo->beginTransaction();
            $started = microtime(true);
            $told = null;
            $ayse->shadowBegin('order', $id, 'place', legacy: fn () => true, facts: self::facts($ayse), once: "k-$id", seen: function ($answer) use (&$told): void {
                $told = $answer;
            });
            self::assertInstanceOf(Answer::class, $told, $told instanceof \Throwable ? $told->getMessage() : '');
            // A file has one writer at a time, whoever writes what; but who watches does not wait for its turn.
            self::assertSame($kind === 'SQLite' && $at === 1 ? 'hos.retry' : null, $told->code);
            self::assertLessThan(2.0, microtime(true) - $started);
        }
        $one->rollBack();
        $other->rollBack();
    }

    /**
     * Whatever is wrong with us, each world comes to what it comes to by itself, and its transaction goes on.
     *
     * @dataProvider kinds
     */
    public function testNoFaultOfOursReachesTheWorld(string $kind): void
    {
        $host = self::watched($kind);
        $blocker = null;
        $locked = function () use ($host, &$blocker): void {
            $blocker = $host->pdo();
            match ($host->kind) {
                'PostgreSQL' => $blocker->exec('BEGIN; LOCK TABLE hos_inbox, hos_queue IN ACCESS EXCLUSIVE MODE'),
                'MariaDB' => $blocker->exec('LOCK TABLES hos_inbox WRITE, hos_queue WRITE'),
                'SQLite' => $blocker->exec('BEGIN IMMEDIATE'),
            };
        };
        $free = function () use (&$blocker, $kind): void {
            $blocker->exec($kind === 'MariaDB' ? 'UNLOCK TABLES' : 'ROLLBACK');
            $blocker = null;
        };
        $say = static fn (string $sql): \Closure => static function () use ($host, $sql): void {
            $host->pdo()->exec($sql);
        };
        $nothing = static function (): void {
        };
        $none = Place::directory();
        $days = [
            'a sound day' => [$nothing, $nothing, null],
            'a column is another' => [$say('ALTER TABLE hos_inbox RENAME COLUMN parts TO parts_before'), $say('ALTER TABLE hos_inbox RENAME COLUMN parts_before TO parts'), null],
            'a table is gone' => [$say('ALTER TABLE hos_queue RENAME TO hos_queue_before'), $say('ALTER TABLE hos_queue_before RENAME TO hos_queue'), null],
            'the store is gone' => [$say('ALTER TABLE hos_store RENAME TO hos_store_before'), $say('ALTER TABLE hos_store_before RENAME TO hos_store'), null],
            'tables are locked' => [$locked, $free, null],
            'no such law' => [$nothing, $nothing, "$none/law"],
            'a law with faults' => [static function () use ($none): void {
                mkdir("$none/faulty");
                file_put_contents("$none/faulty/law.toml", 'name =');
            }, $nothing, "$none/faulty"],
        ];
        foreach ($days as $what => [$break, $mend, $law]) {
            $break();
            $pdo = $host->pdo($kind === 'SQLite' ? [\PDO::ATTR_TIMEOUT => 20] : []);
            $session = self::session($host, $pdo);
            $actor = static fn (): Actor => Engine::openForShadow(law: $law, store: $pdo)->tenant('pazar-tr')->as('Pazar::Account::"ayse"');
            $faults = 0;
            $seen = static function (Answer|\Throwable $told) use (&$faults): void {
                $faults += $told instanceof \Throwable || preg_match('/^hos\.(store|retry|internal)/', (string) $told->code) === 1 ? 1 : 0;
            };
            $started = microtime(true);
            $pdo->beginTransaction();
            $row = self::id();
            $writes = $kind !== 'SQLite' || $what !== 'tables are locked';
            $writes && $pdo->exec("INSERT INTO orders VALUES ('$row-1', 'new', 1)");
            $told = 0;
            if ($what === 'tables are locked') {
                // One of each form: each waits a while.
                foreach (['shadow' => 'pay', 'shadowBegin' => 'place', 'shadowCan' => null] as $form => $event) {
                    $words = $event === null ? ['shop.view', Host::SHOP] : ['order', $row, $event];
                    self::assertSame($words, $actor()->$form(...$words, legacy: fn () => $words, seen: $seen));
                    $told++;
                }
            } else {
                $told += (new Worlds())->harmed($actor, $seen, ['args' => ['amount' => 4200, 'psp_ref' => 'x']], ['shadow']);
                $told += (new Worlds())->harmed($actor, $seen, [], ['shadowBegin', 'shadowCan']);
            }
            $writes && $pdo->exec("INSERT INTO orders VALUES ('$row-2', 'new', 1)");
            $pdo->commit();
            self::assertSame($session, self::session($host, $pdo), $what);
            self::assertSame($writes ? 2 : 0, $host->count("orders WHERE id LIKE '$row-%'"), $what);
            self::assertGreaterThan(0, $told);
            $what === 'a sound day' ? self::assertSame(0, $faults) : self::assertGreaterThan(0, $faults, "$what: nothing was wrong");
            // Each statement waits a second at most.
            self::assertLessThan(10.0, microtime(true) - $started, $what);
            unset($pdo, $actor);
            $mend();
        }
        $host->pdo()->exec('DELETE FROM orders');
        $host->intact();
    }

    /**
     * Calls that say themselves what the world decided: it stands, whatever befalls us, and its transaction goes on.
     *
     * @dataProvider kinds
     */
    public function testTheWorldsWordStandsInACallToo(string $kind): void
    {
        $host = self::watched($kind);
        $pdo = $host->pdo();
        $ayse = Host::ayse($pdo);
        $told = static fn (mixed $args, \Hos\Legacy|bool $world): array => [
            ($answer = $ayse->transition('order', 'x', 'pay', args: $args, legacy: $world))->allowed, $answer->code, $answer->mode,
        ];
        $sound = ['amount' => 1, 'psp_ref' => 'x'];
        $pdo->beginTransaction();
        foreach ([true, false] as $world) {
            self::assertSame([$world, null, Mode::Shadow], $told($sound, $world));
            self::assertSame([$world, 'hos.value_invalid', Mode::Shadow], $told(['amount' => 0.5], $world));
            self::assertSame([$world, 'hos.call_malformed', Mode::Shadow], $told(fn () => throw new \DomainException('x'), $world));
        }
        $pdo->exec("INSERT INTO orders VALUES ('w-1', 'new', 1)");
        $pdo->commit();
        $host->pdo()->exec('ALTER TABLE hos_inbox RENAME TO hos_inbox_before');
        $pdo->beginTransaction();
        $pdo->exec("INSERT INTO orders VALUES ('w-2', 'new', 1)");
        self::assertSame([true, 'hos.store_version', Mode::Shadow], $told($sound, true));
        self::assertSame([false, 'hos.store_version', Mode::Shadow], $told($sound, new \Hos\Legacy(false)));
        $pdo->exec("INSERT INTO orders VALUES ('w-3', 'new', 1)");
        $pdo->commit();
        $host->pdo()->exec('ALTER TABLE hos_inbox_before RENAME TO hos_inbox');
        self::assertSame(3, $host->count('orders'));
        // What is enforced takes no word of the world's.
        $pdo->beginTransaction();
        try {
            $ayse->transition('order', 'x', 'ship', args: ['amount' => 0.5], legacy: true);
            self::fail('it was answered');
        } catch (\Hos\CallError $error) {
            self::assertSame('hos.value_invalid', $error->code());
        }
        $pdo->rollBack();
        self::assertStringContainsString('judged   2 in shadow', $host->hos('work'));
        $host->intact();
    }

    /**
     * The process has read no law yet: it is read before the world is stopped.
     *
     * @dataProvider kinds
     */
    public function testTheFirstCallOfAProcessIsFaulty(string $kind): void
    {
        $host = self::host($kind);
        $pdo = $host->pdo();
        foreach ([true, false] as $isInside) {
            $cold = fn (): Actor => Engine::open(null, store: $pdo, database: self::id())->tenant('pazar-tr')->as('Pazar::Account::"ayse"');
            $isInside && $pdo->beginTransaction();
            foreach (['pay' => Mode::Shadow, 'ship' => null] as $event => $mode) {
                $told = null;
                try {
                    $told = $cold()->transition('order', 'x', $event, args: ['amount' => 0.5], legacy: true);
                } catch (\Hos\CallError $error) {
                    self::assertSame('hos.value_invalid', $error->code());
                }
                self::assertSame([$mode, $mode === null ? null : 'hos.value_invalid'], [$told?->mode, $told?->code]);
            }
            $isInside && $pdo->exec("INSERT INTO orders VALUES ('cold', 'new', 1)");
            $isInside && $pdo->commit();
        }
        self::assertSame(1, $host->pdo()->exec("DELETE FROM orders WHERE id = 'cold'"));
    }

    /**
     * A step that comes to a failure behind its last text: the session is as patient as it was.
     *
     * @dataProvider kinds
     */
    public function testAFailureBehindTheLastText(string $kind): void
    {
        $host = Host::fresh($kind);
        $pdo = $host->pdo();
        $id = self::id();
        $pdo->beginTransaction();
        self::assertTrue(Host::place(Host::ayse($pdo), $id)->allowed);
        $pdo->commit();
        $host->pdo()->exec('UPDATE hos_instance SET facts = ' . ($kind === 'PostgreSQL' ? "'\\x00'" : "X'00'"));
        // By a name of its own: an engine that knows nothing yet asks the first things one by one.
        $ayse = Engine::open(null, store: $pdo, database: "cold-$id")->tenant('pazar-tr')->as('Pazar::Account::"ayse"');
        $session = self::session($host, $pdo);
        $pdo->beginTransaction();
        $pay = fn () => $ayse->transition('order', $id, 'pay', args: ['amount' => 4200, 'psp_ref' => 'x'], once: "k-$id", legacy: true);
        self::assertNotSame('none', Host::code($pay), 'it is enforced, and cannot be judged');
        self::assertSame($session, self::session($host, $pdo));
        $pdo->exec("INSERT INTO orders VALUES ('$id', 'new', 1)");
        $pdo->commit();
        self::assertSame([1, 0], [$host->count('orders'), $host->count('hos_once')]);
    }

    /** @dataProvider kinds */
    public function testAPanicInTheMiddleOfAStep(string $kind): void
    {
        $host = self::host($kind);
        $host->intact();
        $pdo = $host->pdo();
        $engine = Host::engine($pdo);
        $ayse = Host::ayse($pdo);
        foreach ([false, true] as $warm) {
            $warm && $ayse->can('shop.edit', Host::SHOP);
            $id = self::id();
            $pdo->beginTransaction();
            $engine->call('failpoint', '{"panic":"step"}');
            $told = null;
            $given = $ayse->shadowBegin('order', $id, 'place', legacy: self::sells($pdo, $id), facts: self::facts($ayse), seen: function ($answer) use (&$told): void {
                $told = $answer;
            });
            self::assertSame([$id], $given->getArrayCopy());
            self::assertInstanceOf(Answer::class, $told, 'the engine has seen that the law only watches');
            self::assertSame([true, 'hos.internal', Mode::Shadow], [$told->allowed, $told->code, $told->mode]);
            // The next one is watched again, in the same transaction.
            $ayse->shadowBegin('order', "$id-n", 'place', legacy: self::sells($pdo, "$id-n"), facts: self::facts($ayse));
            $pdo->commit();
            self::assertSame(2, $host->count("orders WHERE id LIKE '$id%'"));
            self::assertStringContainsString('judged   1 in shadow', $host->hos('work'));
        }
        $host->intact();
    }
}
