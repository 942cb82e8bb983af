<?php

declare(strict_types=1);

namespace Hos\Tests;

use Hos\Actor;
use Hos\CallError;
use Hos\Engine;
use Hos\Ext;
use Hos\Given;
use Hos\HasUid;
use Hos\HosError;
use Hos\Legacy;
use Hos\Tests\Support\Place;
use Hos\Uid;
use PHPUnit\Framework\TestCase;

enum Room: string
{
    case Single = 'single';
}

enum Floor
{
    case First;
}

/** A row of the world's: it has more than it shows. */
class Row extends \stdClass
{
    public int $stock = 3;
    protected int $cost = 2;
    private int $margin = 1;
}

/** One that says who it is. */
final class Product extends Row implements HasUid
{
    public function hosUid(): Uid
    {
        return new Uid('Pazar::Product', 'p-1');
    }
}

/** What goes in, and what must not. */
final class ValuesTest extends TestCase
{
    private static Engine $engine;
    private static Actor $ayse;
    private static string $store;

    public static function setUpBeforeClass(): void
    {
        self::$store = Place::pazar();
        self::$engine = Engine::open(null, store: self::$store);
        self::$ayse = self::$engine->tenant('pazar-tr')->as(new Uid('Pazar::Account', 'ayse'));
    }

    public static function tearDownAfterClass(): void
    {
        self::$engine->close();
        self::assertTrue(Place::intact(self::$store));
    }

    /** A value as the binding writes it. */
    private function written(mixed $value): string
    {
        return (new \Hos\Wire\Encoder())->record(['x' => $value], 'args');
    }

    public function testWhatHasAForm(): void
    {
        $when = new \DateTimeImmutable('2026-02-03 04:05:06.789123', new \DateTimeZone('+03:00'));
        foreach ([
            '{"x":true}' => true,
            '{"x":9223372036854775807}' => PHP_INT_MAX,
            '{"x":-9223372036854775808}' => PHP_INT_MIN,
            '{"x":"ışık/\u0000\"\\\\"}' => "ışık/\0\"\\",
            '{"x":[]}' => [],
            '{"x":{}}' => (object) [],
            '{"x":[1,[2]]}' => [1, [2]],
            '{"x":{"a":{"1":2}}}' => ['a' => [1 => 2]],
            '{"x":{"0":1}}' => (object) [1],
            '{"x":{"__entity":{"type":"Pazar::Account","id":"ayse"}}}' => new Uid('Pazar::Account', 'ayse'),
            '{"x":{"__extn":{"fn":"decimal","arg":"1.50"}}}' => Ext::decimal('1.50'),
            '{"x":{"__extn":{"fn":"duration","arg":"1h"}}}' => Ext::duration('1h'),
            '{"x":{"__extn":{"fn":"ip","arg":"10.0.0.0/8"}}}' => Ext::ip('10.0.0.0/8'),
            '{"x":{"__extn":{"fn":"datetime","arg":"2026-02-03T01:05:06.789Z"}}}' => $when,
            '{"x":"single"}' => Room::Single,
            '{"x":{"stock":3}}' => new Row(),
            '{"x":[{"__entity":{"type":"Pazar::Product","id":"p-1"}}]}' => [new Product()],
        ] as $json => $value) {
            self::assertSame($json, $this->written($value));
        }
        self::assertSame('{}', (new \Hos\Wire\Encoder())->record([], 'args'));
        // As much as a call may hold, however deep it lies.
        $large = str_repeat('x', 1_000_000);
        self::assertSame('{"x":{"a":["' . $large . '"]}}', $this->written(['a' => [$large]]));
    }

    /** @return array<string, array{mixed, string, string}> */
    public function refused(): array
    {
        $itself = [1];
        $itself[] = &$itself;
        $twice = [];
        $twice = [&$twice, &$twice, &$twice];
        $object = new \stdClass();
        $object->self = $object;
        $deep = 1;
        for ($i = 0; $i < 60; $i++) {
            $deep = [$deep];
        }

        return [
            'null' => [null, 'hos.value_invalid', 'args.x is null'],
            'float' => [1.5, 'hos.value_invalid', 'args.x is a float: give money'],
            'whole float' => [42.0, 'hos.value_invalid', 'args.x is a float'],
            'minus zero' => [-0.0, 'hos.value_invalid', 'args.x is a float'],
            'beyond 64 bits' => [PHP_INT_MAX + 1, 'hos.value_invalid', 'beyond 64 bits'],
            'NaN' => [NAN, 'hos.value_invalid', 'args.x is no number'],
            'infinite' => [-INF, 'hos.value_invalid', 'args.x is no number'],
            'null inside' => [['a' => [1, null]], 'hos.value_invalid', 'args.x.a[1] is null'],
            'closure' => [static fn () => 1, 'hos.value_invalid', 'Closure'],
            'resource' => [fopen('php://memory', 'r'), 'hos.value_invalid', 'resource'],
            'object' => [new \ArrayObject([1]), 'hos.value_invalid', 'ArrayObject'],
            'enum without a value' => [Floor::First, 'hos.value_invalid', 'Floor'],
            'no UTF-8' => ["a\xff", 'hos.call_malformed', 'args.x is not UTF-8'],
            'lone surrogate' => ["\xed\xa0\xb4", 'hos.call_malformed', 'args.x is not UTF-8'],
            'overlong' => ["\xc0\xaf", 'hos.call_malformed', 'args.x is not UTF-8'],
            'no UTF-8 in a name' => [["\xff" => 1], 'hos.call_malformed', 'a name in args.x is not UTF-8'],
            'reserved name' => [['__entity' => ['type' => 'A', 'id' => 'b']], 'hos.call_malformed', 'begins with `__`'],
            'reserved name of an object' => [(object) ['__extn' => 1], 'hos.call_malformed', 'begins with `__`'],
            'contains itself' => [$itself, 'hos.call_too_large', 'contains itself'],
            'contains itself often' => [$twice, 'hos.call_too_large', 'args.x'],
            'object that contains itself' => [$object, 'hos.call_too_large', 'contains itself'],
            'too deep' => [$deep, 'hos.call_too_large', 'nests more than 40'],
            '10 MB' => [str_repeat('x', 10_000_000), 'hos.call_too_large', '10000000 bytes'],
            'many' => [array_fill(0, 600_000, 1), 'hos.call_too_large', 'larger than'],
        ];
    }

    /** @dataProvider refused */
    public function testWhatHasNone(mixed $value, string $code, string $said): void
    {
        foreach (['args', 'context'] as $field) {
            try {
                self::$ayse->transition('order', 'o-1', 'pay', ...[$field => ['x' => $value]]);
                self::fail('it was taken');
            } catch (CallError $error) {
                self::assertSame($code, $error->code());
                self::assertStringContainsString(str_replace('args', $field, $said), $error->getMessage());
                self::assertLessThan(300, strlen($error->getMessage()));
            }
        }
        self::assertTrue(self::$ayse->can('shop.view', 'Pazar::Shop::"s1"')->allowed, 'the engine works on');
    }

    public function testTextsEverywhere(): void
    {
        $bad = "\xff";
        $tenant = self::$engine->tenant('pazar-tr');
        $shop = 'Pazar::Shop::"s1"';
        foreach ([
            fn () => self::$engine->tenant($bad)->as(self::$ayse->principal)->can('shop.view', $shop),
            fn () => $tenant->as(new Uid('Pazar::Account', $bad))->can('shop.view', $shop),
            fn () => $tenant->as(new Uid($bad, 'ayse'))->can('shop.view', $shop),
            fn () => $tenant->as(self::$ayse->principal, language: $bad)->can('shop.view', $shop),
            fn () => $tenant->as(self::$ayse->principal, request: $bad)->can('shop.view', $shop),
            fn () => $tenant->history($bad, 'x'),
            fn () => $tenant->message($bad, 'en'),
            fn () => self::$ayse->can($bad, $shop),
            fn () => self::$ayse->can('shop.view', new Uid('Pazar::Shop', $bad)),
            fn () => self::$ayse->transition($bad, 'x', 'pay'),
            fn () => self::$ayse->transition('order', 'x', 'pay', once: $bad),
            fn () => self::$ayse->transition('order', 'x', 'pay', reason: $bad),
            fn () => self::$ayse->record('s', payload: $bad),
            fn () => self::$ayse->directory->revoke($bad),
            fn () => self::$ayse->can('shop.view', $shop, legacy: new Legacy(true, $bad)),
            fn () => self::$ayse->can('shop.view', $shop, given: [new Given(new Uid('A', $bad))]),
            fn () => self::$ayse->can('shop.view', $shop, given: [['uid' => 1]]),
            fn () => self::$ayse->can('shop.view', $shop, context: ['a', 'b']),
            fn () => self::$engine->call($bad, '{}'),
            fn () => self::$engine->call('can', "{\"tenant\":\"$bad\"}"),
            fn () => Engine::open(null, store: "/tmp/$bad"),
        ] as $i => $call) {
            try {
                $call();
                self::fail("$i was taken");
            } catch (CallError $error) {
                self::assertSame('hos.call_malformed', $error->code(), (string) $i);
            }
        }
    }

    public function testZeroBytes(): void
    {
        $ids = [
            fn () => self::$ayse->can("shop\0.view", 'Pazar::Shop::"s1"'),
            fn () => self::$ayse->can('shop.view', new Uid('Pazar::Shop', "s1\0")),
        ];
        self::assertSame(['hos.action_unknown', 'hos.entity_missing'], array_map(static fn ($call) => $call()->code, $ids));
        foreach ([
            fn () => self::$ayse->transition("order\0", 'x', 'pay'),
            fn () => self::$ayse->transition('order', 'x', 'pay', once: ''),
            fn () => self::$engine->tenant("pazar-tr\0")->as('Pazar::Account::"ayse"')->can('shop.view', 'Pazar::Shop::"s1"'),
            fn () => self::$ayse->can('shop.view', new Uid("Pazar::Shop\0", 's1')),
            fn () => self::$ayse->can('shop.view', new Uid('Pazar::Shop', '')),
        ] as $i => $call) {
            try {
                $call();
                self::fail("$i was taken");
            } catch (CallError $error) {
                self::assertSame('hos.id_invalid', $error->code(), (string) $i);
            }
        }
        // PHP keeps names of private properties so; they are no names to be left out in silence.
        $hidden = (object) ["\0x" => 1];
        self::assertSame('{"x":{"\u0000x":1}}', $this->written($hidden));
    }

    public function testWrongTypesArePhpsToRefuse(): void
    {
        foreach ([
            fn () => self::$ayse->can(1, 'Pazar::Shop::"s1"'),
            fn () => self::$ayse->can('shop.view', null),
            fn () => self::$ayse->can('shop.view', ['type' => 'A', 'id' => 'b']),
            fn () => self::$ayse->transition('order', 17, 'pay'),
            fn () => self::$ayse->transition('order', 'x', 'pay', args: 'amount=1'),
            fn () => self::$ayse->can('shop.view', 'Pazar::Shop::"s1"', legacy: 'yes'),
        ] as $call) {
            try {
                $call();
                self::fail('it was taken');
            } catch (\TypeError $error) {
                self::assertStringContainsString('must be of type', $error->getMessage());
            }
        }
    }

    public function testPlantedFailures(): void
    {
        foreach (['call', 'boundary'] as $where) {
            try {
                self::$engine->call('failpoint', ['panic' => $where]);
                self::fail("no panic at $where");
            } catch (\Hos\InternalError $error) {
                self::assertSame('hos.internal', $error->code());
                self::assertStringNotContainsString('planted', $error->getMessage());
            }
            self::assertTrue(self::$ayse->can('shop.view', 'Pazar::Shop::"s1"')->allowed, 'the engine works on');
        }
        foreach ([
            'hos.store_full' => \Hos\StoreError::class, 'hos.store_busy' => \Hos\RetryError::class,
            'hos.outcome_unknown' => \Hos\OutcomeUnknownError::class, 'hos.engine_closed' => \Hos\ClosedError::class,
            'hos.law_in_use' => \Hos\LawError::class, 'hos.lease_lost' => \Hos\AbsentError::class,
            'hos.id_invalid' => CallError::class, 'hos.internal' => \Hos\InternalError::class,
        ] as $code => $class) {
            try {
                self::$engine->call('failpoint', ['code' => $code]);
                self::fail($code);
            } catch (HosError $error) {
                self::assertSame([$class, $code], [get_class($error), $error->code()]);
            }
        }
    }

    public function testAPanicInTheMiddleOfACommit(): void
    {
        $store = Place::pazar();
        $engine = Engine::openWith(['store' => $store, 'clock' => 'PT0S']);
        $ayse = $engine->tenant('pazar-tr')->as(new Uid('Pazar::Account', 'ayse'));
        $facts = ['buyer' => $ayse->principal, 'shop' => new Uid('Pazar::Shop', 's1'), 'total' => 1];
        self::assertTrue($ayse->begin('order', 'o-1', 'place', facts: $facts)->allowed);
        $engine->call('failpoint', ['panic' => 'clock']);
        try {
            $ayse->transition('order', 'o-1', 'pay', args: ['amount' => 1, 'psp_ref' => 'p']);
            self::fail('no panic');
        } catch (\Hos\InternalError $error) {
            self::assertSame('hos.internal', $error->code());
        }
        self::assertSame('paid', $ayse->transition('order', 'o-1', 'pay', args: ['amount' => 1, 'psp_ref' => 'p'])->to);
        self::assertCount(2, $ayse->history('order', 'o-1'));
        $engine->close();
        self::assertTrue(Place::intact($store));
    }
}
