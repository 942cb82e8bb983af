<?php

declare(strict_types=1);

// A million questions; says how much memory the process had after a tenth of them, and at the end. argv: store, how many.
require __DIR__ . '/../bootstrap.php';

use Hos\Engine;
use Hos\Uid;

[, $store, $count] = $argv;
$resident = static function (): int {
    preg_match('/^VmRSS:\s+(\d+) kB/m', (string) file_get_contents('/proc/self/status'), $found);

    return (int) $found[1];
};
$ayse = Engine::open(null, store: $store)->tenant('pazar-tr')->as(new Uid('Pazar::Account', 'ayse'));
$shop = new Uid('Pazar::Shop', 's1');
$yes = 0;
for ($i = 1; $i <= (int) $count; $i++) {
    $answer = $ayse->can($i % 2 === 0 ? 'shop.view' : 'shop.edit', $shop);
    $yes += $answer->allowed ? 1 : 0;
    if ($i % 16 === 0) {
        $answer->policies;
    }
    if ($i === intdiv((int) $count, 10)) {
        $before = $resident();
    }
}
echo json_encode(['yes' => $yes, 'before' => $before, 'after' => $resident()]);
