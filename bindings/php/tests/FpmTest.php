<?php

declare(strict_types=1);

namespace Hos\Tests;

use Hos\Engine;
use Hos\Tests\Support\Fpm;
use Hos\Tests\Support\Host;
use Hos\Tests\Support\Place;
use Hos\Uid;
use PHPUnit\Framework\TestCase;

/** PHP-FPM with `ffi.enable=preload`: workers that live, are recycled, and are killed. */
final class FpmTest extends TestCase
{
    /** How old the directory may be that another process than the revoking one decides by, in seconds: the engine's setting. */
    private const DIRECTORY_AGE_MAX = 0.5;

    private ?Fpm $fpm = null;

    protected function tearDown(): void
    {
        $this->fpm?->stop();
    }

    /** @return list<int> of the workers that run now */
    private function workers(Fpm $fpm, int $master): array
    {
        $children = (string) @file_get_contents("/proc/$master/task/$master/children");

        return array_map(intval(...), array_filter(explode(' ', trim($children))));
    }

    public function testAnEngineStaysOpenFromRequestToRequest(): void
    {
        $store = Place::pazar();
        $this->fpm = new Fpm();
        $numbers = [];
        for ($i = 0; $i < 20; $i++) {
            $told = $this->fpm->told('worker.php', ['do' => 'open', 'store' => $store]);
            self::assertTrue($told['allowed']);
            $numbers[$told['pid']][] = $told['number'];
        }
        // Which worker gets how many requests is the system's choice.
        self::assertLessThanOrEqual(2, count($numbers));
        self::assertGreaterThanOrEqual(10, max(array_map(count(...), $numbers)));
        foreach ($numbers as $of) {
            self::assertCount(1, array_unique($of), 'one engine each');
        }
        self::assertSame('closed', $this->fpm->told('worker.php', ['do' => 'ffi', 'store' => $store])['ffi']);
        $this->fpm->stop();
        self::assertTrue(Place::intact($store));
    }

    public function testAnEngineThatJoinsStaysTooThoughTheConnectionGoes(): void
    {
        $host = Host::fresh('SQLite');
        // The server may run as another user.
        array_map(static fn (string $path): bool => chmod($path, is_dir($path) ? 0o777 : 0o666), [dirname($host->name), ...(glob("$host->name*") ?: [])]);
        $this->fpm = new Fpm();
        $numbers = [];
        for ($i = 0; $i < 20; $i++) {
            $told = $this->fpm->told('worker.php', ['do' => 'join', 'store' => $host->name, 'id' => 'o-' . intdiv($i, 2)]);
            self::assertSame($i % 2 === 0, $told['allowed'] ?? null, (string) json_encode($told));
            self::assertSame($told['allowed'] ? null : 'Bu kayıt zaten var.', $told['message']);
            $numbers[$told['pid']][] = $told['number'];
        }
        foreach ($numbers as $of) {
            self::assertCount(1, array_unique($of), 'one engine each');
        }
        $this->fpm->stop();
        self::assertSame(10, $host->count("hos_instance WHERE contract = 'order'"));
        $host->intact();
    }

    public function testThePreloadFileLoadsTheHeaderByItself(): void
    {
        $store = Place::pazar();
        if (posix_geteuid() === 0) {
            // The server runs without root here, and so must what it opens.
            foreach ([dirname($store), ...(glob(dirname($store) . '/*') ?: [])] as $path) {
                chown($path, 65534);
                chgrp($path, 65534);
            }
        }
        $this->fpm = new Fpm(plain: true);
        $told = $this->fpm->told('worker.php', ['do' => 'open', 'store' => $store]);
        self::assertTrue($told['allowed'] ?? null, json_encode($told));
        self::assertSame('closed', $this->fpm->told('worker.php', ['do' => 'ffi', 'store' => $store])['ffi']);
    }

    public function testWithoutThePreloadFileItSaysWhatToDo(): void
    {
        $this->fpm = new Fpm(ini: ['opcache.preload' => '', 'ffi.preload' => '']);
        $told = $this->fpm->told('worker.php', ['do' => 'open', 'store' => '/nowhere']);
        self::assertSame('hos.internal', $told['error']);
        self::assertStringContainsString('opcache.preload', $told['message']);
    }

    public function testWithFfiOpenToAllThereIsNoNeedForIt(): void
    {
        $this->fpm = new Fpm(ini: ['ffi.enable' => '1', 'opcache.preload' => '', 'ffi.preload' => '']);
        $store = Place::pazar();
        $numbers = [];
        for ($i = 0; $i < 8; $i++) {
            $told = $this->fpm->told('worker.php', ['do' => 'open', 'store' => $store]);
            self::assertTrue($told['allowed'] ?? null, json_encode($told));
            $numbers[$told['pid']][$told['number']] = true;
        }
        self::assertSame([1], array_unique(array_map(count(...), array_values($numbers))));
    }

    public function testNothingIsOpenedInTheMaster(): void
    {
        $dir = Place::directory();
        putenv('HOS_TEST_SAID=' . $dir . '/said');
        putenv('HOS_TEST_STORE=' . Place::pazar());
        try {
            // Whoever preloads writes the file.
            chmod($dir, 0o777);
            $this->fpm = new Fpm(ini: ['opcache.preload' => __DIR__ . '/fpm/preload_opens.php']);
        } finally {
            putenv('HOS_TEST_SAID');
            putenv('HOS_TEST_STORE');
        }
        self::assertSame('hos.engine_closed', file_get_contents("$dir/said"));
    }

    public function testWorkersThatAreRecycled(): void
    {
        $store = Place::pazar();
        $this->fpm = new Fpm(['pm.max_requests' => '3']);
        $pids = [];
        for ($i = 0; $i < 24; $i++) {
            $told = $this->fpm->told('worker.php', ['do' => 'move', 'store' => $store, 'id' => "o-$i"]);
            self::assertTrue($told['allowed'] ?? null, json_encode($told));
            $pids[$told['pid']] = true;
        }
        self::assertGreaterThanOrEqual(6, count($pids));
        $this->fpm->stop();
        $this->paidOnce($store, 24);
    }

    public function testWorkersThatAreKilled(): void
    {
        $store = Place::pazar();
        $this->fpm = new Fpm(['pm.max_children' => '3']);
        $first = $this->fpm->told('worker.php', ['do' => 'open', 'store' => $store]);
        $master = (int) (explode(' ', (string) file_get_contents("/proc/{$first['pid']}/stat"))[3]);
        $open = range(0, 39);
        $lost = $killed = 0;
        for ($round = 0; $open !== [] && $round < 200; $round++) {
            $asked = [];
            foreach (array_slice($open, 0, 3) as $i) {
                $asked[$i] = $this->fpm->ask('worker.php', ['do' => 'move', 'store' => $store, 'id' => "o-$i"]);
            }
            if ($killed < 15) {
                usleep(random_int(0, 25_000));
                foreach (array_slice($this->workers($this->fpm, $master), 0, 2) as $pid) {
                    $killed += posix_kill($pid, SIGKILL) ? 1 : 0;
                }
            }
            foreach ($asked as $i => $request) {
                $told = json_decode((string) $request->answer(), true);
                if (($told['allowed'] ?? null) === true) {
                    $open = array_values(array_diff($open, [$i]));
                } else {
                    // Its worker died, or it met the file of one that died; by its once-key it is done once however often it comes.
                    $lost++;
                    self::assertContains($told['error'] ?? null, [null, 'hos.store_busy', 'hos.retry'], json_encode($told));
                }
            }
        }
        self::assertSame([], $open, $this->fpm->log());
        self::assertGreaterThanOrEqual(10, $killed);
        self::assertGreaterThan(0, $lost, 'the killing met requests');
        $this->fpm->stop();
        $this->paidOnce($store, 40);
    }

    private function paidOnce(string $store, int $orders): void
    {
        self::assertTrue(Place::intact($store));
        $engine = Engine::open(null, store: $store);
        $tenant = $engine->tenant('pazar-tr');
        for ($i = 0; $i < $orders; $i++) {
            $history = $tenant->history('order', "o-$i");
            self::assertSame([['place', 'new'], ['pay', 'paid']], array_map(fn ($e) => [$e->event, $e->to], $history));
        }
        $engine->close();
    }

    public function testARevocationWhileOthersDecide(): void
    {
        $this->revoked([], self::DIRECTORY_AGE_MAX);
    }

    public function testARevocationWhileOthersAskTheStoreEachTime(): void
    {
        $this->revoked(['age' => '0'], 0.0);
    }

    /**
     * @param array<string, string> $how what the workers are told besides
     * @param float $age how many seconds after the revocation's answer a question may still get a yes
     */
    private function revoked(array $how, float $age): void
    {
        $store = Place::pazar();
        $engine = Engine::open(null, store: $store);
        $root = $engine->tenant('pazar-tr')->as(new Uid('Pazar::Account', 'root'));
        $this->fpm = new Fpm(['pm.max_children' => '3']);
        for ($round = 1; $round <= 3; $round++) {
            $mert = new Uid('Pazar::Account', 'mert');
            self::assertTrue($root->directory->grant("g-$round", 'shop-manager', $mert, 'Pazar::Shop::"s1"')->allowed);
            // What is granted reaches the others as late.
            usleep((int) (self::DIRECTORY_AGE_MAX * 1.1e6));
            $asking = [];
            for ($i = 0; $i < 2; $i++) {
                $asking[] = $this->fpm->ask('worker.php', ['do' => 'shop', 'store' => $store, 'as' => 'mert', 'seconds' => 20] + $how);
            }
            usleep(700_000);
            self::assertTrue($root->directory->revoke("g-$round")->allowed);
            $revoked = microtime(true);
            foreach ($asking as $request) {
                $told = json_decode((string) $request->answer(), true);
                self::assertIsFloat($told['last'] ?? null, json_encode($told) . ': yes was said before');
                self::assertLessThan($told['until'], $told['ended'], 'no was said after');
                $latest = $revoked + $age;
                self::assertLessThan($latest, $told['last'], 'what was asked later than that got a no');
                self::assertGreaterThan(100, $told['asked']);
            }
        }
        $engine->close();
        $this->fpm->stop();
        self::assertTrue(Place::intact($store));
    }
}
