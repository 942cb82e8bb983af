<?php

declare(strict_types=1);

namespace Hos\Tests;

use Hos\Actor;
use Hos\Answer;
use Hos\CallError;
use Hos\ClosedError;
use Hos\Engine;
use Hos\Given;
use Hos\HasUid;
use Hos\HosError;
use Hos\InternalError;
use Hos\Legacy;
use Hos\Mode;
use Hos\Native\Handle;
use Hos\Tests\Support\Compiler;
use Hos\Tests\Support\Place;
use Hos\Tests\Support\Worlds;
use Hos\Uid;
use PHPUnit\Framework\TestCase;

/** `shadow`: the world decides, the law watches, and whatever befalls the law the world does not feel it. */
final class ShadowTest extends TestCase
{
    private const SHOP = 'Pazar::Shop::"s1"';

    private static string $store;
    private static Engine $engine;
    private static int $orders = 0;

    public static function setUpBeforeClass(): void
    {
        self::$store = self::watched();
        self::$engine = Engine::openForShadow(law: null, store: self::$store);
        self::assertNull(self::$engine->absent);
    }

    public static function tearDownAfterClass(): void
    {
        self::$engine->close();
        self::assertTrue(Place::intact(self::$store));
    }

    /** A store whose law only watches. */
    private static function watched(): string
    {
        $store = Place::pazar();
        $shadow = ['--mode', 'shadow', '--tenant', 'pazar-tr', '--as', 'Account::root', '--store', $store];
        [$exit, $said] = Place::run(['law', 'activate', Place::law(), ...$shadow]);
        self::assertSame(0, $exit, $said);

        return $store;
    }

    private static function ayse(?Engine $engine = null): Actor
    {
        return ($engine ?? self::$engine)->tenant('pazar-tr')->as('Pazar::Account::"ayse"');
    }

    /** @return array<string, mixed> */
    private static function facts(): array
    {
        return ['buyer' => new Uid('Pazar::Account', 'ayse'), 'shop' => new Uid('Pazar::Shop', 's1'), 'total' => 4200];
    }

    /** An order that the world has placed. */
    private static function placed(): string
    {
        $id = 'placed-' . ++self::$orders;
        self::ayse()->shadowBegin('order', $id, 'place', fn () => true, facts: self::facts(), seen: static function ($answer): void {
            self::assertSame([true, null, false], [$answer->allowed, $answer->code, $answer->divergence]);
        });

        return $id;
    }

    /**
     * All forms and worlds come to the same, and `seen` is told each time of such an error.
     *
     * @param Engine|\Closure(): Actor $of
     * @param class-string<\Throwable> $class
     * @param array<mixed> $words
     */
    private function failing(Engine|\Closure $of, string $class, ?string $code = null, array $words = [], mixed $forms = null): void
    {
        $actor = $of instanceof Engine ? fn () => self::ayse($of) : $of;
        $seen = static function ($error) use ($class, $code): void {
            self::assertInstanceOf($class, $error);
            if ($code !== null) {
                self::assertSame($code, $error->code(), $error->getMessage());
            }
        };
        $forms ??= ['shadow', 'shadowBegin', 'shadowCan'];
        $told = [];
        $all = (new Worlds())->harmed($actor, static function ($error) use (&$told): void {
            $told[] = $error;
        }, $words, $forms);
        self::assertSame(count($forms) * count(Worlds::all()), $all);
        array_map($seen, $told);
    }

    public function testAHealthyLaw(): void
    {
        $modes = [];
        $all = (new Worlds())->harmed(self::ayse(...), static function ($answer) use (&$modes): void {
            $modes[] = $answer instanceof Answer ? $answer->mode : $answer;
        });
        self::assertSame(3 * count(Worlds::all()), $all);
        self::assertSame([Mode::Shadow], array_values(array_unique($modes, SORT_REGULAR)));
    }

    public function testWhatTheLawIsTold(): void
    {
        foreach (Worlds::all() as $name => [$legacy, $allowed]) {
            foreach (['shadowCan' => ['shop.view', self::SHOP], 'shadow' => ['order', 'none', 'pay']] as $form => $words) {
                $told = null;
                try {
                    self::ayse()->$form(...$words, legacy: $legacy, seen: static function ($answer) use (&$told): void {
                        $told = $answer;
                    });
                } catch (\DomainException|\Error) {
                }
                self::assertSame($allowed, $told->allowed, "$form, $name");
            }
        }
    }

    public function testWhereLawAndWorldDiffer(): void
    {
        $seen = [];
        $note = static function (Answer $answer) use (&$seen): void {
            $seen[] = [$answer->allowed, $answer->code, $answer->divergence, $answer->to];
        };
        $order = self::placed();
        $args = ['amount' => 1, 'psp_ref' => 'x'];
        self::assertSame('done', self::ayse()->shadow('order', $order, 'pay', fn () => 'done', args: $args,
            outcome: fn () => new Legacy(true, 'paid'), seen: $note));
        self::assertSame('paid', self::ayse()->shadow('order', $order, 'refund', fn () => 'paid', args: ['amount' => 1],
            outcome: fn () => new Legacy(true, 'cancelled'), seen: $note));
        self::assertFalse(self::ayse()->shadowCan('shop.view', self::SHOP, fn () => false, seen: $note));
        self::assertTrue(self::ayse()->shadowCan('shop.edit', self::SHOP, fn () => true, seen: $note));
        self::assertSame([true, 'order.amount_short', true], array_slice($seen[0], 0, 3));
        self::assertSame('cancelled', $seen[1][3], 'the state that the world came to');
        self::assertSame([false, null, true], array_slice($seen[2], 0, 3));
        self::assertSame([true, 'hos.not_permitted', true], array_slice($seen[3], 0, 3));
        $entries = self::ayse()->history('order', $order);
        self::assertSame(['paid', 'cancelled'], [$entries[1]->to, $entries[2]->to], 'the instance follows the world');
    }

    public function testOutcomeSaysWhatTheWorldCameTo(): void
    {
        $gone = new \DomainException('gone');
        foreach ([
            'of what it gave' => [fn () => ['status' => 'failed'], fn ($r) => $r['status'] === 'ok', false],
            'nothing said' => [fn () => false, fn () => null, false],
            'of what it threw' => [fn () => throw $gone, fn ($r) => $r === $gone, true],
            'not of what it threw' => [fn () => throw $gone, fn (array $r) => true, false],
            'a map' => [fn () => 1, fn () => ['allowed' => false], false],
        ] as $name => [$legacy, $outcome, $allowed]) {
            $told = null;
            try {
                self::ayse()->shadowCan('shop.view', self::SHOP, $legacy, outcome: $outcome, seen: static function ($answer) use (&$told): void {
                    $told = $answer;
                });
            } catch (\DomainException $thrown) {
                self::assertSame($gone, $thrown);
            }
            self::assertInstanceOf(Answer::class, $told, $name);
            self::assertSame($allowed, $told->allowed, $name);
        }
        // One that is of no use: the law is not asked, and the world goes on.
        $before = count(self::ayse()->history('order', $order = self::placed()));
        foreach ([fn () => 'yes', fn () => throw new \LogicException('x'), 'no such function', 7] as $outcome) {
            $told = null;
            self::assertSame(5, self::ayse()->shadow('order', $order, 'pay', fn () => 5, outcome: $outcome, seen: static function ($why) use (&$told): void {
                $told = $why;
            }));
            self::assertInstanceOf(\Throwable::class, $told);
        }
        self::assertCount($before, self::ayse()->history('order', $order));
    }

    public function testSeenMayFail(): void
    {
        $gone = new \DomainException('gone');
        foreach ([
            fn () => throw new \LogicException('x'), static fn (int $none) => 1, 'no such function', 7,
            static function (): void {
                trigger_error('a warning of its own', E_USER_WARNING);
            },
        ] as $seen) {
            foreach ([self::$engine, Engine::openForShadow(store: '/nowhere/hos.db')] as $engine) {
                self::assertSame(5, self::ayse($engine)->shadow('order', 'none', 'pay', fn () => 5, seen: $seen));
                try {
                    self::ayse($engine)->shadow('order', 'none', 'pay', fn () => throw $gone, seen: $seen);
                    self::fail('the exception was lost');
                } catch (\DomainException $thrown) {
                    self::assertSame([$gone, null], [$thrown, $thrown->getPrevious()]);
                }
            }
        }
    }

    /** @return array<string, array{array<string, mixed>, class-string<\Throwable>, ?string}> */
    public function opening(): array
    {
        $rotten = Place::directory();
        file_put_contents("$rotten/hos.db", str_repeat('no store', 1000));
        $law = Place::directory();
        file_put_contents("$law/law.toml", 'name = ');
        $store = self::watched();
        $keyless = self::watched();
        unlink("$keyless.key");

        return [
            'no store' => [['store' => '/nowhere/hos.db'], HosError::class, 'hos.store_unavailable'],
            'what is no store' => [['store' => "$rotten/hos.db"], HosError::class, null],
            'a faulty law' => [['law' => $law, 'store' => $store], HosError::class, 'hos.law_invalid'],
            'another law' => [['law' => Place::root() . '/testdata/vectors/call/law', 'store' => $store], HosError::class, 'hos.law_not_active'],
            'no key' => [['store' => $keyless], HosError::class, null],
            'an option of another name' => [['stor' => $store], \Error::class, null],
            'an option of another type' => [['store' => null], \TypeError::class, null],
            'an option that is none' => [['store' => $store, 'busyTimeoutMs' => -1], CallError::class, null],
        ];
    }

    /**
     * @dataProvider opening
     * @param array<string, mixed> $options
     */
    public function testAnEngineThatCannotBeOpened(array $options, string $class, ?string $code): void
    {
        $this->stoodIn(Engine::openForShadow(...(array_key_exists('law', $options) ? [] : ['law' => null]), ...$options), $class, $code);
    }

    private function stoodIn(Engine $engine, string $class, ?string $code): void
    {
        self::assertInstanceOf($class, $engine->absent);
        $this->failing($engine, $class, $code);
        $ayse = self::ayse($engine);
        foreach ([
            fn () => $ayse->can('shop.view', self::SHOP),
            fn () => $ayse->can('shop.view', self::SHOP, legacy: true),
            fn () => $ayse->begin('order', 'o-1', 'place'),
            fn () => $ayse->transition('order', 'o-1', 'pay', legacy: true),
            fn () => $ayse->available('order', 'o-1'),
            fn () => $ayse->history('order', 'o-1'),
            fn () => $ayse->directory->revoke('g'),
            fn () => $engine->tenant('pazar-tr')->message('x', 'tr'),
            fn () => $engine->call('can', '{}'),
        ] as $i => $call) {
            try {
                $call();
                self::fail("$i went through");
            } catch (\Throwable $error) {
                self::assertSame($engine->absent, $error);
            }
        }
        $engine->close();
        $engine->close();
    }

    public function testNoLibrary(): void
    {
        $library = new \ReflectionProperty(Handle::class, 'library');
        [$good, $place] = [$library->getValue(), getenv('HOS_LIBRARY')];
        foreach (['/nowhere/libhos.so', 'libc.so.6', Compiler::library('other_abi')] as $named) {
            $library->setValue(null, null);
            putenv("HOS_LIBRARY=$named");
            try {
                $this->stoodIn(Engine::openForShadow(law: null, store: self::$store), InternalError::class, 'hos.internal');
            } finally {
                $library->setValue(null, $good);
                putenv("HOS_LIBRARY=$place");
            }
        }
    }

    /** As a server meets it that was set up without ext-ffi, or that does not let it near the application. */
    public function testNoFfi(): void
    {
        $autoload = dirname(__DIR__) . '/src/autoload.php';
        file_put_contents($script = Place::directory() . '/t.php', "<?php require '$autoload';" . <<<'PHP'
            $ayse = ($engine = Hos\Engine::openForShadow(law: null, store: 'x'))->tenant('pazar-tr')->as('Pazar::Account::"ayse"');
            echo $ayse->shadow('order', 'o-1', 'pay', fn () => 'paid', seen: function ($why) use (&$seen) { $seen = $why; });
            echo $seen === $engine->absent ? ' ' . get_class($seen) : ' nothing seen';
            PHP);
        foreach (['-n' => ' Error', '-dffi.enable=0' => ' Hos\InternalError'] as $option => $why) {
            [$exit, $said] = Place::command([PHP_BINARY, $option, '-ddisplay_errors=1', $script]);
            self::assertSame([0, "paid$why"], [$exit, $said], $option);
        }
    }

    public function testAClosedEngine(): void
    {
        $engine = Engine::openForShadow(law: null, store: $store = self::watched());
        $engine->close();
        $this->failing($engine, ClosedError::class, 'hos.engine_closed');
        self::assertTrue(Place::intact($store));
    }

    public function testALockedStore(): void
    {
        $store = self::watched();
        $engine = Engine::openForShadow(law: null, store: $store, busyTimeoutMs: 1);
        // Another process that writes for long.
        $hold = '$db = new PDO("sqlite:" . $argv[1]); $db->exec("BEGIN IMMEDIATE"); echo "held\n"; fgets(STDIN);';
        $holder = proc_open([PHP_BINARY, '-r', $hold, $store], [['pipe', 'r'], ['pipe', 'w'], STDERR], $pipes);
        self::assertSame("held\n", fgets($pipes[1]));
        $codes = [];
        $began = hrtime(true);
        $all = (new Worlds())->harmed(fn () => self::ayse($engine), static function ($told) use (&$codes): void {
            $codes[] = $told instanceof Answer ? $told->code : $told->code();
        }, forms: ['shadow', 'shadowBegin']);
        self::assertLessThan($all * 1e9, hrtime(true) - $began, 'a locked store holds nobody up for longer than `busyTimeoutMs`');
        fclose($pipes[0]);
        proc_close($holder);
        self::assertSame(['hos.store_busy'], array_values(array_unique($codes)));
        $engine->close();
        self::assertTrue(Place::intact($store));
    }

    public function testAPlantedPanic(): void
    {
        foreach ([self::watched(), Place::pazar()] as $store) {
            $engine = Engine::openWith(['store' => $store, 'clock' => 'PT0S']);
            $codes = [];
            (new Worlds())->harmed(static function () use ($engine): Actor {
                $engine->call('failpoint', ['panic' => 'clock']);

                return self::ayse($engine);
            }, static function ($told) use (&$codes): void {
                $codes[] = $told instanceof Answer ? $told->code : $told->code();
            }, forms: ['shadow', 'shadowBegin']);
            self::assertSame(['hos.internal'], array_values(array_unique($codes)));
            $engine->call('failpoint', ['clock' => 'PT0S']);
            $engine->close();
            self::assertTrue(Place::intact($store));
        }
    }

    public function testWordsOfOursThatAreWrong(): void
    {
        $failing = new class implements HasUid {
            public function hosUid(): Uid
            {
                echo $undefined;
                throw new \DomainException('the row is gone');
            }
        };
        $itself = [1];
        $itself[] = &$itself;
        $values = [null, 0.5, NAN, "a\xff", fn () => 1, $itself, $failing, ['__entity' => 1], new \DateTime('now'), str_repeat('x', 2_000_000)];
        foreach ($values as $value) {
            foreach ([['args' => ['x' => $value]], ['context' => ['x' => $value]], ['args' => $value], ['given' => [$value]], ['once' => $value],
                ['reason' => $value], ['given' => [new Given($failing)]], [0 => $value], [1 => $value], [2 => $value]] as $words) {
                (new Worlds())->harmed(fn () => self::ayse(), static function (): void {
                }, $words, ['shadow']);
            }
            (new Worlds())->harmed(fn () => self::ayse(), static function (): void {
            }, [1 => $value], ['shadowCan']);
            // Who acts is asked at once, outside of `shadow`: what it says by the way is the application's.
            $value !== $failing && (new Worlds())->harmed(fn () => self::$engine->tenant('pazar-tr')->as($value), static function (): void {
            });
        }
        $this->failing(self::$engine, \Error::class, words: ['argz' => []]);
        $this->failing(self::$engine, \TypeError::class, words: [0 => []]);
        $this->failing(fn () => self::$engine->tenant("no\xff")->as(null), CallError::class);
    }

    public function testAnIdThatIsANumberIsOne(): void
    {
        $told = null;
        self::ayse()->shadow('order', 17, 'pay', fn () => true, seen: static function ($answer) use (&$told): void {
            $told = $answer;
        });
        self::assertInstanceOf(Answer::class, $told);
        self::assertSame('hos.instance_unknown', $told->code);
    }

    /** PHP cannot catch that memory has run out: before it does, the law is not asked. */
    public function testWhereMemoryIsShort(): void
    {
        $limit = (string) ini_get('memory_limit');
        ini_set('memory_limit', (string) (memory_get_usage(true) + (24 << 20)));
        try {
            $this->failing(self::$engine, InternalError::class, 'hos.internal');
        } finally {
            ini_set('memory_limit', $limit);
        }
    }

    /** What the law says is no longer the world's to overrule; the world's answer is given back all the same. */
    public function testWhereTheLawIsEnforced(): void
    {
        $store = Place::pazar();
        $engine = Engine::openForShadow(law: null, store: $store);
        $told = [];
        (new Worlds())->harmed(fn () => self::ayse($engine), static function ($answer) use (&$told): void {
            $told[] = [$answer->mode, $answer->allowed];
        }, forms: ['shadowCan']);
        self::assertSame(array_fill(0, count(Worlds::all()), [Mode::Enforce, true]), $told, 'the law alone is heeded');
        $seen = null;
        self::assertSame('refused', self::ayse($engine)->shadow('order', 'none', 'pay', fn () => 'refused', seen: static function ($answer) use (&$seen): void {
            $seen = $answer;
        }));
        self::assertSame([Mode::Enforce, false, 'hos.instance_unknown'], [$seen->mode, $seen->allowed, $seen->code]);
        $engine->close();
        self::assertTrue(Place::intact($store));
    }

    /** Nobody has to look. */
    public function testWithoutSeen(): void
    {
        self::assertSame(3, self::ayse()->shadow('order', 'none', 'pay', fn () => 3));
        self::assertSame(3, self::ayse()->shadowBegin('order', 'o-without', 'place', fn () => 3, facts: self::facts()));
        self::assertSame(3, self::ayse()->shadowCan('shop.view', self::SHOP, fn () => 3));
        self::assertCount(1, self::ayse()->history('order', 'o-without'));
    }
}
