<?php

declare(strict_types=1);

namespace Hos\Tests;

use Hos\Legacy;
use Hos\Tests\Support\Alarmed;
use Hos\Tests\Support\Host;
use Hos\Tests\Support\Place;
use Hos\Tests\Support\Script;
use PHPUnit\Framework\TestCase;

/** A host whose signal's handler throws, at each statement of a call. */
final class JoinedSignalsTest extends TestCase
{
    /** More than any call has. */
    private const STATEMENTS = 60;

    protected function setUp(): void
    {
        pcntl_async_signals(true);
        pcntl_signal(SIGUSR1, static fn () => throw new \UnexpectedValueException('time is up'));
    }

    protected function tearDown(): void
    {
        pcntl_signal(SIGUSR1, SIG_DFL);
        pcntl_async_signals(false);
    }

    /** @return array<string, array{string}> */
    public static function kinds(): array
    {
        return Host::kinds();
    }

    /** @return iterable<string, Alarmed> a new connection for each statement, before and behind it */
    private static function alarmed(Host $host): iterable
    {
        foreach ([false, true] as $behind) {
            for ($at = 1; $at <= self::STATEMENTS; $at++) {
                $pdo = $host->pdo(class: Alarmed::class);
                $pdo->behind = $behind;
                yield "$host->kind, at $at" . ($behind ? ', behind' : '') => [$at, $pdo];
                if (!$pdo->sent) {
                    // There are no more.
                    break;
                }
            }
        }
    }

    /** @dataProvider kinds */
    public function testWhatTheHostCommitsAllTheSameIsWhole(string $kind): void
    {
        $host = Host::fresh($kind);
        $broken = 0;
        foreach (self::alarmed($host) as $what => [$at, $pdo]) {
            $ayse = Host::ayse($pdo);
            $pdo->beginTransaction();
            $pdo->at = $at;
            try {
                Host::place($ayse, $what);
            } catch (\UnexpectedValueException) {
                $broken++;
            }
            $pdo->at = 0;
            $pdo->commit();
            // The connection goes on, and knows what there is.
            $pdo->beginTransaction();
            self::assertTrue(Host::place($ayse, "$what, next")->allowed);
            $pdo->commit();
        }
        self::assertGreaterThan(1, $broken);
        $host->intact();
    }

    /** @dataProvider kinds */
    public function testTransactionLeavesNoneOpen(string $kind): void
    {
        $host = Host::fresh($kind);
        $broken = 0;
        foreach (self::alarmed($host) as $what => [$at, $pdo]) {
            $engine = Host::engine($pdo);
            $work = static fn (string $id): \Closure => static fn (): \Hos\Answer => Host::place(Host::ayse($pdo), $id);
            $pdo->at = $at;
            try {
                $engine->transaction($work($what));
            } catch (\UnexpectedValueException) {
                $broken++;
            }
            $pdo->at = 0;
            self::assertFalse($pdo->inTransaction(), $what);
            self::assertTrue($engine->transaction($work("$what, next"))->allowed, $what);
        }
        self::assertGreaterThan(1, $broken);
        $host->intact();
    }

    /** @dataProvider kinds */
    public function testTheWorldGoesOnUnderShadow(string $kind): void
    {
        $host = Host::fresh($kind);
        $host->hos('law', 'activate', Place::law(), '--mode', 'order.place=shadow', '--tenant', 'pazar-tr', '--as', 'Account::root');
        foreach (self::alarmed($host) as $what => [$at, $pdo]) {
            $ayse = Host::ayse($pdo);
            $pdo->beginTransaction();
            $pdo->exec("INSERT INTO orders VALUES ('$what', 'new', 4200)");
            $pdo->at = $at;
            $facts = ['buyer' => $ayse->principal, 'shop' => \Hos\Uid::parse(Host::SHOP), 'total' => 4200];
            $ayse->shadowBegin('order', $what, 'place', facts: $facts, legacy: static fn () => new Legacy(true, 'new'));
            $pdo->at = 0;
            $pdo->commit();
            self::assertSame(1, $host->count("orders WHERE id = '$what'"), $what);
        }
        $host->intact();
    }

    /** PHP before 8.4 frees an argument that was not read yet where a handler throws behind an internal function between the brackets. */
    public function testNothingIsFreedThatWasNeverThere(): void
    {
        self::assertSame([0, 'held'], (new Script('broken', ['3000']))->wait());
    }
}
