<?php

declare(strict_types=1);

namespace Hos\Tests;

use Hos\Actor;
use Hos\Answer;
use Hos\CallError;
use Hos\Engine;
use Hos\Given;
use Hos\HasUid;
use Hos\HosError;
use Hos\Legacy;
use Hos\Mode;
use Hos\RetryError;
use Hos\Status;
use Hos\Tests\Support\Place;
use Hos\Uid;
use PHPUnit\Framework\TestCase;

/**
 * What the world decided by itself (`legacy`). Where the law only watches, it stands whatever the call holds; where the law is
 * enforced it has no say, and what PHP refuses stays refused.
 */
final class WorldTest extends TestCase
{
    private const SHOP = 'Pazar::Shop::"s1"';

    private static Engine $enforced;
    private static Engine $watched;
    /** @var list<string> */
    private static array $stores;

    public static function setUpBeforeClass(): void
    {
        self::$stores = [Place::pazar(), Place::pazar()];
        $shadow = ['--mode', 'shadow', '--tenant', 'pazar-tr', '--as', 'Account::root', '--store', self::$stores[1]];
        [$exit, $said] = Place::run(['law', 'activate', Place::law(), ...$shadow]);
        self::assertSame(0, $exit, $said);
        [self::$enforced, self::$watched] = array_map(static fn ($store) => Engine::open(null, store: $store), self::$stores);
    }

    public static function tearDownAfterClass(): void
    {
        self::$enforced->close();
        self::$watched->close();
        self::assertSame([true, true], array_map(Place::intact(...), self::$stores));
    }

    private static function actor(Engine $engine, HasUid|string $who = 'Pazar::Account::"ayse"', ?string $language = null): Actor
    {
        return $engine->tenant('pazar-tr')->as($who, $language);
    }

    /**
     * @param \Closure(Engine, Legacy|bool|null): Answer $ask
     * @param class-string<\Throwable> $class what is thrown where the world has no say
     */
    private function holds(\Closure $ask, string $code, string $class = CallError::class, string $said = ''): void
    {
        foreach ([true, false] as $world) {
            foreach ([$world, new Legacy($world)] as $legacy) {
                $answer = $ask(self::$watched, $legacy);
                self::assertSame([$world, $code, Mode::Shadow], [$answer->allowed, $answer->code, $answer->mode]);
                self::assertStringContainsString($said, $answer->blockers[0]->detail);
                self::assertStringStartsNotWith('hos.', $answer->blockers[0]->detail);
            }
        }
        foreach ([[self::$watched, null], [self::$enforced, null], [self::$enforced, true], [self::$enforced, false]] as [$engine, $legacy]) {
            try {
                $ask($engine, $legacy);
                self::fail('the world has no say here');
            } catch (\Throwable $error) {
                self::assertSame($class, get_class($error));
                self::assertStringContainsString($said, $error->getMessage());
                if ($error instanceof CallError) {
                    self::assertSame($code, $error->code());
                }
            }
        }
    }

    public function testValuesWithoutAForm(): void
    {
        $itself = [1];
        $itself[] = &$itself;
        foreach ([
            [1.5, 'hos.value_invalid'], [null, 'hos.value_invalid'], [NAN, 'hos.value_invalid'], [fn () => 1, 'hos.value_invalid'],
            [$itself, 'hos.call_too_large'], [str_repeat('x', 2_000_000), 'hos.call_too_large'],
            [['__entity' => 1], 'hos.call_malformed'], ["a\xff", 'hos.call_malformed'], [["\xff" => 1], 'hos.call_malformed'],
        ] as [$value, $code]) {
            $ask = static fn (Engine $engine, $legacy) => self::actor($engine)
                ->can('shop.view', self::SHOP, context: ['x' => $value], legacy: $legacy);
            $this->holds($ask, $code, said: 'context.x');
        }
    }

    /** A map that came from outside, as a decoded request, and is written as the wire writes an entity. */
    public function testAMapIsNoEntity(): void
    {
        $ayse = ['__entity' => ['type' => 'Pazar::Account', 'id' => 'ayse']];
        $shop = new Uid('Pazar::Shop', 's1');
        foreach ([$ayse, (object) $ayse, json_decode((string) json_encode($ayse))] as $i => $forged) {
            $begin = static fn (Engine $engine, $legacy) => self::actor($engine)
                ->begin('order', "forged-$i", 'place', ['buyer' => $forged, 'shop' => $shop, 'total' => 1], legacy: $legacy);
            $this->holds($begin, 'hos.call_malformed', said: 'begins with `__`');
            try {
                self::actor(self::$enforced)->history('order', "forged-$i");
                self::fail('an order was placed');
            } catch (\Hos\AbsentError $error) {
                self::assertSame('hos.instance_unknown', $error->code());
            }
        }
        $product = new Uid('Pazar::Product', 'p-1');
        $row = new Given($product, ['shop' => ['__entity' => ['type' => 'Pazar::Shop', 'id' => 's1']], 'listed' => true]);
        $view = static fn (Engine $engine, $legacy) => self::actor($engine)->can('product.view', $product, given: [$row], legacy: $legacy);
        $this->holds($view, 'hos.call_malformed', said: 'given[0].attrs.shop');
        $decimal = static fn (Engine $engine, $legacy) => self::actor($engine)
            ->can('shop.view', self::SHOP, context: ['x' => ['__extn' => ['fn' => 'decimal', 'arg' => '1.0']]], legacy: $legacy);
        $this->holds($decimal, 'hos.call_malformed', said: 'context.x');
    }

    public function testTextsThatAreNone(): void
    {
        $bad = "\xff";
        $facts = ['buyer' => new Uid('Pazar::Account', 'ayse'), 'shop' => new Uid('Pazar::Shop', 's1'), 'total' => 1];
        foreach ([
            fn (Actor $ayse, $legacy) => $ayse->can('shop.view', new Uid('Pazar::Shop', $bad), legacy: $legacy),
            fn (Actor $ayse, $legacy) => $ayse->begin('order', $bad, 'place', $facts, legacy: $legacy),
            fn (Actor $ayse, $legacy) => $ayse->begin('order', 'o-1', 'place', $facts, once: $bad, legacy: $legacy),
            fn (Actor $ayse, $legacy) => $ayse->transition('order', 'o-1', 'pay', ['amount' => 1, 'psp_ref' => $bad], legacy: $legacy),
            fn (Actor $ayse, $legacy) => $ayse->transition('order', 'o-1', 'refund', reason: $bad, legacy: $legacy),
            fn (Actor $ayse, $legacy) => $ayse->record('note', payload: $bad, legacy: $legacy),
        ] as $ask) {
            $this->holds(static fn (Engine $engine, $legacy) => $ask(self::actor($engine), $legacy), 'hos.call_malformed', said: 'is not UTF-8');
        }
        // The state that the world came to may be no text either: what it decided is known all the same.
        $answer = self::actor(self::$watched)->can('shop.view', self::SHOP, legacy: new Legacy(true, $bad));
        self::assertSame([true, 'hos.call_malformed'], [$answer->allowed, $answer->code]);
        // What the call is about has to be known.
        foreach ([
            fn (Actor $ayse) => $ayse->transition($bad, 'o-1', 'pay', legacy: true),
            fn (Actor $ayse) => $ayse->transition('order', 'o-1', $bad, legacy: true),
            fn () => self::$watched->tenant($bad)->as('Pazar::Account::"ayse"')->can('shop.view', self::SHOP, legacy: true),
        ] as $ask) {
            try {
                $ask(self::actor(self::$watched));
                self::fail('nobody knows whose word stands');
            } catch (CallError $error) {
                self::assertSame('hos.call_malformed', $error->code());
            }
        }
    }

    public function testWhoActsIsNobody(): void
    {
        foreach ([
            [new Uid('Pazar::Account', "\xff"), 'hos.call_malformed', 'is not UTF-8'], ["\xff", 'hos.id_invalid', 'is no entity'],
            ['ayse', 'hos.id_invalid', 'is no entity'],
        ] as [$who, $code, $said]) {
            $can = static fn (Engine $engine, $legacy) => self::actor($engine, $who)->can('shop.view', self::SHOP, legacy: $legacy);
            $this->holds($can, $code, said: $said);
            $pay = static fn (Engine $engine, $legacy) => self::actor($engine, $who)->transition('order', 'o-1', 'pay', legacy: $legacy);
            $this->holds($pay, $code, said: $said);
            try {
                self::actor(self::$watched, $who)->directory->revoke('g-1');
                self::fail('nobody revokes nothing');
            } catch (CallError $error) {
                self::assertSame($code, $error->code());
            }
        }
        $language = static fn (Engine $engine, $legacy) => self::actor($engine, language: "\xff")->can('shop.view', self::SHOP, legacy: $legacy);
        $this->holds($language, 'hos.call_malformed', said: 'language is not UTF-8');
        $nowhere = static fn (Engine $engine, $legacy) => self::actor($engine)->can('shop.view', 'no entity', legacy: $legacy);
        $this->holds($nowhere, 'hos.id_invalid');
    }

    /** The caller's own code, asked who an object is. */
    public function testAnObjectThatFailsToSayWhoItIs(): void
    {
        $failing = new class implements HasUid {
            public int $asked = 0;

            public function hosUid(): Uid
            {
                $this->asked++;
                throw new \DomainException('the row is gone');
            }
        };
        foreach ([
            fn (Actor $ayse, $legacy) => $ayse->can('shop.view', $failing, legacy: $legacy),
            fn (Actor $ayse, $legacy) => $ayse->can('shop.view', self::SHOP, context: ['x' => [$failing]], legacy: $legacy),
            fn (Actor $ayse, $legacy) => $ayse->can('shop.view', self::SHOP, given: [new Given($failing)], legacy: $legacy),
            fn (Actor $ayse, $legacy) => $ayse->record('note', payload: 'x', subject: $failing, legacy: $legacy),
        ] as $ask) {
            $asked = $failing->asked;
            $this->holds(
                static fn (Engine $engine, $legacy) => $ask(self::actor($engine), $legacy),
                'hos.value_invalid',
                \DomainException::class,
                'the row is gone',
            );
            self::assertSame($asked + 8, $failing->asked, 'once a call: a second asking might go another way');
        }
        $who = static fn (Engine $engine, $legacy) => self::actor($engine, $failing)->can('shop.view', self::SHOP, legacy: $legacy);
        $this->holds($who, 'hos.value_invalid', \DomainException::class, 'the row is gone');
    }

    /** A function for arguments or facts: what it throws is the world's own only where the world has no say. */
    public function testAFunctionThatFails(): void
    {
        $pay = static fn (\Throwable $own) => static fn (Engine $engine, $legacy) => self::actor($engine)
            ->transition('order', 'o-1', 'pay', args: fn () => throw $own, legacy: $legacy);
        $this->holds($pay(new \DomainException('no such row')), 'hos.call_malformed', \DomainException::class, 'no such row');
        $this->holds($pay(new \TypeError("\xff row")), 'hos.call_malformed', \TypeError::class, ' row');
        // One of ours keeps its code, also one that no call is refused with.
        $this->holds($pay(HosError::call('hos.id_invalid', 'of another call')), 'hos.id_invalid', said: 'of another call');
        $retry = new RetryError('of another store', 'hos.store_busy', Status::Retry);
        $this->holds($pay($retry), 'hos.store_busy', RetryError::class, 'of another store');
        $begin = static fn (Engine $engine, $legacy) => self::actor($engine)
            ->begin('order', 'o-1', 'place', facts: fn () => throw new \DomainException('no such row'), legacy: $legacy);
        $this->holds($begin, 'hos.call_malformed', \DomainException::class, 'no such row');
        $this->holds(static fn (Engine $engine, $legacy) => self::actor($engine)
            ->begin('order', 'o-1', 'place', facts: fn () => 7, legacy: $legacy), 'hos.value_invalid', said: 'facts: the function gives an array, not int');
        self::assertSame('args: the function failed: DomainException: no such row',
            $pay(new \DomainException('no such row'))(self::$watched, true)->blockers[0]->detail);
        $told = self::actor(self::$watched, language: 'tr')->transition('order', 'o-1', 'pay', args: fn () => throw $retry, legacy: true);
        self::assertSame([$retry->code(), null], [$told->blockers[0]->code, $told->blockers[0]->message], 'no words of another code');
        $long = $pay(new \DomainException(str_repeat('x', 1 << 20)))(self::$watched, true)->blockers[0]->detail;
        self::assertSame(1000, strlen($long));
    }

    public function testACallInTheWiresOwnWords(): void
    {
        $call = [
            'tenant' => 'pazar-tr', 'principal' => ['type' => 'Pazar::Account', 'id' => 'ayse'], 'action' => 'shop.view',
            'resource' => ['type' => 'Pazar::Shop', 'id' => 's1'], 'context' => ['x' => 1.5], 'legacy' => ['allowed' => true],
        ];
        $reply = self::$watched->call('can', $call);
        self::assertSame(\Hos\Status::Allowed, $reply->status);
        self::assertSame('hos.value_invalid', json_decode($reply->json)->code);
        foreach ([[self::$enforced, $call], [self::$watched, array_diff_key($call, ['legacy' => 0])]] as [$engine, $call]) {
            try {
                $engine->call('can', $call);
                self::fail('it was taken');
            } catch (CallError $error) {
                self::assertStringContainsString('call.context.x is a float', $error->getMessage());
            }
        }
    }
}
