<?php

declare(strict_types=1);

namespace Hos\Tests;

use Hos\Answer;
use Hos\Call;
use Hos\CallError;
use Hos\Engine;
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
        [$id] = $host->placed(1);
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
        [$id] = $host->placed(1);
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
        [$one, $other] = $host->placed(2);
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
            [$one, $other] = $host->placed(2);
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
        [$id] = $host->placed(1);
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
            [$id] = $host->placed(1);
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

    /** MariaDB's other language: nothing of ours could be written in it, so nothing is claimed, whatever the host does. */
    public function testAConnectionThatSpeaksAnotherLanguage(): void
    {
        $host = in_array('MariaDB', array_column(Host::kinds(), 0), true) ? Host::fresh('MariaDB') : null;
        if ($host === null) {
            $this->expectNotToPerformAssertions();

            return;
        }
        [$id] = $host->placed(1);
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
