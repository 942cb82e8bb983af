<?php

declare(strict_types=1);

namespace Hos\Tests;

use Hos\AbsentError;
use Hos\Actor;
use Hos\CallError;
use Hos\Decision;
use Hos\Denied;
use Hos\Durability;
use Hos\Effect;
use Hos\Engine;
use Hos\Fault;
use Hos\Given;
use Hos\HasUid;
use Hos\Kind;
use Hos\HosError;
use Hos\LawError;
use Hos\Mode;
use Hos\Question;
use Hos\Sealing;
use Hos\Status;
use Hos\Tests\Support\Place;
use Hos\Uid;
use PHPUnit\Framework\TestCase;

/** What the words of the binding do. That the answers are right is for the call vectors to show. */
final class SurfaceTest extends TestCase
{
    private static string $store;
    private static Engine $engine;

    public static function setUpBeforeClass(): void
    {
        self::$store = Place::pazar();
        self::$engine = Engine::open(Place::law(), store: self::$store);
    }

    public static function tearDownAfterClass(): void
    {
        self::$engine->close();
    }

    private function actor(string $id, ?string $language = null): Actor
    {
        return self::$engine->tenant('pazar-tr')->as(new Uid('Pazar::Account', $id), language: $language);
    }

    private function order(string $id, int $total = 4200): void
    {
        $facts = ['buyer' => new Uid('Pazar::Account', 'ayse'), 'shop' => 'x', 'total' => $total];
        $facts['shop'] = new Uid('Pazar::Shop', 's1');
        self::assertTrue($this->actor('ayse')->begin('order', $id, 'place', facts: $facts)->allowed);
    }

    public function testALifeOfAnOrder(): void
    {
        $this->order('o-1');
        $ayse = $this->actor('ayse', 'tr');
        $short = $ayse->transition('order', 'o-1', 'pay', args: ['amount' => 1, 'psp_ref' => 'p']);
        self::assertFalse($short->allowed);
        self::assertSame('order.amount_short', $short->code);
        self::assertSame('order.amount_short', $short->blockers[0]->code);
        self::assertSame(Effect::Allow, $short->effect);
        self::assertSame(Mode::Enforce, $short->mode);
        self::assertSame(['new', 'new'], [$short->from, $short->to]);
        self::assertNull($short->candidate);
        self::assertSame(['buyer-orders'], $short->policies);
        self::assertMatchesRegularExpression('/\A[0-9a-f]{64}\z/', $short->law);

        $paid = $ayse->apply('order', 'o-1', 'pay', args: ['amount' => 4200, 'psp_ref' => 'p'], once: 'evt-1');
        self::assertSame([true, 'new', 'paid', 2, false], [$paid->allowed, $paid->from, $paid->to, $paid->version, $paid->again]);
        self::assertNull($paid->code);
        self::assertSame('pazar-tr', $paid->receipt->tenant);
        self::assertStringContainsString('pazar-tr', $paid->receipt->seal->checkpoint);
        $twice = $ayse->apply('order', 'o-1', 'pay', args: ['amount' => 4200, 'psp_ref' => 'p'], once: 'evt-1');
        self::assertTrue($twice->again);
        self::assertEquals($paid->receipt, $twice->receipt);

        $history = $ayse->history('order', 'o-1');
        self::assertSame([Kind::Begun, Kind::Moved], array_column($history, 'kind'));
        [$begun, $moved] = $history;
        self::assertSame([Decision::Allow, 'new', 'paid'], [$moved->decision, $moved->from, $moved->to]);
        self::assertSame(Durability::Full, $moved->durability);
        self::assertEqualsWithDelta(time(), $moved->time->getTimestamp(), 60);
        self::assertTrue($begun->parts['facts']['buyer']->equals(new Uid('Pazar::Account', 'ayse')));
        self::assertSame(4200, $begun->parts['facts']['total']);
        self::assertCount(1, $ayse->history('order', 'o-1', from: 1, limit: 1));
    }

    public function testMessagesInTwoLanguages(): void
    {
        $this->order('o-2');
        $pay = static fn (Actor $actor) => $actor->transition('order', 'o-2', 'pay', args: ['amount' => 1, 'psp_ref' => 'p']);
        $turkish = $pay($this->actor('ayse', 'tr'));
        $english = "The amount paid is less than the order's total.";
        self::assertSame('Ödenen tutar sipariş tutarından az.', $turkish->message());
        self::assertSame($turkish->message(), $turkish->blockers[0]->message);
        self::assertSame($english, $turkish->message('en'));
        $plain = $pay($this->actor('ayse'));
        self::assertNull($plain->blockers[0]->message);
        self::assertSame($english, $plain->message());
        self::assertSame($turkish->message(), $plain->message('tr'));
        self::assertNull($this->actor('ayse', 'tr')->can('shop.view', 'Pazar::Shop::"s1"')->message());
        self::assertSame($english, self::$engine->tenant('pazar-tr')->message('order.amount_short', 'en'));
    }

    public function testThrowingSisters(): void
    {
        $ayse = $this->actor('ayse');
        self::assertTrue($ayse->authorize('shop.view', 'Pazar::Shop::"s1"')->allowed);
        foreach ([
            fn () => $ayse->authorize('shop.edit', 'Pazar::Shop::"s1"'),
            fn () => $ayse->apply('order', 'nowhere', 'pay', args: ['amount' => 1, 'psp_ref' => 'p']),
        ] as $i => $call) {
            try {
                $call();
                self::fail('a no must be thrown');
            } catch (Denied $denied) {
                self::assertFalse($denied->answer->allowed);
                self::assertSame(['hos.not_permitted', 'hos.instance_unknown'][$i], $denied->answer->code);
                self::assertSame($denied->answer->code, $denied->code());
                $detail = $denied->answer->blockers[0]->detail;
                self::assertSame($i === 0, $detail === '');
                self::assertSame($i === 0 ? 'denied: hos.not_permitted' : "denied: hos.instance_unknown ($detail)", $denied->getMessage());
            }
        }
    }

    public function testWhoIsWho(): void
    {
        $root = $this->actor('root');
        $mert = $this->actor('mert');
        $shop = new Uid('Pazar::Shop', 's2');
        self::assertTrue($root->directory->put($shop, ['active' => true])->allowed);
        self::assertTrue($root->directory->put('Pazar::Role::"manager"')->allowed);
        self::assertFalse($mert->can('shop.edit', $shop)->allowed);
        self::assertTrue($root->directory->grant('g-1', 'shop-manager', principal: $mert->principal, resource: $shop)->allowed);
        $granted = $mert->can('shop.edit', $shop);
        self::assertTrue($granted->allowed);
        self::assertSame(['g-1'], $granted->policies);
        self::assertTrue($root->directory->revoke('g-1')->allowed);
        self::assertFalse($mert->can('shop.edit', $shop)->allowed);
        self::assertTrue($root->directory->join($mert->principal, 'Pazar::Role::"manager"', once: 'j-1')->allowed);
        self::assertTrue($root->directory->join($mert->principal, $shop)->allowed);
        self::assertTrue($mert->can('shop.edit', $shop)->allowed);
        self::assertTrue($root->directory->leave($mert->principal, $shop)->allowed);
        self::assertFalse($mert->can('shop.edit', $shop)->allowed);
        self::assertTrue($root->directory->remove($shop)->allowed);
        self::assertSame('hos.entity_missing', $mert->can('shop.view', $shop)->code);
        self::assertSame('hos.not_permitted', $mert->directory->put('Pazar::Shop::"s3"', ['active' => true])->code);
    }

    public function testWhatCanBeDone(): void
    {
        $this->order('o-3');
        $events = [];
        foreach ($this->actor('ayse', 'tr')->available('order', 'o-3') as $one) {
            $events[$one->event] = $one;
        }
        self::assertSame([true, 'cancelled', []], [$events['cancel']->allowed, $events['cancel']->to, $events['cancel']->needs]);
        self::assertContains('amount', $events['pay']->needs);
        self::assertSame('hos.wrong_state', $events['ship']->code ?? null);
        self::assertNotSame('', $events['ship']->blockers[0]->message);
        $this->expectException(AbsentError::class);
        $this->actor('ayse')->available('order', 'nowhere');
    }

    public function testNotesAndRows(): void
    {
        $root = $this->actor('root');
        $gate = self::$engine->tenant('pazar-tr')->as(new Uid('Pazar::Account', 'root'), request: 'req-1');
        self::assertTrue($gate->record('desk', payload: 'öğle: a "note"', once: 'n-1')->allowed);
        self::assertTrue($root->record('desk', payloadHex: bin2hex("\xff\x00"), subject: 'Pazar::Account::"ayse"')->allowed);
        $facts = ['buyer' => new Uid('Pazar::Account', 'ayse'), 'shop' => new Uid('Pazar::Shop', 's1'), 'total' => 1];
        $adopted = $root->adopt('order', 'old-1', 'paid', facts: $facts, once: 'a-1');
        self::assertTrue($adopted->allowed, (string) $adopted->code);
        self::assertSame(['paid', Kind::Adopted], [$adopted->to, self::$engine->tenant('pazar-tr')->history('order', 'old-1')[0]->kind]);
        self::assertFalse($this->actor('ayse')->adopt('order', 'old-2', 'paid', facts: $facts)->allowed);
        $row = ['at' => '2024-03-01T10:00:00Z', 'from' => 'yeni', 'to' => 'paid', 'event' => 'pay', 'actor' => 'ayşe', 'key' => '17'];
        $told = $root->legacy('order', 'old-1', [$row, ['at' => '2024-03-02T10:00:00Z', 'to' => 'gone']], once: 'l-1');
        self::assertTrue($told->allowed, (string) $told->code);
        $last = self::$engine->tenant('pazar-tr')->history('order', 'old-1')[2];
        self::assertSame([Kind::Legacy, null], [$last->kind, $last->to]);
        self::assertFalse($this->actor('ayse')->legacy('order', 'old-1', [$row])->allowed);
    }

    public function testRowsOfTheWorld(): void
    {
        $product = new class implements HasUid {
            public function hosUid(): Uid
            {
                return new Uid('Pazar::Product', 'p-1');
            }
        };
        $shop = new Uid('Pazar::Shop', 's1');
        $can = fn (bool $listed) => $this->actor('ayse')
            ->can('product.view', $product, given: [new Given($product, ['shop' => $shop, 'listed' => $listed], parents: [$shop])]);
        self::assertTrue($can(true)->allowed);
        self::assertFalse($can(false)->allowed);
        self::assertSame('hos.entity_missing', $this->actor('ayse')->can('product.view', $product)->code);
    }

    public function testAnAnswerIsReadOnlyAndIsTheWiresOwn(): void
    {
        $answer = $this->actor('ayse')->can('shop.edit', 'Pazar::Shop::"s1"');
        $raw = self::$engine->call('can', [
            'tenant' => 'pazar-tr', 'principal' => (object) ['type' => 'Pazar::Account', 'id' => 'ayse'],
            'action' => 'shop.edit', 'resource' => (object) ['type' => 'Pazar::Shop', 'id' => 's1'],
        ]);
        self::assertSame(Status::Refused, $raw->status);
        self::assertFalse($raw->allowed());
        self::assertEquals($raw->data(), json_decode(json_encode($answer), true));
        self::assertTrue(isset($answer->code));
        self::assertFalse(isset($answer->receipt) || isset($answer->nothing));
        foreach (['allowed', 'code', 'receipt', 'nothing'] as $name) {
            try {
                $answer->$name = true;
                self::fail("$name was written");
            } catch (\Error $error) {
                self::assertStringContainsString($name, $error->getMessage());
            }
        }
        self::assertFalse($answer->allowed);
        $this->expectException(\Error::class);
        $answer->alowed;
    }

    public function testErrorsSayWhat(): void
    {
        try {
            self::$engine->tenant('nowhere')->as('Pazar::Account::"ayse"')->can('shop.view', 'Pazar::Shop::"s1"');
            self::fail('there is no such tenant');
        } catch (CallError $error) {
            self::assertSame(['hos.tenant_unknown', Status::Call, -1], [$error->code(), $error->status, $error->getCode()]);
            self::assertStringContainsString('nowhere', $error->getMessage());
            self::assertSame([], $error->faults);
        }
        $law = Place::directory();
        file_put_contents("$law/law.toml", "name = \"x\"\nnamespac = \"X\"\n");
        try {
            // A store that nobody has open: an open one would be busy with another law.
            Engine::open($law, store: Place::pazar());
            self::fail('that is no law');
        } catch (LawError $error) {
            self::assertSame('hos.law_invalid', $error->code());
            self::assertNotSame([], $error->faults);
            self::assertSame('law.toml', $error->faults[0]->file);
            $named = array_map(static fn (Fault $fault): string => "\n$fault->file:$fault->line $fault->code: $fault->message", $error->faults);
            // The last is of a file that is not there: it has no line.
            $named[2] = str_replace(':0 ', ' ', $named[2]);
            self::assertStringEndsWith(': 3 fault(s)' . implode('', $named), $error->getMessage());
            self::assertStringContainsString("\nlaw.toml:2 law.manifest.unknown_key: ", $error->getMessage());
        }
        mkdir("$law/contracts");
        file_put_contents("$law/law.toml", "name = \"x\"\nnamespac = \"X\"\nthird = 3\nfourth = 4\n");
        try {
            Engine::open($law, store: Place::pazar());
            self::fail('that is no law');
        } catch (LawError $error) {
            self::assertStringEndsWith("\nand " . count($error->faults) - 3 . ' more', $error->getMessage());
            self::assertCount(5, explode("\n", $error->getMessage()));
        }
    }

    private static function number(Engine $engine): int
    {
        $handle = (new \ReflectionProperty($engine, 'handle'))->getValue($engine);

        return (new \ReflectionProperty($handle, 'number'))->getValue($handle);
    }

    public function testTheSameOptionsAreTheSameEngineWhereverTheyAreSaid(): void
    {
        $store = Place::pazar();
        $before = (string) getcwd();
        $one = Engine::open(null, store: $store, seal: Sealing::Inline);
        chdir(dirname($store));
        $two = Engine::openWith(['seal' => 'inline', 'store' => basename($store)]);
        chdir($before);
        self::assertSame(self::number($one), self::number($two));
        $two->close();
        try {
            $one->tenant('pazar-tr')->as('Pazar::Account::"ayse"')->can('shop.view', 'Pazar::Shop::"s1"');
            self::fail('it was closed for all');
        } catch (\Hos\ClosedError $error) {
            self::assertSame('hos.engine_closed', $error->code());
        }
    }

    /** Other words for one store are one set of options: without that the second would find the file open, and be refused. */
    public function testAStoreInOtherWords(): void
    {
        $store = Place::pazar();
        $dir = dirname($store);
        mkdir("$dir/sub");
        symlink($dir, "$dir/link");
        $before = (string) getcwd();
        $engine = Engine::open(null, store: $store);
        chdir("$dir/sub");
        try {
            foreach (["$dir/./hos.db", "$dir//hos.db", "$dir/sub/../hos.db", "$dir/link/hos.db", "/$store", '../hos.db', './/..//hos.db'] as $words) {
                $again = Engine::open(null, store: $words);
                self::assertSame(self::number($engine), self::number($again), $words);
            }
            // A link that leads elsewhere now: PHP would remember for two minutes where it led.
            $other = Place::pazar();
            unlink("$dir/link");
            symlink(dirname($other), "$dir/link");
            $elsewhere = Engine::open(null, store: "$dir/link/hos.db");
            self::assertNotSame(self::number($engine), self::number($elsewhere));
            $elsewhere->close();
        } finally {
            chdir($before);
        }
        $engine->close();
        $law = Place::law();
        $engine = Engine::open("$law/", store: $store);
        self::assertSame(self::number($engine), self::number(Engine::open("$law/policies/..", store: $store)));
        $engine->close();
        foreach (['nowhere/hos.db', "hos\0.db", '/', '.', '..', "$dir/none/../hos.db"] as $none) {
            try {
                Engine::open(null, store: $none);
                self::fail("$none was opened");
            } catch (HosError $error) {
                self::assertNotSame('hos.internal', $error->code(), $error->getMessage());
            }
        }
    }

    /** A call's own request stands in its record, in place of the actor's. */
    public function testTheRequestOfACall(): void
    {
        $tenant = self::$engine->tenant('pazar-tr');
        $ayse = $tenant->as('Pazar::Account::"ayse"', request: 'req-1');
        $root = $tenant->as('Pazar::Account::"root"');
        $facts = ['buyer' => $ayse->principal, 'shop' => new Uid('Pazar::Shop', 's1'), 'total' => 1];
        $paid = ['amount' => 1, 'psp_ref' => 'p'];
        self::assertTrue($ayse->begin('order', 'r-1', 'place', facts: $facts, request: 'req-2')->allowed);
        self::assertTrue($ayse->transition('order', 'r-1', 'pay', args: $paid)->allowed);
        self::assertTrue($root->adopt('order', 'r-2', 'paid', facts: $facts, request: 'req-3')->allowed);
        $row = ['at' => '2024-03-01T10:00:00Z', 'to' => 'paid'];
        self::assertTrue($root->legacy('order', 'r-2', [$row], request: 'req-4')->allowed);
        self::assertTrue($ayse->begin('order', 'r-3', 'place', facts: $facts)->allowed);
        self::assertTrue($ayse->apply('order', 'r-3', 'pay', args: $paid, request: 'req-5')->allowed);
        self::assertTrue($ayse->shadowBegin('order', 'r-4', 'place', legacy: fn () => true, facts: $facts, request: 'req-6'));
        self::assertTrue($ayse->shadow('order', 'r-4', 'pay', legacy: fn () => true, args: $paid, request: 'req-7'));
        $requests = fn (string $id): array => array_column($tenant->history('order', $id), 'request');
        self::assertSame(
            [['req-2', 'req-1'], ['req-3', 'req-4'], ['req-1', 'req-5'], ['req-6', 'req-7']],
            array_map($requests, ['r-1', 'r-2', 'r-3', 'r-4']),
        );
        // One that is none is refused: it came where it is read.
        $shop = 'Pazar::Shop::"s1"';
        $calls = [
            fn (?string $none) => $ayse->can('shop.view', $shop, request: $none),
            fn (?string $none) => $root->can('shop.view', $shop, context: ['x' => 1], request: $none),
            fn (?string $none) => $ayse->can('shop.view', $shop, legacy: true, request: $none),
            fn (?string $none) => $ayse->canAll([new Question('shop.view', $shop)], request: $none),
            fn (?string $none) => $ayse->authorize('shop.view', $shop, request: $none),
            fn (?string $none) => $ayse->record('desk', payload: 'x', request: $none),
            fn (?string $none) => $ayse->available('order', 'r-1', request: $none),
            fn (?string $none) => $root->directory->put('Pazar::Shop::"r"', request: $none),
            fn (?string $none) => $root->directory->remove('Pazar::Shop::"r"', request: $none),
            fn (?string $none) => $root->directory->join('Pazar::Shop::"r"', $shop, request: $none),
            fn (?string $none) => $root->directory->leave('Pazar::Shop::"r"', $shop, request: $none),
            fn (?string $none) => $root->directory->grant('g-r', 'shop-manager', request: $none),
            fn (?string $none) => $root->directory->revoke('g-r', request: $none),
        ];
        foreach ($calls as $i => $call) {
            $call(null);
            try {
                $call('no request');
                self::fail("$i went through");
            } catch (CallError $error) {
                self::assertStringContainsString('request', $error->getMessage());
            }
        }
        // Where the law watches, it stops nobody.
        $seen = null;
        self::assertSame('mine', $ayse->shadowCan('shop.view', $shop, legacy: fn () => 'mine', request: 7, seen: function (mixed $told) use (&$seen): void {
            $seen = $told;
        }));
        self::assertInstanceOf(\TypeError::class, $seen);
    }

    /** `var_dump` shows what can be read, by the name by which it is. */
    public function testAnAnswerIsShownByItsOwnNames(): void
    {
        $answer = $this->actor('ayse')->can('shop.edit', 'Pazar::Shop::"s1"');
        $shown = $answer->__debugInfo();
        $all = (new \ReflectionClass($answer))->getProperties(\ReflectionProperty::IS_PUBLIC);
        self::assertSame(array_column($all, 'name'), array_keys($shown));
        foreach ($shown as $name => $value) {
            self::assertSame($answer->$name, $value, $name);
        }
        self::assertStringContainsString('[directoryVersion] =>', print_r($answer, true));
        self::assertArrayHasKey('directory_version', json_decode(json_encode($answer), true));
    }

    /** Which arguments an exception's trace keeps is a setting of the process. */
    public function testNoTraceKeepsTheSecret(): void
    {
        $code = <<<'PHP'
            <?php
            require $argv[1];
            use Hos\Engine;
            $shown = static function (?Throwable $why) use (&$shown): string {
                return $why === null ? '' : $why . print_r(array_map(static fn (array $frame): array => array_map(
                    static fn (mixed $arg): mixed => is_object($arg) ? get_class($arg) : $arg,
                    $frame['args'] ?? [],
                ), $why->getTrace()), true) . $shown($why->getPrevious());
            };
            // It does not stand in a frame of this script.
            $url = fn (): string => 'postgres://u:SECRET@h/db';
            $opens = [
                fn () => Engine::openForShadow('law', store: $url()),
                fn () => Engine::openForShadow('law', $url()),
                fn () => Engine::openForShadow(store: $url()),
                fn () => Engine::openForShadow('law', stor: $url()),
                fn () => Engine::openForShadow('law', store: 'x', signerCommand: $url(), busyTimeoutMs: 'x'),
                fn () => Engine::openForShadow('law', store: '/nowhere/x', signerCommand: $url()),
                fn () => Engine::openForShadow('law', '/nowhere/x', null, null, null, null, null, null, null, null, $url()),
                fn () => Engine::open('law', store: $url()),
                fn () => Engine::open('law', store: '/nowhere/x', signerCommand: $url()),
                fn () => Engine::openWith(['store' => $url()]),
            ];
            foreach ($opens as $i => $open) {
                try {
                    $why = $open()->absent;
                } catch (Throwable $why) {
                }
                echo "$i ", get_class($why), ' ', str_contains($shown($why), 'SECRET') ? 'told' : 'kept', "\n";
            }
            // Else nothing is kept, whatever is done.
            echo str_contains($shown((fn (string $told): Exception => new Exception())('SECRET')), 'SECRET') ? 'on' : 'off', "\n";
            PHP;
        $file = Place::directory() . '/trace.php';
        file_put_contents($file, $code);
        $command = [PHP_BINARY, '-d', 'zend.exception_ignore_args=0', $file, dirname(__DIR__) . '/src/autoload.php'];
        [$exit, $said] = Place::command($command, ['HOS_LIBRARY' => Place::library()]);
        self::assertSame(0, $exit, $said);
        [$call, $law] = [CallError::class, LawError::class];
        $wanted = [$call, $call, 'TypeError', 'Error', 'TypeError', $law, $law, $call, $law, $call];
        $wanted = array_map(static fn (int $i, string $class): string => "$i $class kept\n", array_keys($wanted), $wanted);
        self::assertSame(implode('', $wanted) . "on\n", $said);
    }

    /** A URL has a password in it: it is refused before a path is made of it, and nobody quotes it. */
    public function testAUrlIsNoStore(): void
    {
        $urls = ['postgres://u:SECRET@127.0.0.1/app', ' mysql://u:SECRET@db/app', 'mysql:host=db;password=SECRET', 'pgsql:host=db;password=SECRET', 'sqlite:/SECRET', 'mysql+x:/u:SECRET@db/app'];
        foreach ($urls as $url) {
            $opens = [
                fn () => Engine::open(null, store: $url),
                fn () => Engine::openWith(['store' => $url], shared: false),
                fn () => throw Engine::openForShadow(law: null, store: $url)->absent ?? new \LogicException('it was opened'),
            ];
            foreach ($opens as $open) {
                try {
                    $open();
                    self::fail('it was opened');
                } catch (CallError $error) {
                    self::assertSame('hos.call_malformed', $error->code());
                    self::assertStringContainsString('give the connection (a \PDO), not its URL', $error->getMessage());
                    self::assertStringNotContainsString('SECRET', (string) $error);
                }
            }
        }
    }

    public function testARelativePathFromNowhere(): void
    {
        $gone = Place::directory() . '/gone';
        mkdir($gone);
        $before = (string) getcwd();
        chdir($gone);
        rmdir($gone);
        try {
            Engine::open(null, store: 'hos.db');
            self::fail('it was looked for at the root');
        } catch (CallError $error) {
            self::assertSame('hos.call_malformed', $error->code());
            self::assertStringContainsString('store is a relative path, and the present directory is gone', $error->getMessage());
        } finally {
            chdir($before);
        }
    }

    /** Questions are written one over the other into one piece of memory. */
    public function testQuestionsOfAllLengthsOneAfterTheOther(): void
    {
        $shops = ['s1' => true, 's9' => false];
        $actors = [$this->actor('ayse'), $this->actor('mert', 'tr'), $this->actor(str_repeat('x', 255)), $this->actor('ayse', 'en')];
        foreach ([0, 10, 2_000, 100, 900_000, 5, 40_000] as $length) {
            foreach ($actors as $i => $actor) {
                foreach ($shops as $shop => $there) {
                    $context = $length === 0 ? [] : ['x' => str_repeat('é', intdiv($length, 2))];
                    $answer = $actor->can('shop.view', new Uid('Pazar::Shop', $shop), context: $context);
                    $wanted = match (true) {
                        $i === 2 => 'hos.principal_unknown',
                        !$there => 'hos.entity_missing',
                        $length !== 0 => 'hos.attribute_unknown',
                        default => null,
                    };
                    self::assertSame([$wanted === null, $wanted], [$answer->allowed, $answer->code], "$length $i $shop");
                    self::assertSame($i % 2 === 1 && $wanted !== null, isset($answer->blockers[0]->message));
                }
            }
        }
    }

    public function testUids(): void
    {
        foreach (["a", "a\"b\\c", "\n\r\t\0", 'ışık/№', "a::\"b"] as $id) {
            $uid = new Uid('Pazar::Account', $id);
            self::assertTrue(Uid::parse((string) $uid)->equals($uid), (string) $uid);
        }
        foreach (['', 'Account', 'Account::ayse', 'Account::"', 'Account::"a"b"', 'Account::"a\\x"', "Account::\"a\"\n"] as $text) {
            try {
                Uid::parse($text);
                self::fail($text);
            } catch (CallError $error) {
                self::assertSame('hos.id_invalid', $error->code());
            }
        }
    }
}
