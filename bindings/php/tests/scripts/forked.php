<?php

declare(strict_types=1);

// An engine that joins transactions, opened before a fork: the child has its own connection, and an engine of its own at its first
// call. argv: kind, store, database.
require __DIR__ . '/../bootstrap.php';

use Hos\Tests\Support\Host;

[, $kind, $store, $name] = $argv;
$host = new Host($kind, $store, $name);
$ids = ['fork-' . bin2hex(random_bytes(4)), 'fork-' . bin2hex(random_bytes(4))];
$paid = static function (string $id) use ($host): bool {
    $pdo = $host->pdo();
    $pdo->beginTransaction();
    $done = Host::place(Host::ayse($pdo), $id)->allowed && Host::pay(Host::ayse($pdo), $id)->allowed;
    $pdo->commit();

    return $done;
};
// Known to the parent before it forks.
$pdo = $host->pdo();
$ayse = Host::ayse($pdo);
$ayse->can('shop.edit', Host::SHOP);
unset($pdo, $ayse);
$child = pcntl_fork();
if ($child === 0) {
    echo $paid($ids[0]) ? 'child paid, ' : 'child did not pay, ';
    exit(0);
}
pcntl_waitpid($child, $status);
echo $paid($ids[1]) ? 'parent paid' : 'parent did not pay';
exit($status === 0 ? 0 : 1);
