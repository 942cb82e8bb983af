<?php

declare(strict_types=1);

// What a worker is asked in the tests, as an application would write it. `store` and `do` come with the request.
require_once __DIR__ . '/../../src/autoload.php';

use Hos\Engine;
use Hos\Uid;

$say = static function (array $told): void {
    echo json_encode($told + ['pid' => getmypid()], JSON_THROW_ON_ERROR);
};
try {
    if ($_GET['do'] === 'ffi') {
        try {
            FFI::cdef('int getpid(void);', 'libc.so.6');
            $say(['ffi' => 'open']);
        } catch (FFI\Exception $error) {
            $say(['ffi' => 'closed']);
        }

        return;
    }
    $began = hrtime(true);
    $age = isset($_GET['age']) ? (int) $_GET['age'] : null;
    $pdo = $_GET['do'] === 'join' ? new PDO("sqlite:$_GET[store]") : null;
    $engine = Engine::open(null, store: $pdo ?? $_GET['store'], directoryAgeMaxMs: $age);
    $opened = hrtime(true);
    $actor = $engine->tenant('pazar-tr')->as(new Uid('Pazar::Account', $_GET['as'] ?? 'ayse'), language: 'tr');
    switch ($_GET['do']) {
        case 'open':
            $allowed = $actor->can('shop.view', new Uid('Pazar::Shop', 's1'))->allowed;
            // The engine's number says whether it is the same one as in the request before.
            $handle = (new ReflectionProperty($engine, 'handle'))->getValue($engine);
            $number = (new ReflectionProperty($handle, 'number'))->getValue($handle);
            $times = ['opening' => $opened - $began, 'call' => hrtime(true) - $opened];
            $say(['allowed' => $allowed, 'number' => $number] + $times);
            break;
        case 'move':
            $id = $_GET['id'];
            $facts = ['buyer' => new Uid('Pazar::Account', 'ayse'), 'shop' => new Uid('Pazar::Shop', 's1'), 'total' => 4200];
            $a = $actor->begin('order', $id, 'place', facts: $facts, once: "b-$id");
            $b = $actor->transition('order', $id, 'pay', args: ['amount' => 4200, 'psp_ref' => 'p'], once: "p-$id");
            $say(['allowed' => $a->allowed && $b->allowed, 'code' => $a->code ?? $b->code, 'seq' => $b->receipt?->seal?->seq]);
            break;
        case 'join':
            $facts = ['buyer' => $actor->principal, 'shop' => new Uid('Pazar::Shop', 's1'), 'total' => 4200];
            $placed = $engine->transaction(fn () => $actor->begin('order', $_GET['id'], 'place', facts: fn () => $facts));
            $door = (new ReflectionProperty($engine, 'handle'))->getValue($engine);
            $number = (new ReflectionProperty($door, 'engine'))->getValue($door);
            $say(['allowed' => $placed->allowed, 'number' => $number, 'message' => $placed->message('tr')]);
            break;
        case 'shop':
            // As long as it is told to, or until the first no; when the last question was asked that got a yes.
            $until = microtime(true) + (float) $_GET['seconds'];
            $last = null;
            $asked = 0;
            do {
                $now = microtime(true);
                $asked++;
                if (!$actor->can('shop.edit', new Uid('Pazar::Shop', 's1'))->allowed) {
                    break;
                }
                $last = $now;
            } while ($now < $until);
            $say(['last' => $last, 'ended' => $now, 'until' => $until, 'asked' => $asked]);
            break;
    }
} catch (Hos\HosError $error) {
    $say(['error' => $error->code(), 'message' => $error->getMessage()]);
}
