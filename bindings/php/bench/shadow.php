<?php

/**
 * What `shadow` costs beside the bare old code: a question and an event under a law that is well, and where there is no engine.
 *
 *     cargo build --release -p hos-cli -p pazar -p hos-ffi -p hos-python -p hos-node -p hos-bench
 *     php -d opcache.enable_cli=1 bindings/php/bench/shadow.php [--quick]
 */

declare(strict_types=1);

use Hos\Bench\Bench;
use Hos\Engine;
use Hos\Tests\Support\Place;
use Hos\Uid;

$release = dirname(__DIR__, 3) . '/target/release';
foreach (['HOS_LIBRARY' => "$release/libhos.so", 'HOS_BIN' => "$release/hos"] as $name => $path) {
    if (getenv($name) === false) {
        putenv("$name=$path");
    }
}
require __DIR__ . '/../tests/bootstrap.php';
require __DIR__ . '/Bench.php';

$store = Place::pazar();
[$exit, $said] = Place::run(['law', 'activate', Place::law(), '--mode', 'shadow', '--tenant', 'pazar-tr', '--as', 'Account::root', '--store', $store]);
$exit === 0 || throw new RuntimeException($said);
$engine = Engine::openForShadow(Place::law(), store: $store);
$engine->absent === null || throw $engine->absent;
$ayse = $engine->tenant('pazar-tr')->as('Pazar::Account::"ayse"');
$nobody = Engine::openForShadow(store: '/nowhere/hos.db')->tenant('pazar-tr')->as('Pazar::Account::"ayse"');
$shop = new Uid('Pazar::Shop', 's1');
$facts = ['buyer' => $ayse->principal, 'shop' => $shop, 'total' => 4200];
$seen = static function ($answer): void {
    ($answer instanceof Hos\Answer && $answer->allowed && !$answer->divergence) || exit("the law did not agree\n");
};
$ayse->shadowCan('shop.view', $shop, fn () => true, seen: $seen);
$ayse->shadowBegin('order', 'first', 'place', fn () => true, facts: $facts, seen: $seen);

$bench = new Bench(in_array('--quick', $argv, true) ? 15 : 61);
$old = static fn (): bool => true;
$n = 0;
$bench->table('the old code alone, and watched', [
    'the old code: a function that says yes' => $old,
    'shadowCan, no engine' => fn (): bool => $nobody->shadowCan('shop.view', $shop, $old),
    'shadowCan, law and world agree' => fn (): bool => $ayse->shadowCan('shop.view', $shop, $old),
], 500);
$bench->table('an order is placed', [
    'the old code' => $old,
    'shadowBegin, on the disk' => function () use ($ayse, $old, $facts, &$n): bool {
        return $ayse->shadowBegin('order', 'b-' . ++$n, 'place', $old, facts: $facts);
    },
], 20);
$engine->close();
