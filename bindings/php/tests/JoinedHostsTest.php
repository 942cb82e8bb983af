<?php

declare(strict_types=1);

namespace Hos\Tests;

use Hos\Engine;
use Hos\Pdo\Connection;
use Hos\Tests\Support\Host;
use Hos\Tests\Support\Place;
use Hos\Tests\Support\TakesNoTexts;
use Hos\Uid;
use PHPUnit\Framework\TestCase;

/** Hosts of all kinds: what their ids are, how they like their PDO, and what tables and law they have. */
final class JoinedHostsTest extends TestCase
{
    public function kinds(): array
    {
        return Host::kinds();
    }

    private static function stateOf(Host $host, string $id): ?string
    {
        foreach ($host->pdo()->query('SELECT id, state FROM hos_instance')->fetchAll(\PDO::FETCH_NUM) as [$found, $state]) {
            if ((is_resource($found) ? stream_get_contents($found) : $found) === $id) {
                return $state;
            }
        }

        return null;
    }

    /** @dataProvider kinds */
    public function testIdsAreBytes(string $kind): void
    {
        $host = Host::shared($kind);
        $pdo = $host->pdo();
        $ayse = Host::ayse($pdo);
        $begun = bin2hex(random_bytes(3));
        $ids = ["$begun-a", "$begun-A", "$begun-a ", "$begun-a  ", "$begun-ä", "$begun-a\u{308}", "$begun-😀", "$begun-\u{1F469}\u{200D}\u{1F4BB}", "$begun-'\"\\?:x", "$begun-%_", "$begun-\0", "$begun-\0x", "$begun-a\0"];
        $before = $host->intact();
        foreach ($ids as $id) {
            $pdo->beginTransaction();
            self::assertTrue(Host::place($ayse, $id, once: "k $id")->allowed, $id);
            $pdo->commit();
        }
        $pdo->beginTransaction();
        self::assertTrue(Host::pay($ayse, $ids[1], once: "K $ids[0]")->allowed);
        $pdo->commit();
        foreach ($ids as $at => $id) {
            self::assertSame($at === 1 ? 'paid' : 'new', self::stateOf($host, $id), $id);
        }
        $pdo->beginTransaction();
        self::assertSame('hos.id_invalid', Host::code(fn () => Host::place($ayse, '')));
        self::assertSame('hos.call_malformed', Host::code(fn () => Host::place($ayse, "$begun\xff")));
        $pdo->rollBack();
        self::assertSame($before + count($ids) + 1, $host->intact());
    }

    /**
     * However the host likes its PDO, the answers are the same, and it is as it was afterwards.
     *
     * @dataProvider kinds
     */
    public function testTheHostsOwnSettings(string $kind): void
    {
        $host = Host::shared($kind);
        $settings = [
            [\PDO::ATTR_ERRMODE => \PDO::ERRMODE_SILENT],
            [\PDO::ATTR_PERSISTENT => true],
            [\PDO::ATTR_ERRMODE => \PDO::ERRMODE_WARNING, \PDO::ATTR_STRINGIFY_FETCHES => true],
            [\PDO::ATTR_ORACLE_NULLS => \PDO::NULL_EMPTY_STRING],
            [\PDO::ATTR_ORACLE_NULLS => \PDO::NULL_TO_STRING, \PDO::ATTR_CASE => \PDO::CASE_UPPER],
            [\PDO::ATTR_DEFAULT_FETCH_MODE => \PDO::FETCH_OBJ, \PDO::ATTR_STATEMENT_CLASS => [LoudStatement::class]],
        ];
        foreach ($kind === 'SQLite' ? [] : [true, false] as $emulated) {
            $settings[] = [\PDO::ATTR_EMULATE_PREPARES => $emulated];
            $settings[] = [\PDO::ATTR_EMULATE_PREPARES => $emulated, \PDO::ATTR_STRINGIFY_FETCHES => true];
        }
        if ($kind === 'MariaDB') {
            $settings[] = [\PDO::MYSQL_ATTR_FOUND_ROWS => true];
            $settings[] = [\PDO::MYSQL_ATTR_USE_BUFFERED_QUERY => false];
            $settings[] = [\PDO::MYSQL_ATTR_INIT_COMMAND => "SET sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'"];
            $settings[] = [\PDO::MYSQL_ATTR_INIT_COMMAND => 'SET NAMES latin5', \PDO::ATTR_EMULATE_PREPARES => true];
        }
        foreach ($settings as $at => $options) {
            $pdo = $host->pdo($options);
            $kept = array_map($pdo->getAttribute(...), $read = array_diff(array_keys($options), [\PDO::MYSQL_ATTR_INIT_COMMAND, \PDO::MYSQL_ATTR_FOUND_ROWS]));
            $ayse = Host::ayse($pdo);
            $id = "set-$at-ü'\\-" . bin2hex(random_bytes(4));
            $pdo->beginTransaction();
            self::assertTrue(Host::place($ayse, $id)->allowed);
            self::assertSame('order.amount_short', $ayse->transition('order', $id, 'pay', args: ['amount' => 1, 'psp_ref' => 'x'])->code);
            self::assertTrue(Host::pay($ayse, $id, once: $id)->allowed);
            self::assertTrue(Host::pay($ayse, $id, once: $id)->again);
            $pdo->commit();
            self::assertSame('paid', self::stateOf($host, $id), (string) json_encode($options));
            self::assertSame($kept, array_map($pdo->getAttribute(...), $read));
            self::assertFalse(LoudStatement::$ran, 'our statements are our own');
        }
        $host->intact();
    }

    /**
     * To the server the last byte of the id's letter and a backslash behind it are one letter, and what is quoted by another
     * character set than the session's ends at the quote.
     *
     * @dataProvider kinds
     */
    public function testACharacterSetInWhichABackslashIsHalfALetter(string $kind): void
    {
        if ($kind !== 'MariaDB') {
            $this->expectNotToPerformAssertions();

            return;
        }
        $host = Host::fresh($kind);
        foreach (['gbk' => "\u{4f60}", 'big5' => "\u{4f61}", 'sjis' => "\u{4f41}"] as $set => $letter) {
            foreach ([true, false] as $emulated) {
                $pdo = $host->pdo([\PDO::MYSQL_ATTR_INIT_COMMAND => "SET NAMES $set", \PDO::ATTR_EMULATE_PREPARES => $emulated]);
                $ayse = Host::ayse($pdo);
                [$id, $odd] = ["$set-" . (int) $emulated, "$letter' OR 1=1 -- "];
                $pdo->beginTransaction();
                self::assertTrue(Host::place($ayse, $id)->allowed);
                $pdo->commit();
                // What was claimed for it is left by a statement of its own, also where a function fails.
                $pdo->beginTransaction();
                self::assertSame('hos.instance_unknown', Host::pay($ayse, $odd)->code);
                self::assertSame('hos.value_invalid', Host::code(fn () => $ayse->transition('order', $odd, 'pay', args: fn () => 7)));
                $pdo->commit();
                self::assertSame('new', self::stateOf($host, $id), $set);
                $pdo->beginTransaction();
                self::assertTrue(Host::place($ayse, "$odd$id", once: "$odd$id")->allowed);
                $pdo->commit();
                self::assertSame('new', self::stateOf($host, "$odd$id"), $set);
            }
        }
        self::assertSame(12, $host->count("hos_instance WHERE contract = 'order'"));
        $host->intact();
    }

    /** @dataProvider kinds */
    public function testADatabaseWithoutTheTables(string $kind): void
    {
        $host = Host::fresh($kind);
        $pdo = $host->pdo();
        $ayse = Host::ayse($pdo);
        $pdo->beginTransaction();
        self::assertTrue(Host::place($ayse, 'here')->allowed);
        $pdo->commit();
        // Another version's tables.
        $host->pdo()->exec('ALTER TABLE hos_instance RENAME COLUMN facts TO facts_before');
        $pdo->beginTransaction();
        self::assertSame('hos.store_version', Host::code(fn () => Host::pay($ayse, 'here')));
        $pdo->rollBack();
        $host->pdo()->exec('ALTER TABLE hos_instance RENAME COLUMN facts_before TO facts');
        $pdo->beginTransaction();
        self::assertTrue(Host::pay($ayse, 'here')->allowed);
        $pdo->commit();
        $host->intact();
        // None at all.
        $host->pdo()->exec('DROP TABLE hos_instance');
        $pdo->beginTransaction();
        self::assertSame('hos.store_version', Host::code(fn () => Host::pay($ayse, 'here')));
        $pdo->rollBack();
        $host->pdo()->exec('DROP TABLE hos_store');
        $pdo = $host->pdo();
        $pdo->beginTransaction();
        self::assertSame('hos.store_version', Host::code(fn () => Host::pay(Host::ayse($pdo), 'here')));
        $pdo->rollBack();
    }

    /**
     * What a question reads is read anew by the next one: without autocommit MySQL would go on in the transaction that it began.
     *
     * @dataProvider kinds
     */
    public function testAQuestionLeavesNoTransaction(string $kind): void
    {
        $host = Host::fresh($kind);
        $pdo = $host->pdo($kind === 'MariaDB' ? [\PDO::ATTR_AUTOCOMMIT => 0] : []);
        // So that each question looks at the store.
        $engine = Engine::open(null, store: $pdo, directoryAgeMaxMs: 0);
        $ayse = $engine->tenant('pazar-tr')->as('Pazar::Account::"ayse"');
        $shop = new \Hos\Uid('Pazar::Shop', 's1');
        $legacy = static fn (): bool => $ayse->can('shop.edit', $shop, legacy: true)->code === null;
        $asks = [
            'can' => static fn (): bool => $ayse->can('shop.edit', $shop)->allowed,
            'canAll' => static fn (): bool => $ayse->canAll([new \Hos\Question('shop.edit', $shop)])[0]->allowed,
            'beside the world' => $legacy,
        ];
        foreach ($asks as $how => $may) {
            $host->hos('directory', 'grant', "g-$how", 'shop-manager', '--principal', 'Account::ayse', '--resource', 'Shop::s1', '--tenant', 'pazar-tr', '--as', 'Account::root');
            self::assertTrue($may(), $how);
            self::assertFalse($pdo->inTransaction(), $how);
            $host->hos('directory', 'revoke', "g-$how", '--tenant', 'pazar-tr', '--as', 'Account::root');
            self::assertFalse($may(), "$how, after it was revoked");
        }
        // A question that fails, and a transaction behind it.
        self::assertSame('hos.tenant_unknown', Host::code(fn () => $engine->tenant('none')->as('Pazar::Account::"ayse"')->can('shop.edit', $shop)));
        self::assertFalse($pdo->inTransaction());
        self::assertTrue($engine->transaction(fn (): bool => Host::place($ayse, 'behind')->allowed));
        // One that the host has begun goes on.
        $kind === 'MariaDB' || $pdo->beginTransaction();
        $pdo->exec("INSERT INTO orders VALUES ('own', 'new', 4200)");
        array_map(static fn (\Closure $may): bool => $may(), $asks);
        self::assertTrue($kind === 'SQLite' || $pdo->inTransaction());
        $kind === 'MariaDB' ? $pdo->exec('COMMIT') : $pdo->commit();
        self::assertSame(1, $host->count("orders WHERE id = 'own'"));
    }

    /** What SQLite has read once is run again, and stands in the way of nothing that the host does between two calls. */
    public function testStatementsThatAreKept(): void
    {
        $host = Host::fresh('SQLite');
        $pdo = $host->pdo(class: TakesNoTexts::class);
        $ayse = Host::ayse($pdo);
        $begin = static fn (): bool => $pdo->beginTransaction() && $pdo->exec('PRAGMA busy_timeout = 0') !== false;
        $begin();
        $facts = ['buyer' => $ayse->principal, 'shop' => Uid::parse(Host::SHOP), 'total' => 0];
        self::assertTrue($ayse->begin('order', 'kept', 'draft', facts: $facts)->allowed);
        $pdo->commit();
        $change = static fn (int $total): bool => $ayse->transition('order', 'kept', 'change', args: ['total' => $total])->allowed;
        $changed = static function (int $total) use ($pdo, $begin, $change): array {
            TakesNoTexts::$heard = [];
            $begin();
            self::assertTrue($change($total));
            $pdo->commit();

            return TakesNoTexts::$heard;
        };
        self::assertNotSame([], $changed(1));
        self::assertSame([], $changed(2));

        // Statements that were left in the middle would refuse each of these.
        foreach (['VACUUM', 'ALTER TABLE orders ADD COLUMN note TEXT', 'PRAGMA journal_mode = DELETE', 'PRAGMA journal_mode = WAL'] as $sql) {
            self::assertNotFalse($pdo->exec($sql), $sql);
            self::assertSame([], $changed(3), $sql);
        }

        // One that fails, for somebody else writes, is not run again.
        $other = $host->pdo();
        $other->exec('BEGIN IMMEDIATE');
        TakesNoTexts::$heard = [];
        $begin();
        self::assertSame('hos.retry', Host::code(fn () => $change(4)));
        $pdo->rollBack();
        $other->exec('ROLLBACK');
        self::assertSame([], TakesNoTexts::$heard);
        self::assertCount(1, $changed(4));
        self::assertSame([], $changed(5));
        $host->intact();
    }

    /** A host's handler may throw at any moment: whatever it breaks off, nothing stays in the middle that would hold the file. */
    public function testAStatementThatAHandlerBreaksOff(): void
    {
        $file = Place::directory() . '/broken.db';
        $pdo = new \PDO("sqlite:$file");
        $pdo->exec('CREATE TABLE t (a)');
        $pdo->exec('INSERT INTO t VALUES (1), (2), (3)');
        $connection = new Connection($pdo);
        $asked = array_map(static fn (int $n): \stdClass => (object) ['sql' => "SELECT a, $n FROM t WHERE a > ?", 'params' => [0], 'reads' => true], range(1, 10));
        $armed = false;
        pcntl_async_signals(true);
        pcntl_signal(SIGALRM, static function () use (&$armed): void {
            if ($armed) {
                $armed = false;
                throw new \UnexpectedValueException('time is up');
            }
        });
        $parent = posix_getpid();
        $child = pcntl_fork();
        if ($child === 0) {
            for ($i = 0; $i < 1500; $i++) {
                usleep(random_int(200, 900));
                posix_kill($parent, SIGALRM);
            }
            posix_kill(posix_getpid(), SIGKILL);
        }
        $broken = 0;
        while (pcntl_waitpid($child, $status, WNOHANG) === 0) {
            $pdo->beginTransaction();
            try {
                $armed = true;
                foreach ($asked as $said) {
                    $connection->run($said);
                }
                // In here still: behind the block nobody would catch what the handler throws.
                $armed = false;
            } catch (\UnexpectedValueException) {
                $broken++;
            }
            $pdo->rollBack();
        }
        pcntl_signal(SIGALRM, SIG_DFL);
        self::assertGreaterThan(0, $broken);
        self::assertNotFalse($pdo->exec('VACUUM'));
        $other = new \PDO("sqlite:$file", options: [\PDO::ATTR_TIMEOUT => 0]);
        self::assertSame(1, $other->exec('INSERT INTO t VALUES (4)'));
    }

    /** @dataProvider kinds */
    public function testALawThatChangesBetweenTwoRequests(string $kind): void
    {
        $law = Place::directory() . '/law';
        Place::command(['cp', '-r', Place::law(), $law]);
        $host = Host::fresh($kind, $law);
        $pdo = $host->pdo();
        $pazar = Engine::open($law, store: $pdo)->tenant('pazar-tr')->as('Pazar::Account::"ayse"');
        foreach (['1', '2'] as $id) {
            $pdo->beginTransaction();
            self::assertTrue(Host::place($pazar, $id)->allowed);
            $pdo->commit();
        }
        $contract = (string) file_get_contents("$law/contracts/order.toml");
        file_put_contents("$law/contracts/order.toml", str_replace('context.amount >= resource.total', 'context.amount >= 0', $contract, $changed));
        self::assertSame(1, $changed);
        $host->hos('law', 'activate', $law, '--tenant', 'universe', '--as', 'Account::root');
        // The engine that is open, and one that is opened by the other law.
        foreach ([$pazar, Engine::open($law, store: $pdo)->tenant('pazar-tr')->as('Pazar::Account::"ayse"')] as $at => $one) {
            $pdo->beginTransaction();
            self::assertTrue(Host::place($one, "new-$at")->allowed);
            $paid = $one->transition('order', "new-$at", 'pay', args: ['amount' => 1, 'psp_ref' => 'x']);
            self::assertTrue($paid->allowed, (string) $paid->code);
            // An instance lives under the law that it began under.
            self::assertSame('order.amount_short', $one->transition('order', '1', 'pay', args: ['amount' => 1, 'psp_ref' => 'x'])->code);
            $pdo->commit();
        }
        $pdo = $host->pdo();
        $pdo->beginTransaction();
        $old = Engine::open(Place::law(), store: $pdo)->tenant('pazar-tr')->as('Pazar::Account::"ayse"');
        self::assertSame('hos.law_not_active', Host::code(fn () => Host::pay($old, '2')));
        $pdo->rollBack();
        $host->intact();
    }
}

/** What a host may put in the place of PDO's own statements. */
final class LoudStatement extends \PDOStatement
{
    public static bool $ran = false;

    public function execute(?array $params = null): bool
    {
        self::$ran = true;

        return parent::execute($params);
    }
}
