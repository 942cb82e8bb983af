<?php

/**
 * What PHP adds to `can`, and what it costs beside symfony/workflow; memory of an engine; the time to open one. All as ratios, of
 * the same run on the same machine. It takes release builds:
 *
 *     cargo build --release -p hos-cli -p pazar -p hos-ffi -p hos-python -p hos-node -p hos-bench
 *     php -d opcache.enable_cli=1 bindings/php/bench/run.php [--quick]
 */

declare(strict_types=1);

use Hos\Bench\Bench;
use Hos\Bench\Rival;
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
require __DIR__ . '/Rival.php';

$quick = in_array('--quick', $argv, true);
$bench = new Bench($quick ? 15 : 61);
printf("php %s, opcache %s, library %s\n\n", PHP_VERSION, ini_get('opcache.enable_cli') ? 'on' : 'off', Engine::version());

// One question with a scalar in its context, on an order that is stored; in Rust and here.
$store = Place::pazar();
$engine = Engine::open(Place::law(), store: $store);
$tenant = $engine->tenant('pazar-tr');
$root = $tenant->as('Pazar::Account::"root"');
$ayse = $tenant->as('Pazar::Account::"ayse"');
$mert = $tenant->as('Pazar::Account::"mert"');
$shop = new Uid('Pazar::Shop', 's1');
$order = new Uid('Pazar::Order', 'o-1');
$root->directory->put('Pazar::Role::"support"');
$root->directory->join($mert->principal, 'Pazar::Role::"support"');
$ayse->begin('order', 'o-1', 'place', facts: ['buyer' => $ayse->principal, 'shop' => $shop, 'total' => 4200]);
$facts = [new Hos\Given($order, ['buyer' => $ayse->principal, 'shop' => $shop, 'total' => 4200, 'state' => 'paid'])];
$context = ['amount' => 4200, 'psp_ref' => 'p'];

$asked = ['shop.view' => [$ayse, $shop, []], 'order.pay' => [$ayse, $order, $context]];
foreach ($asked as $action => [$actor, $resource, $with]) {
    $answer = $actor->can($action, $resource, context: $with);
    if (!$answer->allowed && $answer->code !== 'hos.entity_missing') {
        throw new RuntimeException("$action: $answer->code");
    }
}
$bench->beside($store, 'shop.view', $ayse, $shop, []);
$bench->beside(...Bench::hall());

// The decision whether an order can be paid, beside symfony/workflow.
$rival = Rival::found();
if ($rival === null) {
    echo "symfony/workflow is missing: apt install php-symfony-workflow\n";
} else {
    $bench->table('may this order be paid now?', [
        'symfony/workflow can(): state, guard in PHP' => fn () => $rival->can(4200),
        'H-OS available(): all events, policies, state' => fn () => $ayse->available('order', 'o-1')[0]->event !== '',
        'H-OS can(): policies alone, of a shop' => fn () => $ayse->can('shop.view', $shop)->allowed,
    ]);
    $n = 0;
    $bench->table('an order is placed and paid', [
        'symfony/workflow apply(), in memory' => function () use ($rival): bool {
            $one = $rival->order();

            return $rival->apply($one, 4200);
        },
        'H-OS begin() and transition(), on the disk' => function () use ($ayse, $shop, &$n): bool {
            $id = 'b-' . ++$n;
            $facts = ['buyer' => $ayse->principal, 'shop' => $shop, 'total' => 4200];

            return $ayse->begin('order', $id, 'place', facts: $facts)->allowed
                && $ayse->transition('order', $id, 'pay', args: ['amount' => 4200, 'psp_ref' => 'p'])->allowed;
        },
    ], 20);
    echo <<<'TEXT'
        What symfony/workflow does not do: policies (who may), arguments of declared types, deadlines, once-keys, anything durable, and
        evidence. What H-OS does not do: run listeners of the application's; guards are in the law, not in PHP.


        TEXT;
}
$engine->close();

$bench->opening($store);
foreach ($quick ? [20, 1_000] : [20, 100_000] as $policies) {
    $bench->memory($policies);
}
