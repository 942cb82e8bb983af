<?php

declare(strict_types=1);

// A little of everything, for valgrind. argv: store.
require __DIR__ . '/../bootstrap.php';

use Hos\Engine;
use Hos\Uid;

$engine = Engine::open(null, store: $argv[1]);
$ayse = $engine->tenant('pazar-tr')->as(new Uid('Pazar::Account', 'ayse'), language: 'tr');
$shop = new Uid('Pazar::Shop', 's1');
for ($i = 0; $i < 20; $i++) {
    $said = [$ayse->can('shop.view', $shop)->allowed, $ayse->can('shop.edit', $shop)->message()];
}
$facts = ['buyer' => $ayse->principal, 'shop' => $shop, 'total' => 1];
$ayse->begin('order', 'v-1', 'place', facts: $facts);
$ayse->history('order', 'v-1');
try {
    $engine->call('can', str_repeat('x', 2_000_000));
} catch (Hos\CallError $error) {
    $said[] = $error->code();
}
try {
    $engine->call('failpoint', ['panic' => 'boundary']);
} catch (Hos\InternalError $error) {
    $said[] = $error->code();
}
$engine->close();
echo json_encode($said, JSON_UNESCAPED_UNICODE);
