<?php

declare(strict_types=1);

// The heavier side of a deadlock: it has one order and wants the other, and is not the one that is rolled back. argv: kind, store,
// database, the order that it has, the order that it wants, a file that says that it has the first.
require __DIR__ . '/../bootstrap.php';

use Hos\Tests\Support\Host;

[, $kind, $store, $name, $has, $wants, $sign] = $argv;
$pdo = (new Host($kind, $store, $name))->pdo();
$pdo->beginTransaction();
for ($i = 0; $i < 200; $i++) {
    $pdo->exec("INSERT INTO pays VALUES ('$has', 'heavy-$has-$i')");
}
$pdo->exec("UPDATE orders SET total = total + 1 WHERE id = '$has'");
touch($sign);
$pdo->exec("UPDATE orders SET total = total + 1 WHERE id = '$wants'");
$pdo->rollBack();
