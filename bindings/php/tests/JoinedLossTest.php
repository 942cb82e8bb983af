<?php

declare(strict_types=1);

namespace Hos\Tests;

use Hos\Answer;
use Hos\HosError;
use Hos\Mode;
use Hos\RetryError;
use Hos\StoreError;
use Hos\Tests\Support\Deadlock;
use Hos\Tests\Support\Host;
use Hos\Tests\Support\Place;
use Hos\Tests\Support\TakesNoTexts;
use PHPUnit\Framework\TestCase;

/**
 * The law watches, and an error beside it takes the world's transaction with it: what the world did is undone, and no word for it
 * stands, lest the host commit what comes behind. An error that leaves the transaction standing costs the world nothing.
 */
final class JoinedLossTest extends TestCase
{
    private const ARGS = ['amount' => 1, 'psp_ref' => 'x'];

    /** @var array<string, Host> */
    private static array $hosts = [];

    public function kinds(): array
    {
        return Host::kinds();
    }

    /** A host whose law only watches. */
    private static function host(string $kind): Host
    {
        if (!isset(self::$hosts[$kind])) {
            $host = self::$hosts[$kind] = Host::fresh($kind);
            $host->hos('law', 'activate', Place::law(), '--mode', 'order.pay=shadow', '--tenant', 'pazar-tr', '--as', 'Account::root');
        }

        return self::$hosts[$kind];
    }

    /** @return array{string, string} two orders of the host's */
    private static function orders(Host $host): array
    {
        $ids = ['a-' . bin2hex(random_bytes(4)), 'b-' . bin2hex(random_bytes(4))];
        foreach ($ids as $id) {
            $host->pdo()->exec("INSERT INTO orders VALUES ('$id', 'new', 1)");
        }

        return $ids;
    }

    /** What work throws. */
    private static function thrown(\Closure $work): ?\Throwable
    {
        try {
            $work();
        } catch (\Throwable $thrown) {
            return $thrown;
        }

        return null;
    }

    /** The transaction is there still, with the row that it has written. */
    private static function goesOn(Host $host, \PDO $pdo, string $id): void
    {
        $pdo->exec("INSERT INTO pays VALUES ('$id', 'behind-$id')");
        $pdo->commit();
        self::assertSame([1, 1], [$host->count("pays WHERE evt = '$id'"), $host->count("pays WHERE evt = 'behind-$id'")]);
    }

    /** @dataProvider kinds */
    public function testADeadlockBesideACallThatWatches(string $kind): void
    {
        if ($kind !== 'MariaDB') {
            $this->expectNotToPerformAssertions();

            return;
        }
        $host = self::host($kind);
        // As it comes, and as MySQL, which takes no text of several statements.
        foreach ([\PDO::class, TakesNoTexts::class] as $class) {
            $pdo = $host->pdo(class: $class);
            $ayse = Host::ayse($pdo);
            $ayse->can('shop.view', Host::SHOP);
            foreach ([
                'a function fails' => [RetryError::class, fn (Deadlock $lock): array => $lock->close()],
                'a function fails, in words of its own' => [RetryError::class, function (Deadlock $lock): never {
                    throw new \LogicException('wrapped', 0, self::thrown($lock->close(...)));
                }],
                'a function fails, and has not said why' => [\LogicException::class, function (Deadlock $lock): never {
                    self::thrown($lock->close(...));
                    throw new \LogicException('mine');
                }],
                'a function goes on' => ['hos.no_transaction', function (Deadlock $lock): array {
                    self::thrown($lock->close(...));

                    return self::ARGS;
                }],
                'a function reads on' => ['hos.no_transaction', function (Deadlock $lock) use ($pdo): array {
                    self::thrown($lock->close(...));
                    $pdo->query('SELECT count(*) FROM orders')->fetchAll();

                    return self::ARGS;
                }],
            ] as $what => [$expected, $function]) {
                foreach (['transition', 'shadow'] as $form) {
                    [$one, $other] = self::orders($host);
                    $pdo->beginTransaction();
                    $pdo->exec("INSERT INTO pays VALUES ('$one', '$one')");
                    $lock = new Deadlock($host, $pdo, $one, $other);
                    $args = fn () => $function($lock);
                    $thrown = self::thrown(fn () => $ayse->$form('order', $one, 'pay', args: $args, legacy: $form === 'shadow' ? fn () => 'paid' : true));
                    $lock->end();
                    self::assertSame($expected, $thrown instanceof RetryError || !$thrown instanceof HosError ? $thrown::class : $thrown->code(), "$form, $what");
                    $thrown instanceof RetryError && self::assertSame('hos.retry', $thrown->code());
                    self::assertFalse($pdo->inTransaction(), "$form, $what");
                    self::assertSame(0, $host->count("pays WHERE evt = '$one'"));
                }
            }
        }
        // The helper begins the host's work again, and all of it is there then.
        [$one, $other] = self::orders($host);
        $tries = 0;
        $told = Host::engine($pdo)->transaction(function (\PDO $pdo) use ($host, $ayse, $one, $other, &$tries): Answer {
            $pdo->exec("INSERT INTO pays VALUES ('$one', '$one')");
            $lock = $tries++ === 0 ? new Deadlock($host, $pdo, $one, $other) : null;
            try {
                return $ayse->transition('order', $one, 'pay', args: fn () => $lock === null ? self::ARGS : $lock->close(), legacy: true);
            } finally {
                $lock?->end();
            }
        });
        self::assertSame([2, true, null, 1], [$tries, $told->allowed, $told->code, $host->count("pays WHERE evt = '$one'")]);
    }

    /** @dataProvider kinds */
    public function testAStatementOfOursLosesTheTransaction(string $kind): void
    {
        if ($kind === 'PostgreSQL') {
            // Its transaction goes back to a savepoint from any error.
            $this->expectNotToPerformAssertions();

            return;
        }
        $host = self::host($kind);
        foreach ($kind === 'SQLite' ? [\PDO::class] : [\PDO::class, TakesNoTexts::class] as $class) {
            foreach (['transition', 'shadow', 'threw'] as $form) {
                $pdo = $host->pdo(class: $class);
                $ayse = Host::ayse($pdo);
                $ayse->can('shop.view', Host::SHOP);
                [$one, $other] = self::orders($host);
                $host->pdo()->exec($kind === 'SQLite'
                    ? "CREATE TRIGGER breaks BEFORE INSERT ON hos_inbox BEGIN SELECT RAISE(ROLLBACK, 'broken'); END"
                    : "CREATE TRIGGER breaks BEFORE INSERT ON hos_inbox FOR EACH ROW UPDATE orders SET total = total + 1 WHERE id = '$other'");
                $pdo->beginTransaction();
                $pdo->exec("INSERT INTO pays VALUES ('$one', '$one')");
                $lock = $kind === 'SQLite' ? null : new Deadlock($host, $pdo, $one, $other);
                $world = ['transition' => true, 'shadow' => fn () => 'paid', 'threw' => fn () => throw new \DomainException('no')][$form];
                $call = $form === 'transition' ? 'transition' : 'shadow';
                $thrown = self::thrown(fn () => $ayse->$call('order', $one, 'pay', args: self::ARGS, legacy: $world));
                $lock?->end();
                $host->pdo()->exec('DROP TRIGGER breaks');
                self::assertSame($kind === 'SQLite' ? [StoreError::class, 'hos.store_unavailable'] : [RetryError::class, 'hos.retry'],
                    [$thrown::class, $thrown instanceof HosError ? $thrown->code() : ''], $form);
                self::assertSame(0, $host->count("pays WHERE evt = '$one'"));
                $kind === 'SQLite' || self::assertFalse($pdo->inTransaction());
            }
        }
    }

    /**
     * What the world itself throws goes through, the very same object, though its transaction is gone: the world knows.
     *
     * @dataProvider kinds
     */
    public function testTheWorldsOwnErrorLosesIt(string $kind): void
    {
        $host = self::host($kind);
        $pdo = $host->pdo();
        $ayse = Host::ayse($pdo);
        [$one, $other] = self::orders($host);
        $pdo->beginTransaction();
        $lock = $kind === 'MariaDB' ? new Deadlock($host, $pdo, $one, $other) : null;
        $own = null;
        $world = function () use ($pdo, $one, $lock, &$own): never {
            $own = self::thrown($lock === null ? fn () => $pdo->exec("INSERT OR ROLLBACK INTO orders VALUES ('$one', 'new', 1)") : $lock->close(...));
            throw $own;
        };
        $thrown = self::thrown(fn () => $ayse->shadow('order', $one, 'pay', legacy: $world, args: self::ARGS));
        $lock?->end();
        self::assertInstanceOf(\PDOException::class, $own);
        self::assertSame($own, $thrown);
    }

    /** @dataProvider kinds */
    public function testAnErrorThatEndsTheTransactionAndIsNotPassing(string $kind): void
    {
        $host = self::host($kind);
        [$one] = self::orders($host);
        $pdo = $host->pdo();
        $ayse = Host::ayse($pdo);
        $ayse->can('shop.view', Host::SHOP);
        $end = function () use ($host, $kind, &$pdo, $one): never {
            match ($kind) {
                // Whoever looks after the server.
                'PostgreSQL' => $host->pdo()->exec("SELECT pg_terminate_backend({$pdo->query('SELECT pg_backend_pid()')->fetchColumn()})"),
                'MariaDB' => $host->pdo()->exec('KILL ' . $pdo->query('SELECT connection_id()')->fetchColumn()),
                'SQLite' => null,
            };
            usleep(100_000);
            throw self::thrown(fn () => @$pdo->exec("INSERT OR ROLLBACK INTO orders VALUES ('$one', 'new', 1)"));
        };
        $pdo->beginTransaction();
        $pdo->exec("INSERT INTO pays VALUES ('$one', '$one')");
        $thrown = self::thrown(fn () => $ayse->transition('order', $one, 'pay', args: $end, legacy: true));
        self::assertInstanceOf(\PDOException::class, $thrown, 'the failure, as it is');
        self::assertSame(0, $host->count("pays WHERE evt = '$one'"));
        // Nor is swallowed what `seen` has lost.
        $pdo = $host->pdo();
        $ayse = Host::ayse($pdo);
        $pdo->beginTransaction();
        $thrown = self::thrown(fn () => $ayse->shadow('order', $one, 'pay', args: self::ARGS, legacy: fn () => true, seen: $end));
        self::assertInstanceOf(\PDOException::class, $thrown);
    }

    /** @dataProvider kinds */
    public function testAnErrorThatLeavesItStanding(string $kind): void
    {
        $host = self::host($kind);
        foreach (['transition', 'shadow'] as $form) {
            foreach (['unknown table', 'lock', 'swallowed'] as $what) {
                [$one, $other] = self::orders($host);
                $pdo = $host->pdo(options: $kind === 'SQLite' ? [\PDO::ATTR_TIMEOUT => 1] : []);
                $pdo->exec(match ($kind) {
                    'PostgreSQL' => "SET lock_timeout = '50ms'",
                    'MariaDB' => 'SET innodb_lock_wait_timeout = 1',
                    'SQLite' => 'PRAGMA busy_timeout = 1',
                });
                $ayse = Host::ayse($pdo);
                $ayse->can('shop.view', Host::SHOP);
                $pdo->beginTransaction();
                $pdo->exec("INSERT INTO pays VALUES ('$one', '$one')");
                $holder = $host->pdo();
                $kind === 'SQLite' || $holder->beginTransaction();
                $kind === 'SQLite' || $holder->exec("UPDATE orders SET total = 5 WHERE id = '$other'");
                $function = function () use ($pdo, $kind, $what, $other): array {
                    $sql = $what === 'lock' && $kind !== 'SQLite' ? "UPDATE orders SET total = 6 WHERE id = '$other'" : 'DELETE FROM nowhere';
                    $fault = self::thrown(fn () => $pdo->exec($sql));
                    self::assertInstanceOf(\PDOException::class, $fault);

                    return $what === 'swallowed' ? self::ARGS : throw $fault;
                };
                $seen = null;
                $words = $form === 'shadow' ? ['legacy' => fn () => true, 'seen' => function ($told) use (&$seen): void {
                    $seen = $told;
                }] : ['legacy' => true];
                $told = $ayse->$form('order', $one, 'pay', ...$words, args: $function);
                $told = $form === 'shadow' ? $seen : $told;
                self::assertInstanceOf(Answer::class, $told);
                $code = $what !== 'swallowed' ? 'hos.call_malformed' : ($kind === 'PostgreSQL' ? 'hos.store_unavailable' : null);
                self::assertSame([true, Mode::Shadow, $code], [$told->allowed, $told->mode, $told->code], "$form, $what");
                self::goesOn($host, $pdo, $one);
            }
        }
    }

    /**
     * What the host has in the place of PDO fails in its own way.
     *
     * @dataProvider kinds
     */
    public function testAConnectionThatThrowsWhatItLikes(string $kind): void
    {
        $host = self::host($kind);
        [$one] = self::orders($host);
        $pdo = $host->pdo(class: ThrowsItsOwn::class);
        $ayse = Host::ayse($pdo);
        $ayse->can('shop.view', Host::SHOP);
        $pdo->beginTransaction();
        $pdo->exec("INSERT INTO pays VALUES ('$one', '$one')");
        $told = $ayse->transition('order', $one, 'pay', args: self::ARGS, legacy: true);
        self::assertSame([true, 'hos.internal', 'LogicException: mine'], [$told->allowed, $told->code, $told->blockers[0]->detail]);
        self::goesOn($host, $pdo, $one);
    }

    /** @dataProvider kinds */
    public function testARowThatChangedUnderASnapshot(string $kind): void
    {
        if ($kind !== 'MariaDB') {
            $this->expectNotToPerformAssertions();

            return;
        }
        $host = self::host($kind);
        [$one] = self::orders($host);
        $pdo = $host->pdo(said: ['SET SESSION innodb_snapshot_isolation = ON']);
        $ayse = Host::ayse($pdo);
        $pdo->beginTransaction();
        $pdo->exec("INSERT INTO pays VALUES ('$one', '$one')");
        $pdo->query('SELECT * FROM orders')->fetchAll();
        $host->pdo()->exec("UPDATE orders SET total = 7 WHERE id = '$one'");
        $args = fn () => $pdo->exec("UPDATE orders SET total = 8 WHERE id = '$one'");
        $thrown = self::thrown(fn () => $ayse->transition('order', $one, 'pay', args: $args, legacy: true));
        self::assertInstanceOf(RetryError::class, $thrown);
        self::assertSame(1020, $thrown->getPrevious()->errorInfo[1]);
        self::assertSame(0, $host->count("pays WHERE evt = '$one'"));
    }

    /**
     * Where there was none there is none to lose; nor in PostgreSQL one in which the host's own statement has failed before.
     *
     * @dataProvider kinds
     */
    public function testOutsideOfATransaction(string $kind): void
    {
        $host = self::host($kind);
        $pdo = $host->pdo();
        $ayse = Host::ayse($pdo);
        $fails = fn (): array => throw new \DomainException('mine');
        $told = $ayse->transition('order', 'x', 'pay', args: $fails, legacy: true);
        self::assertSame([true, 'hos.call_malformed'], [$told->allowed, $told->code]);
        $told = $ayse->transition('order', 'x', 'pay', args: fn () => self::ARGS, legacy: true);
        self::assertSame([true, 'hos.no_transaction'], [$told->allowed, $told->code]);
        if ($kind !== 'PostgreSQL') {
            return;
        }
        foreach ([self::ARGS, fn () => self::ARGS] as $args) {
            [$one] = self::orders($host);
            $pdo->beginTransaction();
            $pdo->exec("INSERT INTO pays VALUES ('$one', '$one')");
            $pdo->exec('SAVEPOINT mine');
            self::assertInstanceOf(\PDOException::class, self::thrown(fn () => $pdo->exec('DELETE FROM nowhere')));
            $told = $ayse->transition('order', 'x', 'pay', args: $args, legacy: false);
            self::assertSame([false, 'hos.store_unavailable'], [$told->allowed, $told->code]);
            $pdo->exec('ROLLBACK TO SAVEPOINT mine');
            self::goesOn($host, $pdo, $one);
        }
    }
}

/** A connection that does not like our tables. */
final class ThrowsItsOwn extends \PDO
{
    public function prepare(string $query, array $options = []): \PDOStatement|false
    {
        return str_contains($query, 'hos_inbox') ? throw new \LogicException('mine') : parent::prepare($query, $options);
    }

    public function exec(string $statement): int|false
    {
        return str_contains($statement, 'hos_inbox') ? throw new \LogicException('mine') : parent::exec($statement);
    }
}
