<?php

declare(strict_types=1);

// Ends in one of many ways with an engine open. argv: store, way.
require __DIR__ . '/../bootstrap.php';

use Hos\Engine;
use Hos\Uid;

[, $store, $way] = $argv;
$engine = Engine::open(null, store: $store);
$ayse = $engine->tenant('pazar-tr')->as(new Uid('Pazar::Account', 'ayse'));
$order = static function (string $id) use ($ayse): void {
    $facts = ['buyer' => $ayse->principal, 'shop' => new Uid('Pazar::Shop', 's1'), 'total' => 1];
    if (!$ayse->begin('order', $id, 'place', facts: $facts)->allowed) {
        exit(70);
    }
};
$order("$way-1");
switch ($way) {
    case 'end':
        break;
    case 'exit':
        exit(7);
    case 'exit-in-a-function':
        (static function (): void {
            exit(7);
        })();
    case 'exit-in-a-signal':
        pcntl_async_signals(true);
        pcntl_signal(SIGALRM, static fn () => exit(7));
        pcntl_alarm(1);
        for ($i = 2; ; $i++) {
            $order("$way-$i");
        }
    case 'exception':
        throw new RuntimeException('nobody catches this');
    case 'fatal':
        ini_set('memory_limit', '32M');
        $x = str_repeat('x', 100_000_000);
    case 'in-a-destructor':
        $keep = new class ($order) {
            public function __construct(private Closure $order)
            {
            }

            public function __destruct()
            {
                ($this->order)('in-a-destructor-2');
                echo 'made';
            }
        };
        break;
    case 'in-a-shutdown-function':
        register_shutdown_function(static function () use ($order): void {
            $order('in-a-shutdown-function-2');
            echo 'made';
        });
        break;
    case 'held-by-a-circle':
        $a = new stdClass();
        $a->a = $a;
        $a->engine = $engine;
        unset($engine, $a);
        break;
    case 'killed':
        for ($i = 2; ; $i++) {
            $order("$way-$i");
            echo "$way-$i\n";
        }
}
