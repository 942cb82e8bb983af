<?php

declare(strict_types=1);

// Pays two orders in one transaction, in the order given, and waits between the two until another process has paid its first one.
// Says how often it began. argv: kind, store, database, first order, second order, own sign, the other's sign.
require __DIR__ . '/../bootstrap.php';

use Hos\Tests\Support\Host;

[, $kind, $store, $name, $first, $second, $own, $other] = $argv;
$pdo = (new Host($kind, $store, $name))->pdo();
$ayse = Host::ayse($pdo);
$tries = 0;
Host::engine($pdo)->transaction(static function () use ($ayse, $first, $second, $own, $other, &$tries): void {
    $tries++;
    foreach ([$first, $second] as $at => $id) {
        $paid = Host::pay($ayse, $id);
        $paid->allowed || throw new \RuntimeException((string) $paid->code);
        for ($wait = 0; $at === 0 && $tries === 1 && $wait < 3000; $wait++) {
            touch($own);
            clearstatcache();
            if (is_file($other)) {
                break;
            }
            usleep(1000);
        }
    }
});
echo $tries;
