<?php

declare(strict_types=1);

// Calls in shadow whose parts are far too large, in a process with little memory: says what each came to, and `whole` at the end. argv:
// kind (`own`: a store of its own), store, database.
require __DIR__ . '/../bootstrap.php';

use Hos\Engine;
use Hos\Given;
use Hos\HosError;
use Hos\Legacy;
use Hos\Tests\Support\Host;
use Hos\Uid;

ini_set('memory_limit', '128M');
$room = (new ReflectionClassConstant(Hos\Shadow::class, 'ROOM'))->getValue();
[, $kind, $store, $name] = $argv;
$pdo = $kind === 'own' ? null : (new Host($kind, $store, $name))->pdo();
$engine = Engine::open(null, store: $pdo ?? $store);
$tenant = $engine->tenant('pazar-tr');
$ayse = $tenant->as('Pazar::Account::"ayse"');
$pdo?->beginTransaction();
$ayse->can('shop.view', Host::SHOP, legacy: true);

$forms = [
    'once' => fn ($large) => $ayse->transition('order', 'x', 'pay', once: $large, legacy: true),
    'reason' => fn ($large) => $ayse->transition('order', 'x', 'pay', reason: $large, legacy: true),
    'id' => fn ($large) => $ayse->transition('order', $large, 'pay', legacy: true),
    'state' => fn ($large) => $ayse->transition('order', 'x', 'pay', legacy: new Legacy(true, $large)),
    'action' => fn ($large) => $ayse->can($large, Host::SHOP, legacy: true),
    'resource' => fn ($large) => $ayse->can('shop.view', new Uid('Pazar::Shop', $large), legacy: true),
    'resource as text' => fn ($large) => $ayse->can('shop.view', "Pazar::Shop::\"$large\"", legacy: true),
    'name' => fn ($large) => $ayse->transition('order', 'x', 'pay', args: [$large => 1], legacy: true),
    'extension' => fn ($large) => $ayse->transition('order', 'x', 'pay', args: ['x' => new Hos\Ext('decimal', $large)], legacy: true),
    'payload' => fn ($large) => $ayse->record('notes.page', payload: $large, legacy: true),
    'principal' => fn ($large) => $tenant->as(new Uid('Pazar::Account', $large))->transition('order', 'x', 'pay', legacy: true),
    'request' => fn ($large) => $tenant->as('Pazar::Account::"ayse"', request: $large)->transition('order', 'x', 'pay', legacy: true),
    'what a function throws' => fn ($large) => $ayse->transition('order', 'x', 'pay', args: fn () => throw new DomainException($large), legacy: true),
];
// None of them is too large by itself.
$part = str_repeat("\1", 170_000);
$quotes = str_repeat('"', 520_000);
$shop = new Given(new Uid('Pazar::Shop', $part));
$record = fn () => ['x' => $quotes];
$deep = 1;
for ($i = 0; $i < 35; $i++) {
    $deep = [$deep];
}
$many = [
    'given' => fn () => $ayse->can('shop.view', Host::SHOP, given: array_fill(0, 1000, $shop), legacy: true),
    'parents' => fn () => $ayse->can('shop.view', Host::SHOP, given: [new Given($shop->uid, [], array_fill(0, 1000, $shop->uid))], legacy: true),
    'parts' => fn () => $tenant->as(new Uid('Pazar::Account', $quotes), $quotes, $quotes)->begin('order', $quotes, 'place', facts: $record,
        args: $record, once: $quotes, context: $record(), given: [new Given(new Uid('Pazar::Shop', $quotes))], legacy: true),
    'texts' => fn () => $ayse->transition('order', $quotes, 'pay', args: $record, once: $quotes, reason: $quotes, context: $record(), legacy: true),
    'a name' => fn () => $ayse->transition('order', 'x', 'pay', args: [str_repeat('x', 1_000_000) => $deep, 'y' => $quotes], legacy: true),
    'values' => fn () => $ayse->transition('order', 'x', 'pay', args: ['x' => array_fill(0, 1000, $part)], legacy: true),
];
foreach (["\0", '"', 'x'] as $byte) {
    foreach ([12, 20] as $size) {
        $large = str_repeat($byte, $size << 20);
        foreach ($forms as $form => $call) {
            $answer = $call($large);
            echo $size, ' ', bin2hex($byte), " $form: ", var_export($answer->allowed, true), " $answer->code\n";
        }
        unset($large);
    }
}
// As little memory as a shadow goes about with.
ini_set('memory_limit', (string) (memory_get_usage() + $room));
foreach ($many as $form => $call) {
    $answer = $call();
    echo "many $form: ", var_export($answer->allowed, true), " $answer->code\n";
}
ini_set('memory_limit', '128M');
// In the wire's own words; what no library could be told of it fails, and no more.
$wire = '{"tenant":"pazar-tr","contract":"order","id":"x","event":"pay","legacy":{"allowed":true},"once":"%s"}';
foreach (['x', "\0", "\xff"] as $byte) {
    $large = sprintf($wire, str_repeat($byte, 20 << 20));
    try {
        echo 'wire ', bin2hex($byte), ': ', $engine->call('transition', $large)->status->name, "\n";
    } catch (HosError $error) {
        echo 'wire ', bin2hex($byte), ": {$error->code()}\n";
    }
}
echo 'whole ', memory_get_peak_usage() >> 20, "\n";
