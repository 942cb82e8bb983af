<?php

declare(strict_types=1);

namespace Hos\Tests;

use Hos\Answer;
use Hos\Call;
use Hos\CallError;
use Hos\Engine;
use Hos\OutcomeUnknownError;
use Hos\RetryError;
use Hos\StoreError;
use Hos\Tests\Support\Deadlock;
use Hos\Tests\Support\Host;
use Hos\Tests\Support\Place;
use Hos\Tests\Support\Script;
use Hos\Tests\Support\TakesNoTexts;
use PHPUnit\Framework\TestCase;

/** Hosts that are in each other's way, die, and come again. */
final class JoinedDaysTest extends TestCase
{
    private const WORKERS = 8;
    /** What makes a read of a row that changed since fail where the row is written: where transactions see a snapshot. */
    private const SNAPSHOT = [
        'PostgreSQL' => ['SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ'],
        'MariaDB' => ['SET SESSION innodb_snapshot_isolation = ON'],
        'SQLite' => [],
    ];

    public function isolations(): array
    {
        return Host::isolations();
    }

    public function kinds(): array
    {
        return Host::kinds();
    }

    private static function script(string $name, Host $host, string ...$args): Script
    {
        return new Script($name, [$host->kind, $host->store, $host->name, ...$args]);
    }

    private static function id(string $word): string
    {
        return "$word-" . bin2hex(random_bytes(4));
    }

    /** @dataProvider kinds */
    public function testAConnectionThatWritesBytesInAnotherWayIsAskedOtherwise(string $kind): void
    {
        if ($kind !== 'PostgreSQL') {
            $this->expectNotToPerformAssertions();

            return;
        }
        $host = Host::shared($kind);
        [$id] = self::placed($host, 1);
        $pdo = $host->pdo();
        $pdo->exec("SET bytea_output = 'escape'");
        $pdo->beginTransaction();
        self::assertTrue(Host::pay(Host::ayse($pdo), $id, once: "escape-$id")->allowed);
        $pdo->commit();
        self::assertSame('escape', $pdo->query("SELECT current_setting('bytea_output')")->fetchColumn());
        $host->intact();
    }

    /**
     * What a step writes fails in the middle, and the host commits all the same: nothing of it is there.
     *
     * @dataProvider kinds
     */
    public function testHalfOfAStepIsNeverWritten(string $kind): void
    {
        $host = Host::fresh($kind);
        [$id] = self::placed($host, 1);
        $pdo = $host->pdo();
        $records = $host->count('hos_record');
        $fails = match ($kind) {
            'SQLite' => ["CREATE TRIGGER hos_fails BEFORE INSERT ON hos_queue BEGIN SELECT RAISE(FAIL, 'planted'); END"],
            'MariaDB' => ["CREATE TRIGGER hos_fails BEFORE INSERT ON hos_queue FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'planted'"],
            'PostgreSQL' => [
                "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'planted'; END $$",
                'CREATE TRIGGER hos_fails BEFORE INSERT ON hos_queue FOR EACH ROW EXECUTE FUNCTION fails()',
            ],
        };
        array_map($pdo->exec(...), $fails);
        foreach ([[], ['once' => "half-$id"]] as $more) {
            $pdo->beginTransaction();
            try {
                Host::pay(Host::ayse($pdo), $id, ...$more);
                self::fail('it was written');
            } catch (StoreError $error) {
                self::assertStringContainsString('planted', $error->getMessage());
            }
            $pdo->commit();
            self::assertSame($records, $host->count('hos_record'));
        }
        $pdo->exec('DROP TRIGGER hos_fails' . ($kind === 'PostgreSQL' ? ' ON hos_queue' : ''));
        $host->intact();
        $pdo->beginTransaction();
        self::assertTrue(Host::pay(Host::ayse($pdo), $id, once: "half-$id")->allowed);
        $pdo->commit();
        $host->intact();
    }

    /** What is killed clears nothing away. */
    public function testAScriptThatIsKilledLeavesNoFolder(): void
    {
        $tmp = Place::directory();
        $boot = __DIR__ . '/bootstrap.php';
        $code = "require '$boot'; (new Hos\\Tests\\Support\\Host('SQLite', 'sqlite://$tmp/a.db', '$tmp/a.db'))->pdo(); posix_kill(getmypid(), SIGKILL);";
        Place::command([PHP_BINARY, '-r', $code], ['TMPDIR' => $tmp]);
        self::assertSame(['.', '..', 'a.db'], scandir($tmp), 'the script ran, and left what it was told to');
    }

    /** @return list<string> orders that are placed */
    private static function placed(Host $host, int $many): array
    {
        $pdo = $host->pdo();
        $ids = [];
        for ($i = 0; $i < $many; $i++) {
            $ids[] = $id = self::id('day');
            $pdo->beginTransaction();
            $pdo->exec("INSERT INTO orders VALUES ('$id', 'new', 4200)");
            self::assertTrue(Host::place(Host::ayse($pdo), $id)->allowed);
            $pdo->commit();
        }

        return $ids;
    }

    /**
     * @dataProvider isolations
     * @param list<string> $said
     */
    public function testRowsAndEvidenceAgreeWhateverHappens(string $kind, array $said): void
    {
        $host = Host::fresh($kind);
        // A thousand where the database is as it comes, fewer elsewhere.
        $each = $said === [] ? 125 : 25;
        $start = static fn (int $worker, int $first): Script => self::script('joined', $host, "$worker", "$first", "$each", ...$said);
        $running = [];
        for ($worker = 1; $worker <= self::WORKERS; $worker++) {
            $running[$worker] = $start($worker, 1);
        }
        [$killed, $sealed] = [0, 0.0];
        while ($running !== []) {
            foreach ($running as $worker => $script) {
                if (($ended = $script->ended()) === null) {
                    continue;
                }
                unset($running[$worker]);
                $lines = explode("\n", trim($ended[1]));
                $last = (int) end($lines);
                if ($ended[0] === -SIGKILL) {
                    $killed++;
                    if ($last < $each) {
                        $running[$worker] = $start($worker, $last + 1);
                    }
                } else {
                    self::assertSame([0, $each], [$ended[0], $last], $ended[1]);
                }
            }
            // Somebody seals meanwhile.
            if (microtime(true) - $sealed > 0.5) {
                $host->hos('work');
                $sealed = microtime(true);
            }
            usleep(5_000);
        }
        $each < 100 || self::assertGreaterThan(0, $killed);
        $host->intact();
        $orders = $host->count('orders');
        self::assertGreaterThan(20, $orders);
        $id = $host->text('i.id');
        self::assertSame($orders, $host->count("orders o JOIN hos_instance i ON i.contract = 'order' AND $id = o.id AND i.state = o.status"));
        self::assertSame($orders, $host->count("hos_instance WHERE contract = 'order'"));
        $paid = $host->count("orders WHERE status = 'paid'");
        self::assertGreaterThan(10, $paid);
        self::assertSame($paid, $host->count('pays'));
        // Each key that paid did so once, and none is half taken.
        $key = $host->text($kind === 'MariaDB' ? 'k.`key`' : 'k.key');
        self::assertSame($paid, $host->count("pays p JOIN hos_once k ON k.tenant = 'pazar-tr' AND $key = p.evt AND k.n >= 0"));
        self::assertSame(0, $host->count('hos_once WHERE n = -1'));
    }

    /** @dataProvider kinds */
    public function testTwoWebhooksBringOneToLife(string $kind): void
    {
        $host = Host::shared($kind);
        $before = $host->intact();
        $place = Place::directory();
        for ($round = 0; $round < 4; $round++) {
            $id = self::id("hook-$round");
            $go = "$place/go-$round";
            $both = [self::script('birth', $host, $id, "a-$id", $go), self::script('birth', $host, $id, "b-$id", $go)];
            usleep(150_000);
            touch($go);
            $said = [$both[0]->wait(), $both[1]->wait()];
            sort($said);
            self::assertSame([[0, 'born'], [0, 'hos.instance_exists']], $said);
        }
        self::assertSame($before + 4, $host->intact());
    }

    /** @dataProvider kinds */
    public function testADeadlockIsBegunAgain(string $kind): void
    {
        $host = Host::shared($kind);
        [$one, $other] = self::placed($host, 2);
        $signs = Place::directory();
        $both = [
            self::script('crossing', $host, $one, $other, "$signs/1", "$signs/2"),
            self::script('crossing', $host, $other, $one, "$signs/2", "$signs/1"),
        ];
        $tries = 0;
        foreach ($both as $script) {
            [$exit, $said] = $script->wait();
            self::assertSame(0, $exit, $said);
            $tries += (int) $said;
        }
        self::assertGreaterThan(2, $tries, 'neither was in the other\'s way');
        self::assertSame(2, $host->count("hos_instance WHERE {$host->text('id')} IN ('$one', '$other') AND state = 'paid'"));
        $host->intact();
    }

    /**
     * The database has ended the transaction, and its error did not say so: nothing is committed of what came before it, nor of what
     * comes behind.
     *
     * @dataProvider kinds
     */
    public function testADeadlockThatTheWorkHasCaught(string $kind): void
    {
        if ($kind !== 'MariaDB') {
            $this->expectNotToPerformAssertions();

            return;
        }
        $host = Host::shared($kind);
        // As it comes, and as MySQL, which takes no text of several statements.
        foreach ([\PDO::class, TakesNoTexts::class] as $class) {
            [$one, $other] = self::placed($host, 2);
            $pdo = $host->pdo(class: $class);
            $ayse = Host::ayse($pdo);
            self::assertTrue(Host::engine($pdo)->transaction(fn (): Answer => Host::place($ayse, self::id('known')))->allowed);
            foreach ([false, true] as $goesOn) {
                $work = static function (\PDO $pdo) use ($host, $ayse, $one, $other, $goesOn): Answer {
                    $paid = Host::pay($ayse, $one);
                    self::lost($host, $pdo, $one, $other);
                    $goesOn && $pdo->exec("INSERT INTO pays VALUES ('$one', '" . self::id('late') . "')");

                    return $paid;
                };
                self::assertSame('hos.no_transaction', Host::code(fn () => Host::engine($pdo)->transaction($work)));
            }
            foreach ([fn () => Host::pay($ayse, $one), fn () => $ayse->transition('order', $one, 'pay', args: fn () => ['amount' => 4200, 'psp_ref' => 'x'])] as $call) {
                $pdo->beginTransaction();
                self::lost($host, $pdo, $one, $other);
                self::assertSame('hos.no_transaction', Host::code($call));
                $pdo->inTransaction() && $pdo->rollBack();
            }
            // What would leave the claims of a call that is not made has nothing to leave, and would commit by itself.
            $own = new \DomainException('mine');
            $pdo->beginTransaction();
            try {
                $ayse->transition('order', $one, 'pay', args: function () use ($host, $pdo, $one, $other, $own): never {
                    self::lost($host, $pdo, $one, $other);
                    TakesNoTexts::$heard = [];
                    throw $own;
                }, once: self::id('claim'));
                self::fail('it was answered');
            } catch (\DomainException $thrown) {
                self::assertSame([$own, []], [$thrown, TakesNoTexts::$heard]);
            }
            $pdo->inTransaction() && $pdo->rollBack();
            $refused = Host::engine($pdo)->transaction(fn (): Answer => Host::pay($ayse, 'nowhere'));
            $pdo->beginTransaction();
            self::lost($host, $pdo, $one, $other);
            self::assertSame('hos.no_transaction', Host::code(fn () => $ayse->refused($refused)));
            $pdo->inTransaction() && $pdo->rollBack();
            self::assertSame(2, $host->count("hos_instance WHERE {$host->text('id')} IN ('$one', '$other') AND state = 'new'"));
            self::assertTrue(Host::engine($pdo)->transaction(fn (): Answer => Host::pay($ayse, $one))->allowed);
        }
        $host->intact();
    }

    /** The connection's transaction is lost in a deadlock. */
    private static function lost(Host $host, \PDO $pdo, string $one, string $other): void
    {
        $deadlock = new Deadlock($host, $pdo, $one, $other);
        try {
            $deadlock->close();
        } catch (\PDOException $error) {
            self::assertSame(1213, $error->errorInfo[1]);
        }
        $deadlock->end();
    }

    /** @dataProvider kinds */
    public function testWhereTheDatabaseTakesNoWritesNothingIsJudged(string $kind): void
    {
        $host = Host::shared($kind);
        [$id] = self::placed($host, 1);
        $pdo = $host->pdo();
        $kind === 'SQLite' && $pdo->exec('PRAGMA query_only = ON');
        $pdo->exec($kind === 'SQLite' ? 'BEGIN' : 'START TRANSACTION READ ONLY');
        self::assertSame('hos.store_read_only', Host::code(fn () => Host::pay(Host::ayse($pdo), $id)));
        $pdo->exec('ROLLBACK');
        $host->intact();
    }

    /** @dataProvider kinds */
    public function testARowThatChangedUnderASnapshotIsBegunAgain(string $kind): void
    {
        $host = Host::shared($kind);
        foreach (['ours', 'the host\'s'] as $whose) {
            [$id] = self::placed($host, 1);
            $pdo = $host->pdo(said: self::SNAPSHOT[$kind]);
            $ayse = Host::ayse($pdo);
            $ayse->can('shop.edit', Host::SHOP);
            $tries = 0;
            $paid = Host::engine($pdo)->transaction(function (\PDO $pdo) use ($whose, $host, $ayse, $id, &$tries): Answer {
                self::assertSame(1, (int) $pdo->query("SELECT count(*) FROM orders WHERE id = '$id'")->fetchColumn());
                if (++$tries === 1) {
                    // Somebody else is faster.
                    $other = $host->pdo();
                    $other->beginTransaction();
                    $whose === 'ours' ? Host::pay(Host::ayse($other), $id) : $other->exec("UPDATE orders SET total = total + 1 WHERE id = '$id'");
                    $other->commit();
                }
                if ($whose !== 'ours') {
                    $pdo->exec("UPDATE orders SET status = 'paid' WHERE id = '$id'");
                }

                return Host::pay($ayse, $id);
            });
            self::assertTrue($paid->allowed);
            self::assertSame(2, $tries, $whose);
        }
        $host->intact();
    }

    /** @dataProvider kinds */
    public function testTheRetryHelper(string $kind): void
    {
        $host = Host::shared($kind);
        [$id] = self::placed($host, 1);
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

    /** MariaDB's other language: nothing of ours could be written in it, so nothing is claimed, whatever the host does. */
    public function testAConnectionThatSpeaksAnotherLanguage(): void
    {
        $host = in_array('MariaDB', array_column(Host::kinds(), 0), true) ? Host::fresh('MariaDB') : null;
        if ($host === null) {
            $this->expectNotToPerformAssertions();

            return;
        }
        [$id] = self::placed($host, 1);
        $records = $host->count('hos_record');
        // As it comes, and as MySQL; where the process has read the law before, and where it has not.
        foreach ([\PDO::class, TakesNoTexts::class] as $class) {
            foreach ([false, true] as $asks) {
                $pdo = $host->pdo(said: ["SET sql_mode = 'ORACLE'"], class: $class);
                $engine = Engine::open(null, store: $pdo, database: self::id('oracle'));
                $ayse = $engine->tenant('pazar-tr')->as('Pazar::Account::"ayse"');
                $asks && self::assertTrue($ayse->can('shop.view', Host::SHOP)->allowed, 'what only asks is understood');
                $args = ['amount' => 4200, 'psp_ref' => 'x'];
                foreach ([
                    fn () => Host::place($ayse, "$id-2", once: "$id-2"),
                    fn () => Host::pay($ayse, $id, once: $id),
                    fn () => $ayse->transition('order', $id, 'pay', args: fn () => $args, once: $id),
                    fn () => $ayse->transition('order', $id, 'pay', args: $args, once: $id, legacy: true),
                    fn () => $ayse->all([Call::transition('order', $id, 'pay', $args, once: $id)]),
                ] as $call) {
                    $pdo->beginTransaction();
                    try {
                        $call();
                        self::fail('it was answered');
                    } catch (CallError $error) {
                        self::assertSame('hos.call_malformed', $error->code());
                        self::assertStringContainsString('sql_mode holds ORACLE', $error->getMessage());
                    }
                    $pdo->commit();
                }
                self::assertSame(0, $host->count("hos_instance WHERE state = ''") + $host->count('hos_once WHERE n = -1'), 'nothing is claimed');
            }
        }
        self::assertSame($records, $host->count('hos_record'));
        $pdo->exec("SET sql_mode = 'ANSI'");
        self::assertTrue($engine->transaction(fn (): Answer => Host::pay($ayse, $id, once: $id))->allowed);
        $host->intact();
    }

    /** @dataProvider kinds */
    public function testACommitWhoseOutcomeNobodyKnows(string $kind): void
    {
        $host = Host::shared($kind);
        [$id] = self::placed($host, 1);
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

    /** Two connections, two databases: what is known of one is not said of the other. */
    public function testTwoDatabasesInOneProcess(): void
    {
        foreach (Host::kinds() as [$kind]) {
            [$one, $other] = [Host::shared($kind), Host::fresh($kind)];
            $other->hos('directory', 'remove', 'Account::ayse', '--tenant', 'universe', '--as', 'Account::root');
            foreach ([$one, $other, $one, $other] as $host) {
                $pdo = $host->pdo();
                $pdo->beginTransaction();
                $answer = Host::place(Host::ayse($pdo), self::id('two'));
                $pdo->commit();
                self::assertSame($host === $one, $answer->allowed, "$kind: $answer->code");
            }
            $other->intact();
        }
    }

    public function testAForkedChildOpensItsOwn(): void
    {
        foreach (Host::kinds() as [$kind]) {
            $host = Host::shared($kind);
            [$exit, $said] = self::script('forked', $host)->wait();
            self::assertSame([0, 'child paid, parent paid'], [$exit, $said], $kind);
            $host->intact();
        }
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
