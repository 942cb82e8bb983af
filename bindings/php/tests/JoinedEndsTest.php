<?php

declare(strict_types=1);

namespace Hos\Tests;

use Hos\Answer;
use Hos\CallError;
use Hos\OutcomeUnknownError;
use Hos\RetryError;
use Hos\StoreError;
use Hos\Tests\Support\Host;
use PHPUnit\Framework\TestCase;

/** How a host's transaction ends: kept, begun again, ended by another, or with an outcome that nobody knows. */
final class JoinedEndsTest extends TestCase
{
    public function kinds(): array
    {
        return Host::kinds();
    }

    private static function id(string $word): string
    {
        return "$word-" . bin2hex(random_bytes(4));
    }

    /** @dataProvider kinds */
    public function testTheRetryHelper(string $kind): void
    {
        $host = Host::shared($kind);
        [$id] = $host->placed(1);
        $pdo = $host->pdo([\PDO::ATTR_ERRMODE => \PDO::ERRMODE_SILENT]);
        $engine = Host::engine($pdo);
        $ayse = Host::ayse($pdo);
        $before = $host->intact();

        // Bounded: what never goes through is told.
        $tries = 0;
        $always = function () use (&$tries): never {
            $tries++;
            throw new RetryError('planted', 'hos.retry', \Hos\Status::Retry);
        };
        foreach ([[5, []], [1, [1]], [3, [3]]] as [$wanted, $args]) {
            $tries = 0;
            try {
                $engine->transaction($always, ...$args);
                self::fail('it went through');
            } catch (RetryError $error) {
                self::assertSame('planted', substr($error->getPrevious()->getMessage(), -7));
            }
            self::assertSame($wanted, $tries);
        }
        // Never is no number of times.
        foreach ([0, -1, PHP_INT_MIN] as $none) {
            $tries = 0;
            try {
                $engine->transaction($always, $none);
                self::fail("$none tries went through");
            } catch (CallError $error) {
                self::assertSame('hos.call_malformed: `tries` is a whole number, 1 at least', $error->getMessage());
            }
            self::assertSame([0, false], [$tries, $pdo->inTransaction()]);
        }
        // The database's own error may stand behind another one.
        $locked = new \PDOException('planted');
        $locked->errorInfo = ['PostgreSQL' => ['40P01', 7, 'planted'], 'MariaDB' => ['40001', 1213, 'planted'], 'SQLite' => ['HY000', 5, 'planted']][$kind];
        foreach ([$locked, new RetryError('planted', 'hos.retry', \Hos\Status::Retry)] as $cause) {
            $tries = 0;
            $wraps = static function () use (&$tries, $cause): string {
                return ++$tries === 1 ? throw new \RuntimeException('outer', 0, new \LogicException('inner', 0, $cause)) : 'gave';
            };
            self::assertSame(['gave', 2], [$engine->transaction($wraps), $tries]);
        }
        // A refusal and an exception are rolled back.
        $refused = $engine->transaction(function (\PDO $pdo) use ($ayse, $id): Answer {
            $pdo->exec("UPDATE orders SET status = 'lost' WHERE id = '$id'");

            return $ayse->transition('order', $id, 'pay', args: ['amount' => 1, 'psp_ref' => 'x']);
        });
        self::assertSame('order.amount_short', $refused->code);
        $had = $host->intact();
        self::assertNotNull($engine->transaction(fn (): Answer => $ayse->refused($refused))->receipt);
        $before = $host->intact();
        self::assertSame($had + 1, $before, 'evidence of a refusal says no, and is kept');
        $own = new \DomainException('mine');
        try {
            $engine->transaction(function (\PDO $pdo) use ($ayse, $id, $own): never {
                $pdo->exec("UPDATE orders SET status = 'lost' WHERE id = '$id'");
                Host::pay($ayse, $id);
                throw $own;
            });
        } catch (\DomainException $thrown) {
            self::assertSame($own, $thrown);
        }
        self::assertSame(0, $host->count("orders WHERE status = 'lost'"));
        self::assertSame($before, $host->intact());
        // In one already, and ended inside.
        $pdo->beginTransaction();
        try {
            $engine->transaction(fn () => null);
            self::fail('a transaction was begun in another');
        } catch (CallError) {
            self::assertTrue($pdo->inTransaction());
        }
        $pdo->rollBack();
        try {
            $engine->transaction(fn (\PDO $pdo) => $pdo->commit());
            self::fail('it was ended twice');
        } catch (CallError $error) {
            self::assertSame('hos.no_transaction', $error->code());
        }
        // The work goes on after a statement that failed: PostgreSQL has given the transaction up by then, the others have not.
        $go = fn () => $engine->transaction(function (\PDO $pdo) use ($id): string {
            $pdo->exec("UPDATE orders SET total = total WHERE id = '$id'");
            $pdo->exec('SELECT FROM WHERE');

            return 'gave';
        });
        try {
            self::assertSame('gave', $go());
            self::assertNotSame('PostgreSQL', $kind, 'what was rolled back was told to be committed');
        } catch (StoreError $error) {
            self::assertSame('PostgreSQL', $kind, $error->getMessage());
        }
        self::assertSame('gave', $engine->transaction(fn (): string => Host::pay($ayse, $id)->allowed ? 'gave' : 'no'));
        self::assertSame(\PDO::ERRMODE_SILENT, $pdo->getAttribute(\PDO::ATTR_ERRMODE));
        self::assertSame($before + 1, $host->intact());
    }

    /**
     * Whoever ended a transaction, the connection begins the next one.
     *
     * @dataProvider kinds
     */
    public function testAConnectionWhoseTransactionWasEndedInside(string $kind): void
    {
        $host = Host::shared($kind);
        $pdo = $host->pdo();
        $engine = Host::engine($pdo);
        $ways = ['the work' => fn (\PDO $pdo) => $pdo->exec('COMMIT'), 'the work, back' => fn (\PDO $pdo) => $pdo->exec('ROLLBACK')];
        if ($kind === 'SQLite') {
            $pdo->exec("CREATE TEMP TRIGGER ends BEFORE INSERT ON pays WHEN NEW.id = 'ends' BEGIN SELECT RAISE(ROLLBACK, 'planted'); END");
            $ends = fn (\PDO $pdo) => $pdo->exec("INSERT INTO pays VALUES ('ends', 'ends')");
            $ways += ['the database' => $ends, 'the database, caught' => function (\PDO $pdo) use ($ends): void {
                try {
                    $ends($pdo);
                } catch (\PDOException $error) {
                    self::assertStringContainsString('planted', $error->getMessage());
                }
            }];
        }
        foreach ($ways as $who => $way) {
            try {
                $engine->transaction($way);
                self::fail("$who ended it, and it was committed");
            } catch (CallError $error) {
                self::assertSame('hos.no_transaction', $error->code(), $who);
            } catch (\PDOException $error) {
                self::assertStringContainsString('planted', $error->getMessage());
            }
            self::assertFalse($pdo->inTransaction(), $who);
            $placed = $engine->transaction(fn (): Answer => Host::place(Host::ayse($pdo), self::id('ended')));
            self::assertTrue($placed->allowed, $who);
            self::assertTrue($pdo->beginTransaction() && $pdo->rollBack(), $who);
        }
        $host->intact();
    }

    /**
     * A transaction that the work has begun in the place of ours is none that an answer was given in.
     *
     * @dataProvider kinds
     */
    public function testAnotherTransactionThatTheWorkHasBegun(string $kind): void
    {
        $host = Host::shared($kind);
        $before = $host->intact();
        foreach ([\PDO::ERRMODE_EXCEPTION, \PDO::ERRMODE_SILENT] as $mode) {
            $pdo = $host->pdo([\PDO::ATTR_ERRMODE => $mode]);
            $engine = Host::engine($pdo);
            foreach ([
                'by PDO' => fn (\PDO $pdo) => $pdo->rollBack() && $pdo->beginTransaction(),
                'in SQL' => fn (\PDO $pdo) => [$pdo->exec('ROLLBACK'), $pdo->exec('BEGIN')],
                'and written' => fn (\PDO $pdo) => [$pdo->exec('ROLLBACK'), $pdo->exec('BEGIN'), $pdo->exec("INSERT INTO orders VALUES ('again', 'new', 1)")],
            ] as $how => $again) {
                $work = function (\PDO $pdo) use ($again): Answer {
                    $placed = Host::place(Host::ayse($pdo), self::id('again'));
                    self::assertTrue($placed->allowed);
                    $again($pdo);

                    return $placed;
                };
                self::assertSame('hos.no_transaction', Host::code(fn () => $engine->transaction($work)), $how);
                self::assertFalse($pdo->inTransaction(), $how);
                self::assertSame(0, $host->count("orders WHERE id = 'again'"), $how);
            }
            self::assertSame($mode, $pdo->getAttribute(\PDO::ATTR_ERRMODE));
        }
        self::assertSame($before, $host->intact());
    }

    /** @dataProvider kinds */
    public function testACommitWhoseOutcomeNobodyKnows(string $kind): void
    {
        $host = Host::shared($kind);
        [$id] = $host->placed(1);
        $pdo = $host->pdo(class: DiesInItsCommit::class);
        DiesInItsCommit::$other = $kind === 'MariaDB' ? $host->pdo() : null;
        if ($kind === 'SQLite') {
            $this->commitThatIsRefused($host, $pdo, $id);

            return;
        }
        // A connection that goes in the middle of its commit; one that is gone before is noticed, and nothing is unknown then.
        if ($kind === 'PostgreSQL') {
            $pdo->exec('CREATE TABLE dies (x INT)');
            $pdo->exec('CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$');
            $pdo->exec('CREATE CONSTRAINT TRIGGER d AFTER INSERT ON dies DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()');
        }
        set_error_handler(static fn (): bool => true);
        try {
            Host::engine($pdo)->transaction(function () use ($host, $pdo, $id, $kind): void {
                self::assertTrue(Host::pay(Host::ayse($pdo), $id, once: "unknown-$id")->allowed);
                if ($kind === 'PostgreSQL') {
                    $pdo->exec('INSERT INTO dies VALUES (1)');
                }
            });
            self::fail('it was committed');
        } catch (OutcomeUnknownError $error) {
            self::assertSame('hos.outcome_unknown', $error->code());
        } finally {
            restore_error_handler();
        }
        // The once-key finds it out.
        $pdo = $host->pdo();
        $paid = Host::engine($pdo)->transaction(fn (): Answer => Host::pay(Host::ayse($pdo), $id, once: "unknown-$id"));
        self::assertSame([true, false], [$paid->allowed, $paid->again]);
        $host->intact();
    }

    /**
     * Who connects anew on an error of the store's has to be told one, at each try.
     *
     * @dataProvider kinds
     */
    public function testATransactionOnALostConnection(string $kind): void
    {
        $host = Host::shared($kind);
        $pdo = $host->pdo();
        $engine = Host::engine($pdo);
        $ran = 0;
        $work = static function () use (&$ran): int {
            return ++$ran;
        };
        self::assertSame(1, $engine->transaction($work));
        $pdo->beginTransaction();
        try {
            $pdo->query('SELECT * FROM nowhere');
        } catch (\PDOException) {
            // One in which a statement has failed is a transaction too.
        }
        self::assertSame('hos.call_malformed', Host::code(static fn () => $engine->transaction($work)));
        $pdo->rollBack();
        if ($kind === 'SQLite') {
            return;
        }
        match ($kind) {
            'PostgreSQL' => $host->pdo()->query("SELECT pg_terminate_backend({$pdo->query('SELECT pg_backend_pid()')->fetchColumn()}, 5000)"),
            'MariaDB' => $host->pdo()->exec('KILL ' . $pdo->query('SELECT connection_id()')->fetchColumn()),
        };
        foreach ([1, 2, 3] as $try) {
            try {
                $engine->transaction($work);
                self::fail('there is no connection');
            } catch (StoreError $error) {
                self::assertSame('hos.store_unavailable', $error->code(), "try $try");
                self::assertInstanceOf(\PDOException::class, $error->getPrevious());
            }
        }
        self::assertSame(1, $ran);
    }

    /** Of a connection that is still there the outcome is known, and the error is the database's own. */
    private function commitThatIsRefused(Host $host, \PDO $pdo, string $id): void
    {
        $pdo->exec('PRAGMA foreign_keys = ON');
        $pdo->exec('CREATE TABLE IF NOT EXISTS lines (id TEXT REFERENCES orders DEFERRABLE INITIALLY DEFERRED)');
        $before = $host->intact();
        try {
            Host::engine($pdo)->transaction(function () use ($pdo, $id): void {
                self::assertTrue(Host::pay(Host::ayse($pdo), $id)->allowed);
                $pdo->exec("INSERT INTO lines VALUES ('nobody''s')");
            });
            self::fail('it was committed');
        } catch (\PDOException $error) {
            self::assertStringContainsString('FOREIGN KEY', $error->getMessage());
        }
        self::assertFalse($pdo->inTransaction());
        self::assertSame($before, $host->intact());
    }
}

/** A connection that is cut when it is told to commit. */
final class DiesInItsCommit extends \PDO
{
    /** Who cuts it, if anybody does. */
    public static ?\PDO $other = null;

    public function commit(): bool
    {
        if (self::$other !== null) {
            self::$other->exec('KILL ' . $this->query('SELECT connection_id()')->fetchColumn());
            usleep(100_000);
        }

        return parent::commit();
    }
}
