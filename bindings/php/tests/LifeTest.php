<?php

declare(strict_types=1);

namespace Hos\Tests;

use Hos\Actor;
use Hos\ClosedError;
use Hos\Engine;
use Hos\InternalError;
use Hos\Native\FfiLibrary;
use Hos\Native\Handle;
use Hos\Status;
use Hos\Tests\Support\Compiler;
use Hos\Tests\Support\Place;
use Hos\Uid;
use PHPUnit\Framework\TestCase;

/** Engines and processes: closing, forks, signals, ends of all kinds. */
final class LifeTest extends TestCase
{
    private function ayse(Engine $engine): Actor
    {
        return $engine->tenant('pazar-tr')->as(new Uid('Pazar::Account', 'ayse'));
    }

    private function order(Actor $ayse, string $id): bool
    {
        $facts = ['buyer' => $ayse->principal, 'shop' => new Uid('Pazar::Shop', 's1'), 'total' => 1];

        return $ayse->begin('order', $id, 'place', facts: $facts, once: "once-$id")->allowed;
    }

    private function number(Engine $engine): int
    {
        $handle = (new \ReflectionProperty($engine, 'handle'))->getValue($engine);

        return (new \ReflectionProperty($handle, 'number'))->getValue($handle);
    }

    /** Runs in a child, and gives the exit code: 0 where `$work` says true. */
    private function child(\Closure $work): int
    {
        $pid = pcntl_fork();
        if ($pid === 0) {
            try {
                $code = $work() === true ? 0 : 1;
            } catch (\Throwable $error) {
                fwrite(STDERR, get_class($error) . ': ' . $error->getMessage() . "\n");
                $code = 2;
            }
            // Not the tests' own ending: PHPUnit's belongs to the parent.
            posix_kill((int) getmypid(), $code === 0 ? SIGTERM : SIGKILL);
            sleep(5);
        }
        pcntl_waitpid($pid, $status);

        return pcntl_wtermsig($status) === SIGTERM ? 0 : 1;
    }

    public function testClosing(): void
    {
        $engine = Engine::openWith(['store' => Place::pazar()], shared: false);
        $ayse = $this->ayse($engine);
        $before = $ayse->can('shop.edit', 'Pazar::Shop::"s1"');
        $engine->close();
        self::assertSame('hos.not_permitted', $before->code, 'an answer outlives its engine');
        foreach ([
            fn () => $ayse->can('shop.view', 'Pazar::Shop::"s1"'),
            fn () => $this->order($ayse, 'o-1'),
            fn () => $ayse->history('order', 'o-1'),
            fn () => $before->message('tr'),
            fn () => $engine->call('can', '{}'),
            fn () => $engine->close(),
        ] as $i => $call) {
            try {
                $call();
                self::fail("$i went through");
            } catch (ClosedError $error) {
                self::assertSame('hos.engine_closed', $error->code());
            }
        }
    }

    public function testAnEngineOfOnesOwnIsClosedByNobodyElse(): void
    {
        $store = Place::pazar();
        $shared = Engine::open(null, store: $store);
        $own = Engine::openWith(['store' => $store], shared: false);
        self::assertNotSame($this->number($shared), $this->number($own));
        $own->close();
        self::assertTrue($this->ayse($shared)->can('shop.view', 'Pazar::Shop::"s1"')->allowed);
        $shared->close();
    }

    /** A worker that opens one for each request would have all of them open in the end. */
    public function testAnEngineOfOnesOwnIsClosedWithTheLastThatNeedsIt(): void
    {
        $store = Place::pazar();
        $isOpen = static fn (int $number): bool => Handle::library()->call($number, 'can', '{}', $json) !== Status::Closed->value;
        $own = Engine::openWith(['store' => $store], shared: false);
        $number = $this->number($own);
        $ayse = $this->ayse($own);
        unset($own);
        self::assertTrue($ayse->can('shop.view', 'Pazar::Shop::"s1"')->allowed, 'an actor needs it still');
        // What a child has inherited is its parent's.
        self::assertSame(0, $this->child(function () use (&$ayse): bool {
            $ayse = null;

            return true;
        }));
        self::assertTrue($isOpen($number) && $this->order($ayse, 'own-1'));
        unset($ayse);
        self::assertFalse($isOpen($number));
        $shared = Engine::open(null, store: $store);
        $number = $this->number($shared);
        unset($shared);
        self::assertTrue($isOpen($number), 'who opens it again gets it again');
        Engine::open(null, store: $store)->close();
        self::assertFalse($isOpen($number));
    }

    public function testAChildOpensItsOwn(): void
    {
        $store = Place::pazar();
        $engine = Engine::open(null, store: $store);
        $ayse = $this->ayse($engine);
        self::assertTrue($this->order($ayse, 'parent-1'));
        $number = $this->number($engine);
        $code = $this->child(fn (): bool => $ayse->can('shop.view', 'Pazar::Shop::"s1"')->allowed
            && $this->order($ayse, 'child-1')
            && $this->number($engine) !== $number);
        self::assertSame(0, $code);
        // The parent's is as it was.
        self::assertTrue($this->order($ayse, 'parent-2'));
        self::assertSame($number, $this->number($engine));
        self::assertCount(1, $ayse->history('order', 'child-1'));
        $code = $this->child(function () use ($engine, $ayse): bool {
            $engine->close();
            try {
                $ayse->can('shop.view', 'Pazar::Shop::"s1"');

                return false;
            } catch (ClosedError) {
                return true;
            }
        });
        self::assertSame(0, $code);
        self::assertTrue($this->order($ayse, 'parent-3'), 'closing in a child closes nothing of the parent');
        $engine->close();
        self::assertSame(0, $this->child(function () use ($ayse): bool {
            try {
                $ayse->can('shop.view', 'Pazar::Shop::"s1"');

                return false;
            } catch (ClosedError) {
                return true;
            }
        }), 'what was closed before the fork stays closed in the child');
        self::assertTrue(Place::intact($store));
    }

    public function testManyChildrenAtOnce(): void
    {
        $store = Place::pazar();
        $engine = Engine::open(null, store: $store);
        $ayse = $this->ayse($engine);
        self::assertTrue($this->order($ayse, 'first'));
        $children = [];
        for ($i = 0; $i < 4; $i++) {
            $pid = pcntl_fork();
            if ($pid === 0) {
                try {
                    for ($n = 0; $n < 25; $n++) {
                        $this->order($ayse, "c-$i-$n") || posix_kill((int) getmypid(), SIGABRT);
                    }
                } catch (\Throwable $error) {
                    fwrite(STDERR, $error->getMessage() . "\n");
                    posix_kill((int) getmypid(), SIGABRT);
                }
                posix_kill((int) getmypid(), SIGTERM);
                sleep(5);
            }
            $children[] = $pid;
        }
        for ($n = 0; $n < 25; $n++) {
            self::assertTrue($this->order($ayse, "p-$n"));
        }
        foreach ($children as $pid) {
            pcntl_waitpid($pid, $status);
            self::assertSame(SIGTERM, pcntl_wtermsig($status));
        }
        foreach (['p-24', 'c-0-0', 'c-1-24', 'c-2-12', 'c-3-24'] as $id) {
            self::assertCount(1, $ayse->history('order', $id));
        }
        $engine->close();
        self::assertTrue(Place::intact($store));
    }

    public function testAForkWhileACallIsUnderWay(): void
    {
        $store = Place::pazar();
        $engine = Engine::open(null, store: $store);
        $ayse = $this->ayse($engine);
        self::assertTrue($this->order($ayse, 'first'));
        $busy = \FFI::cdef(
            'int busy_start(const char *library, uint64_t number, const char *name); long busy_calls(void); long busy_stop(void);',
            Compiler::library('busy'),
        );
        self::assertSame(0, $busy->busy_start(Place::library(), $this->number($engine), 'pazar-tr'));
        for ($i = 0; $i < 15; $i++) {
            $made = $busy->busy_calls();
            $waited = 0;
            while ($busy->busy_calls() === $made && $waited++ < 100_000) {
                usleep(50);
            }
            self::assertSame(0, $this->child(fn (): bool => $ayse->can('shop.view', 'Pazar::Shop::"s1"')->allowed
                && $this->order($ayse, "child-$i")), "child $i");
        }
        self::assertSame(0, $busy->busy_stop());
        self::assertGreaterThan(15, $busy->busy_calls());
        self::assertCount(1, $ayse->history('order', 'child-14'));
        $engine->close();
        self::assertTrue(Place::intact($store));
    }

    /** A handler that makes calls of its own between a call and the reading of its answer. */
    public function testSignalsMixNoAnswers(): void
    {
        $engine = Engine::open(null, store: Place::pazar());
        $ayse = $this->ayse($engine);
        $handled = 0;
        pcntl_async_signals(true);
        pcntl_signal(SIGUSR1, function () use ($ayse, &$handled): void {
            $handled++;
            self::assertTrue($ayse->can('shop.view', 'Pazar::Shop::"s1"')->allowed);
        });
        $me = (int) getmypid();
        $pid = pcntl_fork();
        if ($pid === 0) {
            for ($i = 0; $i < 2000; $i++) {
                posix_kill($me, SIGUSR1);
                usleep(200);
            }
            posix_kill((int) getmypid(), SIGKILL);
        }
        $asked = 0;
        do {
            $answer = $ayse->can('shop.edit', 'Pazar::Shop::"s1"');
            // Status and words are of one call: the words say no as well, and say why.
            self::assertFalse($answer->allowed);
            self::assertSame('hos.not_permitted', $answer->code);
            $asked++;
        } while (pcntl_waitpid($pid, $status, WNOHANG) === 0);
        pcntl_signal(SIGUSR1, SIG_DFL);
        pcntl_async_signals(false);
        self::assertGreaterThan(100, $handled);
        self::assertGreaterThan(100, $asked);
        $engine->close();
    }

    /** @return array<string, array{string, int, string}> */
    public function endings(): array
    {
        return [
            'end' => ['end', 0, ''],
            'exit' => ['exit', 7, ''],
            'exit in a function' => ['exit-in-a-function', 7, ''],
            'exit in a signal' => ['exit-in-a-signal', 7, ''],
            'exception' => ['exception', 255, 'nobody catches this'],
            'fatal error' => ['fatal', 255, 'Allowed memory size'],
            'calls in a destructor' => ['in-a-destructor', 0, 'made'],
            'calls in a shutdown function' => ['in-a-shutdown-function', 0, 'made'],
            'held by a circle' => ['held-by-a-circle', 0, ''],
        ];
    }

    /** @dataProvider endings */
    public function testHowAProcessEnds(string $way, int $exit, string $said): void
    {
        $store = Place::pazar();
        [$ended, $printed] = Place::command([PHP_BINARY, __DIR__ . '/scripts/shutdown.php', $store, $way]);
        self::assertSame($exit, $ended, $printed);
        $said === '' ? self::assertSame('', $printed) : self::assertStringContainsString($said, $printed);
        self::assertTrue(Place::intact($store));
        $engine = Engine::open(null, store: $store);
        self::assertCount(1, $this->ayse($engine)->history('order', "$way-1"));
        if ($said === 'made') {
            self::assertCount(1, $this->ayse($engine)->history('order', "$way-2"));
        }
        $engine->close();
    }

    public function testAProcessThatIsKilled(): void
    {
        $store = Place::pazar();
        $command = [PHP_BINARY, __DIR__ . '/scripts/shutdown.php', $store, 'killed'];
        $process = proc_open($command, [['file', '/dev/null', 'r'], ['pipe', 'w'], STDERR], $pipes);
        for ($i = 0; $i < 20; $i++) {
            $last = trim((string) fgets($pipes[1]));
        }
        proc_terminate($process, SIGKILL);
        // What it had still said before it died counts as done as well.
        $rest = array_filter(explode("\n", (string) stream_get_contents($pipes[1])));
        $last = $rest === [] ? $last : end($rest);
        proc_close($process);
        self::assertTrue(Place::intact($store));
        $engine = Engine::open(null, store: $store);
        self::assertCount(1, $this->ayse($engine)->history('order', $last), 'what was answered is stored');
        $engine->close();
    }

    public function testALibraryOfAnotherVersion(): void
    {
        $other = Compiler::library('other_abi');
        try {
            FfiLibrary::named($other);
            self::fail('it was taken');
        } catch (InternalError $error) {
            self::assertSame('hos.internal', $error->code());
            self::assertStringContainsString('speaks version 2 of the C ABI, this binding 1: install', $error->getMessage());
            self::assertStringContainsString($other, $error->getMessage());
        }
        foreach (['/nowhere/libhos.so', 'libc.so.6'] as $none) {
            try {
                FfiLibrary::named($none);
                self::fail("$none was taken");
            } catch (InternalError $error) {
                self::assertStringContainsString('HOS_LIBRARY', $error->getMessage());
            }
        }
        // And as an application meets it.
        $script = Place::directory() . '/t.php';
        $autoload = dirname(__DIR__) . '/src/autoload.php';
        file_put_contents($script, "<?php require '$autoload'; Hos\\Engine::open(null, store: 'x');");
        [$exit, $said] = Place::command([PHP_BINARY, $script], ['HOS_LIBRARY' => $other]);
        self::assertSame(255, $exit);
        self::assertStringContainsString('version 2 of the C ABI', $said);
    }

    public function testTheHeaderIsTheLibrarys(): void
    {
        $ours = (string) file_get_contents(dirname(__DIR__) . '/preload/hos.ffi.h');
        $c = Place::root() . '/hos-ffi/include/';
        self::assertSame((string) file_get_contents($c . 'hos.ffi.h'), preg_replace('/^#.*\n/m', '', $ours));
        self::assertSame(1, preg_match('/^#define HOS_ABI_VERSION (\d+)$/m', (string) file_get_contents($c . 'hos.h'), $found));
        self::assertSame(FfiLibrary::ABI, (int) $found[1]);
        preg_match_all('/^\s+HOS_([A-Z]+) = (-?\d+),$/m', $ours, $classes, PREG_SET_ORDER);
        self::assertCount(11, $classes);
        foreach ($classes as [, $name, $number]) {
            // No call ends so: a step is on its way.
            if ($name === 'NEED') {
                self::assertSame((string) (new \ReflectionClassConstant(\Hos\Pdo\Joined::class, 'ON_ITS_WAY'))->getValue(), $number);
                continue;
            }
            self::assertSame($name, strtoupper(\Hos\Status::from((int) $number)->name));
        }
        self::assertSame(Engine::version(), Handle::library()->version());
        self::assertMatchesRegularExpression('/\A\d+\.\d+\.\d+/', Engine::version());
    }

    public function testNoOtherFileTouchesFfi(): void
    {
        $found = [];
        foreach (new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator(dirname(__DIR__) . '/src')) as $file) {
            if (preg_match('/\bFFI(\\\\|::| )/', preg_replace('~//.*|/\*.*?\*/~s', '', (string) @file_get_contents((string) $file)))) {
                $found[] = $file->getFilename();
            }
        }
        self::assertSame(['FfiLibrary.php'], $found);
    }

    public function testAMillionQuestionsInFlatMemory(): void
    {
        [$exit, $said] = Place::command([PHP_BINARY, __DIR__ . '/scripts/memory.php', Place::pazar(), '1000000']);
        self::assertSame(0, $exit, $said);
        $told = json_decode($said, true);
        self::assertSame(500_000, $told['yes']);
        // In kB; what allocators do by themselves is well below.
        self::assertLessThan(2048, $told['after'] - $told['before'], $said);
    }

    /** A worker lives for days: it does not keep the room of its largest question. */
    public function testALargeQuestionLeavesNothingBehind(): void
    {
        $engine = Engine::open(null, store: Place::pazar());
        $ayse = $this->ayse($engine);
        self::assertTrue($ayse->can('shop.view', 'Pazar::Shop::"s1"')->allowed);
        $before = memory_get_usage();
        foreach ([10_000_000, 700_000] as $length) {
            try {
                self::assertFalse($ayse->can(str_repeat('x', $length), 'Pazar::Shop::"s1"')->allowed);
            } catch (\Hos\CallError $error) {
                self::assertSame('hos.call_too_large', $error->code());
                unset($error);
            }
            self::assertLessThan(100_000, memory_get_usage() - $before, "after $length bytes");
        }
        self::assertTrue($ayse->can('shop.view', 'Pazar::Shop::"s1"')->allowed);
        $engine->close();
    }

    public function testValgrindFindsNothing(): void
    {
        [$missing] = Place::command(['valgrind', '--version']);
        if ($missing !== 0) {
            self::markTestSkipped('valgrind is missing: apt install valgrind');
        }
        $php = [PHP_BINARY, '-n', '-d', 'extension=ffi', '-d', 'pcre.jit=0'];
        $command = ['valgrind', '-q', '--error-exitcode=9', ...$php, __DIR__ . '/scripts/short.php', Place::pazar()];
        [$exit, $said] = Place::command($command, ['USE_ZEND_ALLOC' => '0', 'RUST_BACKTRACE' => '0']);
        self::assertSame(0, $exit, $said);
        self::assertStringContainsString('"hos.call_too_large","hos.internal"]', $said);
    }
}
