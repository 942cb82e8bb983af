<?php

declare(strict_types=1);

namespace Hos\Tests;

use Hos\CallError;
use Hos\Engine;
use Hos\Tests\Support\Host;
use Hos\Tests\Support\Place;
use Hos\Tests\Support\Script;
use Hos\Uid;
use Hos\Wire\Encoder;
use PHPUnit\Framework\TestCase;

/** Texts that no call can hold. Memory that runs out cannot be caught, so they are refused before they are written. */
final class LargeTest extends TestCase
{
    public function doors(): array
    {
        return ['a store of its own' => ['own'], 'joined' => ['SQLite']];
    }

    /** @dataProvider doors */
    public function testTheWorldStandsBesideThem(string $kind): void
    {
        $law = ['law', 'activate', Place::law(), '--mode', 'shadow', '--tenant', 'pazar-tr', '--as', 'Account::root'];
        if ($kind === 'own') {
            [$store, $name] = [Place::pazar(), ''];
            [$exit, $said] = Place::run([...$law, '--store', $store]);
            self::assertSame(0, $exit, $said);
        } else {
            $host = Host::fresh($kind);
            $host->hos(...$law);
            [$store, $name] = [$host->store, $host->name];
        }
        [$exit, $said] = (new Script('large', [$kind, $store, $name]))->wait();
        self::assertSame(0, $exit, substr($said, -1000));
        $said = explode("\n", trim($said));
        $last = (string) array_pop($said);
        self::assertStringStartsWith('whole ', $last);
        // What the test has itself is 20 MiB, and as much again while it is put into a longer text.
        self::assertLessThan(100, (int) substr($last, 6), $last);
        $wire = array_filter($said, static fn (string $one): bool => str_starts_with($one, 'wire'));
        self::assertContains('wire 78: Allowed', $wire);
        self::assertCount(3, $wire);
        $others = array_diff($said, $wire);
        self::assertCount(6 * 13 + 6, $others);
        foreach ($others as $one) {
            $thrown = str_contains($one, 'what a function throws');
            self::assertStringEndsWith($thrown ? ': true hos.call_malformed' : ': true hos.call_too_large', $one);
        }
    }

    /** It is the text as JSON that is bounded, to the byte. */
    public function testWhatATextComesTo(): void
    {
        $bytes = implode('', array_map(chr(...), range(0, 0x7f))) . "ışık\u{2028}\u{1F469}";
        self::assertSame(strlen(Encoder::text($bytes, 'x')) - 2, Encoder::escaped($bytes));
        foreach (["\0" => 6, "\n" => 2, '"' => 2, '\\' => 2, '/' => 1, "\x7f" => 1, 'é' => 2] as $letter => $each) {
            $text = str_repeat($letter, intdiv(Encoder::CALL_BYTES_MAX, $each));
            self::assertSame(intdiv(Encoder::CALL_BYTES_MAX, $each) * $each + 2, strlen(Encoder::text($text, 'x')));
            try {
                Encoder::text($text . $letter, 'x');
                self::fail(bin2hex($letter) . ' was written');
            } catch (CallError $error) {
                self::assertSame('hos.call_too_large', $error->code());
            }
        }
    }

    /** The same where the law is enforced, and where nobody says what the world decided. */
    public function testTheyAreRefused(): void
    {
        $engine = Engine::open(null, store: Place::pazar());
        $ayse = $engine->tenant('pazar-tr')->as('Pazar::Account::"ayse"');
        $large = str_repeat("\0", 200_000);
        foreach ([null, true] as $legacy) {
            foreach ([
                fn () => $ayse->transition('order', 'x', 'pay', once: $large, legacy: $legacy),
                fn () => $ayse->can('shop.view', new Uid('Pazar::Shop', str_repeat('x', 2 << 20)), [], [new \Hos\Given($ayse->principal)], $legacy),
                fn () => $ayse->can('shop.view', 'Pazar::Shop::"' . str_repeat('x', 2 << 20) . '"', legacy: $legacy),
                fn () => $ayse->transition('order', 'x', 'pay', ['x' => 1], str_repeat('x', 600_000), str_repeat('x', 600_000), legacy: $legacy),
            ] as $at => $call) {
                try {
                    $call();
                    self::fail("$at was taken");
                } catch (CallError $error) {
                    self::assertSame('hos.call_too_large', $error->code(), (string) $at);
                    self::assertLessThan(300, strlen($error->getMessage()));
                    $at === 3 && self::assertStringContainsString('the call comes to 12', $error->getMessage(), 'it was not handed on');
                }
            }
        }
        $engine->close();
    }
}
