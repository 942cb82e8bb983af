<?php

declare(strict_types=1);

namespace Hos\Tests;

use Hos\Answer;
use Hos\Call;
use Hos\Engine;
use Hos\HosError;
use Hos\Question;
use Hos\Tests\Support\Host;
use Hos\Tests\Support\Place;
use Hos\Uid;
use PHPUnit\Framework\TestCase;

/** Calls in a transaction of the host's own: its rows and the evidence are one commit. */
final class JoinedTest extends TestCase
{
    public function isolations(): array
    {
        return Host::isolations();
    }

    public function kinds(): array
    {
        return Host::kinds();
    }

    private static function state(Host $host, string $id): ?string
    {
        $pdo = $host->pdo();
        $found = $pdo->query("SELECT state FROM hos_instance WHERE contract = 'order' AND {$host->text('id')} = {$pdo->quote($id)}")->fetchColumn();

        return $found === false ? null : $found;
    }

    /**
     * @dataProvider isolations
     * @param list<string> $said
     */
    public function testRowsAndEvidenceAreOneCommit(string $kind, array $said): void
    {
        $host = Host::shared($kind);
        $pdo = $host->pdo(said: $said);
        $ayse = Host::ayse($pdo);
        $id = 'one-' . bin2hex(random_bytes(4));
        $before = $host->intact();

        $pdo->beginTransaction();
        $pdo->exec("INSERT INTO orders VALUES ('$id', 'new', 4200)");
        $answer = Host::place($ayse, $id);
        self::assertTrue($answer->allowed, (string) $answer->code);
        self::assertSame(['new', 0, null], [$answer->to, $answer->receipt->n, $answer->receipt->seal]);
        self::assertNull(self::state($host, $id), 'nobody sees it before the commit');
        $pdo->commit();
        self::assertSame('new', self::state($host, $id));

        // What is rolled back was never there.
        $pdo->beginTransaction();
        $pdo->exec("UPDATE orders SET status = 'paid' WHERE id = '$id'");
        self::assertTrue(Host::pay($ayse, $id, once: "evt-$id")->allowed);
        $pdo->rollBack();
        self::assertSame('new', self::state($host, $id));

        // Refused: nothing of it is stored, though the host commits.
        $pdo->beginTransaction();
        $short = $ayse->transition('order', $id, 'pay', args: ['amount' => 1, 'psp_ref' => 'x'], once: "evt-$id");
        $pdo->commit();
        self::assertSame([false, 'order.amount_short'], [$short->allowed, $short->code]);
        self::assertSame('Ödenen tutar sipariş tutarından az.', $short->message('tr'));
        self::assertSame(0, $host->count("hos_once WHERE {$host->text($kind === 'MariaDB' ? '`key`' : 'key')} = 'evt-$id'"));

        // The arguments are read under the claim, and the key is free.
        $pdo->beginTransaction();
        $total = fn (): array => ['amount' => (int) $pdo->query("SELECT total FROM orders WHERE id = '$id'")->fetchColumn(), 'psp_ref' => 'x'];
        $paid = $ayse->transition('order', $id, 'pay', args: $total, once: "evt-$id");
        self::assertSame([true, 'paid', false], [$paid->allowed, $paid->to, $paid->again], (string) $paid->code);
        $pdo->commit();
        // Once more, in another transaction: the first receipt.
        $pdo->beginTransaction();
        $again = $ayse->transition('order', $id, 'pay', args: $total, once: "evt-$id");
        self::assertSame([true, true, $paid->receipt->record], [$again->allowed, $again->again, $again->receipt->record]);
        $pdo->commit();
        $sealed = $host->intact();
        self::assertSame($before + 2, $sealed);
        $pdo->beginTransaction();
        $again = $ayse->transition('order', $id, 'pay', args: $total, once: "evt-$id");
        self::assertNotNull($again->receipt->seal, 'its place in the log is known by now');
        $pdo->rollBack();
        self::assertSame($sealed, $host->intact());
    }

    /** @dataProvider kinds */
    public function testEveryDoorThatWrites(string $kind): void
    {
        $host = Host::shared($kind);
        $pdo = $host->pdo();
        $tenant = Host::engine($pdo)->tenant('pazar-tr');
        [$ayse, $root] = [$tenant->as('Pazar::Account::"ayse"'), $tenant->as('Pazar::Account::"root"')];
        $grant = 'g-' . bin2hex(random_bytes(4));

        self::assertFalse($ayse->can('shop.edit', Host::SHOP)->allowed);
        $asked = array_map(fn (string $action): Question => new Question($action, Host::SHOP), ['shop.edit', 'shop.view']);
        self::assertSame([false, true], array_map(fn (Answer $one): bool => $one->allowed, $ayse->canAll($asked)));
        $pdo->beginTransaction();
        self::assertTrue($root->directory->grant($grant, 'shop-manager', principal: $ayse->principal, resource: Host::SHOP)->allowed);
        $pdo->rollBack();
        $pdo->beginTransaction();
        self::assertTrue($root->directory->grant($grant, 'shop-manager', principal: $ayse->principal, resource: Host::SHOP)->allowed);
        $pdo->commit();
        self::assertTrue($ayse->authorize('shop.edit', Host::SHOP)->allowed, 'what is committed here is seen at once');
        $pdo->beginTransaction();
        self::assertTrue($root->directory->revoke($grant)->allowed);
        $pdo->commit();
        self::assertFalse($ayse->can('shop.edit', Host::SHOP)->allowed);

        $pdo->beginTransaction();
        $note = $root->record('notes.php', payload: "line\nü", once: $grant);
        self::assertTrue($note->allowed, (string) $note->code);
        self::assertNull($note->receipt->n, 'a stream gives places when it is sealed');
        $pdo->commit();
        $host->intact();
        $pdo->beginTransaction();
        self::assertIsInt($root->record('notes.php', payload: "line\nü", once: $grant)->receipt->n);
        $pdo->commit();

        $pdo->beginTransaction();
        $facts = fn (): array => ['buyer' => $ayse->principal, 'shop' => \Hos\Uid::parse(Host::SHOP), 'total' => 7];
        self::assertTrue($ayse->begin('order', "c-$grant", 'draft', facts: $facts)->allowed);
        $pdo->commit();
        $host->intact();
    }

    /** @dataProvider kinds */
    public function testSeveralCallsAreOne(string $kind): void
    {
        $host = Host::shared($kind);
        $pdo = $host->pdo();
        $tenant = Host::engine($pdo)->tenant('pazar-tr');
        [$ayse, $root] = [$tenant->as('Pazar::Account::"ayse"'), $tenant->as('Pazar::Account::"root"')];
        $before = $host->intact();
        [$one, $two] = ['all-1-' . bin2hex(random_bytes(4)), 'all-2-' . bin2hex(random_bytes(4))];
        $facts = ['buyer' => $ayse->principal, 'shop' => \Hos\Uid::parse(Host::SHOP), 'total' => 7];
        $place = static fn (string $id, ?string $once = null): Call => Call::begin('order', $id, 'place', facts: $facts, once: $once);
        $told = static fn (Answer $one): array => [$one->allowed, $one->code, $one->receipt !== null];

        // The second is refused: of the first nothing is left, though the host commits.
        $pdo->beginTransaction();
        $answers = $ayse->all([$place($one, $two), Call::transition('order', 'nowhere', 'pay', ['amount' => 1, 'psp_ref' => 'x']), $place($two)]);
        self::assertSame([[true, null, false], [false, 'hos.instance_unknown', false]], array_map($told, $answers));
        $pdo->commit();
        self::assertSame([null, null], [self::state($host, $one), self::state($host, $two)]);
        $pdo->exec('DELETE FROM pays');
        $rolled = Host::engine($pdo)->transaction(function (\PDO $pdo) use ($ayse, $place, $one): array {
            $pdo->exec("INSERT INTO pays VALUES ('$one', '$one')");

            return $ayse->all([$place($one), Call::transition('order', 'nowhere', 'pay', ['amount' => 1, 'psp_ref' => 'x'])]);
        });
        self::assertSame([true, false], array_map(fn (Answer $one): bool => $one->allowed, $rolled));
        self::assertSame(0, (int) $pdo->query('SELECT count(*) FROM pays')->fetchColumn(), "the host's row went too");
        // Any other array is the caller's own business.
        Host::engine($pdo)->transaction(function (\PDO $pdo) use ($ayse, $one): array {
            $pdo->exec("INSERT INTO pays VALUES ('$one', '$one')");

            return [$ayse->can('shop.edit', Host::SHOP)];
        });
        self::assertSame(1, (int) $pdo->query('SELECT count(*) FROM pays')->fetchColumn());
        $pdo->beginTransaction();
        self::assertSame('hos.instance_unknown', $ayse->refused($answers[1])->code);
        $pdo->commit();
        self::assertSame($before + 1, $host->intact());

        $pdo->beginTransaction();
        self::assertSame([[true, null, true], [true, null, true]], array_map($told, $ayse->all([$place($one, $two), $place($two)])));
        $pdo->commit();
        self::assertSame(['new', 'new'], [self::state($host, $one), self::state($host, $two)]);
        $pdo->beginTransaction();
        $notes = [Call::record('notes.php', payload: 'x', once: $one), Call::record('notes.php', payloadHex: 'ff', subject: $ayse->principal, context: [])];
        self::assertSame([true, true], array_map(fn (Answer $one): bool => $one->allowed, $root->all($notes)));
        $pdo->commit();
        self::assertSame($before + 5, $host->intact());

        $pdo->beginTransaction();
        foreach ([[], [$place('x'), $place('x')], ['x'], array_fill(0, 17, $place('x'))] as $calls) {
            self::assertSame('hos.call_malformed', Host::code(fn () => $ayse->all($calls)));
        }
        $pdo->rollBack();
        self::assertSame('hos.no_transaction', Host::code(fn () => $ayse->all([$place($one . 'x')])));
        $own = Engine::open(null, store: Place::pazar())->tenant('pazar-tr')->as('Pazar::Account::"ayse"');
        self::assertSame('hos.call_malformed', Host::code(fn () => $own->all([$place('x')])), 'a store of its own commits each call');
    }

    /** @dataProvider kinds */
    public function testADatabaseThatIsNamedIsNotAsked(string $kind): void
    {
        $host = Host::shared($kind);
        $name = 'named-' . bin2hex(random_bytes(4));
        foreach ([1, 2] as $connection) {
            $pdo = $host->pdo();
            $ayse = Engine::open(null, store: $pdo, database: $name)->tenant('pazar-tr')->as('Pazar::Account::"ayse"');
            $pdo->beginTransaction();
            self::assertTrue(Host::place($ayse, "$name-$connection")->allowed);
            $pdo->commit();
        }
        $host->intact();
        // The name of another: nothing is judged by what is known of the first.
        $pdo = Host::fresh($kind)->pdo();
        $ayse = Engine::open(null, store: $pdo, database: $name)->tenant('pazar-tr')->as('Pazar::Account::"ayse"');
        $pdo->beginTransaction();
        self::assertSame('hos.store_unavailable', Host::code(fn () => Host::place($ayse, "$name-3")));
        $pdo->rollBack();
        self::assertSame('hos.call_malformed', Host::code(fn () => Engine::open(null, store: '/tmp/x.db', database: 'x')));
    }

    /** @dataProvider kinds */
    public function testARefusalBecomesEvidence(string $kind): void
    {
        $host = Host::shared($kind);
        $pdo = $host->pdo();
        $ayse = Host::ayse($pdo);
        $before = $host->intact();
        $pdo->beginTransaction();
        $refused = Host::pay($ayse, 'nowhere');
        self::assertSame('hos.instance_unknown', $refused->code);
        $pdo->rollBack();
        self::assertSame('hos.no_transaction', Host::code(fn () => $ayse->refused($refused)));
        self::assertSame($before, $host->intact());

        $pdo->beginTransaction();
        $refused = Host::pay($ayse, 'nowhere');
        $pdo->rollBack();
        $pdo->beginTransaction();
        $kept = $ayse->refused($refused);
        self::assertSame([false, 'hos.instance_unknown'], [$kept->allowed, $kept->code]);
        self::assertNotNull($kept->receipt);
        self::assertSame('hos.call_malformed', Host::code(fn () => $ayse->refused($refused)), 'once');
        $pdo->commit();
        self::assertSame($before + 1, $host->intact());
        $pdo->beginTransaction();
        $id = 'kept-' . bin2hex(random_bytes(4));
        self::assertSame('hos.call_malformed', Host::code(fn () => $ayse->refused(Host::place($ayse, $id))), 'of a yes there is nothing to keep');
        $pdo->rollBack();
    }

    /** @dataProvider kinds */
    public function testOutsideATransactionNothingIsWritten(string $kind): void
    {
        $host = Host::shared($kind);
        $before = $host->intact();
        $pdo = $host->pdo();
        $ayse = Host::ayse($pdo);
        $ran = 0;
        foreach ([
            fn () => Host::place($ayse, 'outside'),
            fn () => $ayse->transition('order', 'outside', 'pay', args: function () use (&$ran): array {
                $ran++;

                return [];
            }),
            fn () => $ayse->directory->put('Pazar::Role::"x"'),
            fn () => $ayse->record('s', payload: 'x'),
        ] as $call) {
            self::assertSame('hos.no_transaction', Host::code($call));
        }
        self::assertSame(0, $ran);
        self::assertFalse($pdo->inTransaction(), 'looking has left none open');
        // Nor after one.
        $pdo->beginTransaction();
        $pdo->commit();
        self::assertSame('hos.no_transaction', Host::code(fn () => Host::place($ayse, 'outside')));
        self::assertSame(0, $host->count("hos_instance WHERE {$host->text('id')} = 'outside'"));
        self::assertSame($before, $host->intact());
        // `can` needs none.
        self::assertFalse($ayse->can('shop.edit', Host::SHOP)->allowed);
    }

    /**
     * What a step is made of is no call: a claim would read as a yes, and leave its row.
     *
     * @dataProvider kinds
     */
    public function testWhatIsNoCall(string $kind): void
    {
        $host = Host::shared($kind);
        $pdo = $host->pdo();
        $engine = Host::engine($pdo);
        self::assertFalse(Host::ayse($pdo)->can('shop.edit', Host::SHOP)->allowed);
        $who = ['tenant' => 'pazar-tr', 'principal' => ['type' => 'Pazar::Account', 'id' => 'ayse']];
        $claim = $who + ['operation' => 'transition', 'contract' => 'order', 'id' => 'claimed', 'event' => 'pay'];
        $calls = [
            'claim' => $claim, 'leave' => ['step' => 1], 'go_on' => ['step' => 1, 'rows' => []], 'apart' => ['step' => 1], 'refused' => ['refusal' => 1],
            'instead' => ['operation' => 'transition', 'call' => '{}', 'code' => 'hos.internal', 'message' => 'x'],
        ];
        // Operations that are asked of an engine with a store of its own, and those that are answered, of calls that are none.
        $calls += ['history' => ['tenant' => 'pazar-tr', 'contract' => 'order', 'id' => 'x'], 'available' => $who + ['contract' => 'order', 'id' => 'x']];
        $calls += array_fill_keys(['can', 'can_all', 'begin', 'transition', 'record', 'directory', 'adopt', 'legacy', 'all', 'message', 'nothing'], []);
        $pdo->beginTransaction();
        foreach ($calls as $operation => $call) {
            foreach ([$call, $call + ['legacy' => ['allowed' => true]]] as $said) {
                self::assertSame('hos.call_malformed', Host::code(fn () => $engine->call($operation, $said)), $operation);
            }
        }
        $message = $engine->call('message', ['tenant' => 'pazar-tr', 'code' => 'hos.wrong_state', 'language' => 'en']);
        self::assertSame(['message' => $engine->tenant('pazar-tr')->message('hos.wrong_state', 'en')], json_decode($message->json, true));
        $pdo->commit();
        self::assertSame(0, $host->count("hos_instance WHERE {$host->text('id')} = 'claimed'"));
    }

    /**
     * A transaction that PDO does not know of, for it was begun in SQL; and one that was ended so.
     *
     * @dataProvider kinds
     */
    public function testATransactionBegunInSql(string $kind): void
    {
        $host = Host::shared($kind);
        $pdo = $host->pdo();
        $ayse = Host::ayse($pdo);
        $id = 'sql-' . bin2hex(random_bytes(4));
        $pdo->exec('BEGIN');
        self::assertTrue(Host::place($ayse, $id)->allowed);
        self::assertNull(self::state($host, $id));
        $pdo->exec('COMMIT');
        self::assertSame('new', self::state($host, $id));
        $pdo->beginTransaction();
        $pdo->exec('COMMIT');
        self::assertSame('hos.no_transaction', Host::code(fn () => Host::pay($ayse, $id)));
        self::assertSame('new', self::state($host, $id));
        $host->intact();
    }

    /** @dataProvider kinds */
    public function testAHostThatForgetsOrLosesItsConnection(string $kind): void
    {
        $host = Host::shared($kind);
        $before = $host->intact();
        $id = 'lost-' . bin2hex(random_bytes(4));
        // It never commits.
        $pdo = $host->pdo();
        $ayse = Host::ayse($pdo);
        $pdo->beginTransaction();
        $pdo->exec("INSERT INTO orders VALUES ('$id', 'new', 1)");
        self::assertTrue(Host::place($ayse, $id)->allowed);
        unset($pdo, $ayse);
        self::assertNull(self::state($host, $id), 'nothing of ours has kept the connection open');
        self::assertSame(0, $host->count("orders WHERE id = '$id'"));
        // It commits twice.
        $pdo = $host->pdo();
        $ayse = Host::ayse($pdo);
        $pdo->beginTransaction();
        self::assertTrue(Host::place($ayse, $id)->allowed);
        $pdo->commit();
        try {
            $pdo->commit();
            self::fail('a second commit went through');
        } catch (\PDOException $error) {
            self::assertStringContainsString('no active transaction', $error->getMessage());
        }
        self::assertSame($before + 1, $host->intact());
    }

    /** @dataProvider kinds */
    public function testAConnectionThatIsLostInTheMiddle(string $kind): void
    {
        $host = Host::shared($kind);
        $before = $host->intact();
        $pdo = $host->pdo();
        $ayse = Host::ayse($pdo);
        $id = 'cut-' . bin2hex(random_bytes(4));
        $pdo->beginTransaction();
        self::assertTrue(Host::place($ayse, $id)->allowed);
        match ($kind) {
            'PostgreSQL' => $host->pdo()->query('SELECT pg_terminate_backend(' . $pdo->query('SELECT pg_backend_pid()')->fetchColumn() . ')'),
            'MariaDB' => $host->pdo()->exec('KILL ' . $pdo->query('SELECT connection_id()')->fetchColumn()),
            // A file's connection cannot be cut; but the database may be full.
            'SQLite' => $pdo->exec('PRAGMA max_page_count = 1'),
        };
        usleep(100_000);
        // As frameworks do it.
        set_error_handler(static fn (int $level, string $message) => throw new \ErrorException($message, 0, $level));
        try {
            // Until there is no room left, in a file.
            for ($n = 0; $n < 1000; $n++) {
                Host::place($ayse, "$id-$n");
            }
            self::fail('it was answered');
        } catch (HosError $error) {
            self::assertSame('hos.store_unavailable', $error->code());
            self::assertThat($error->getPrevious(), self::logicalOr(self::isInstanceOf(\PDOException::class), self::isInstanceOf(\ErrorException::class)));
        } finally {
            restore_error_handler();
        }
        unset($pdo);
        $ayse = null;
        self::assertNull(self::state($host, $id));
        self::assertSame($before, $host->intact());
        // The same engine goes on, on another connection.
        $pdo = $host->pdo();
        $pdo->beginTransaction();
        self::assertTrue(Host::place(Host::ayse($pdo), $id)->allowed);
        $pdo->commit();
    }

    /** @dataProvider kinds */
    public function testAnArgumentThatCannotBeRead(string $kind): void
    {
        $host = Host::shared($kind);
        $pdo = $host->pdo();
        $ayse = Host::ayse($pdo);
        $id = 'arg-' . bin2hex(random_bytes(4));
        $before = $host->intact();
        $pdo->beginTransaction();
        $own = new \DomainException('no such row');
        try {
            $ayse->begin('order', $id, 'place', facts: fn () => throw $own, once: $id);
            self::fail('it was answered');
        } catch (\DomainException $thrown) {
            self::assertSame($own, $thrown);
        }
        // What is no record, no value, and no call to the engine.
        foreach ([['hos.value_invalid', 7], ['hos.value_invalid', ['total' => 0.5]], ['hos.id_invalid', ['shop' => new Uid('!', 's1')]]] as [$code, $given]) {
            self::assertSame($code, Host::code(fn () => $ayse->begin('order', $id, 'place', facts: fn () => $given, once: $id)));
            $pdo->commit();
            $key = $host->text($kind === 'MariaDB' ? '`key`' : 'key');
            $claims = [$host->count("hos_instance WHERE {$host->text('id')} = '$id'"), $host->count("hos_once WHERE $key = '$id'")];
            self::assertSame([0, 0], $claims, "nothing is claimed: $code");
            $pdo->beginTransaction();
        }
        $pdo->commit();
        $pdo->beginTransaction();
        self::assertTrue(Host::place($ayse, $id, once: $id)->allowed, 'nothing that was claimed stands in the way');
        $pdo->commit();
        self::assertSame($before + 1, $host->intact());
    }

    public function testWhatCannotBeJoined(): void
    {
        $pdo = Host::shared('SQLite')->pdo();
        self::assertSame('hos.call_malformed', Host::code(fn () => Engine::open(null, store: $pdo, keyFile: 'x')));
        self::assertSame('hos.call_malformed', Host::code(fn () => Engine::open(null, store: $pdo, busyTimeoutMs: 1)));
        $ayse = Host::ayse($pdo);
        self::assertSame('hos.call_malformed', Host::code(fn () => $ayse->history('order', 'x')));
        self::assertSame('hos.call_malformed', Host::code(fn () => $ayse->available('order', 'x')));
        $own = Engine::open(null, store: Place::pazar());
        self::assertSame('hos.call_malformed', Host::code(fn () => $own->transaction(fn () => null)));
        $refused = Host::pay($own->tenant('pazar-tr')->as('Pazar::Account::"ayse"'), 'nowhere');
        self::assertSame('hos.call_malformed', Host::code(fn () => $ayse->refused($refused)));
        // In memory, nobody else's: an engine of its own, closed with it.
        $engine = Host::engine(new \PDO('sqlite::memory:'));
        $this->assertSame('hos.store_version', Host::code(fn () => $engine->tenant('t')->as('A::"x"')->can('x', 'B::"y"')));
        $engine->close();
        self::assertSame('hos.engine_closed', Host::code(fn () => $engine->tenant('t')->as('A::"x"')->can('x', 'B::"y"')));
        self::assertSame('hos.engine_closed', Host::code($engine->close(...)));
    }

    /** A store's own engine runs functions for arguments too: the same code on both. */
    public function testFunctionsOnAStoreOfItsOwn(): void
    {
        $ayse = Engine::open(null, store: Place::pazar())->tenant('pazar-tr')->as('Pazar::Account::"ayse"');
        self::assertTrue($ayse->begin('order', 'f', 'place', facts: fn () => ['buyer' => $ayse->principal, 'shop' => \Hos\Uid::parse(Host::SHOP), 'total' => 3])->allowed);
        self::assertSame('paid', $ayse->transition('order', 'f', 'pay', args: fn () => ['amount' => 3, 'psp_ref' => 'x'])->to);
    }
}
