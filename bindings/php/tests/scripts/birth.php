<?php

declare(strict_types=1);

// Places an order under a once-key when a file is there, and says what came of it. argv: kind, store, database, order, key, file.
require __DIR__ . '/../bootstrap.php';

use Hos\Answer;
use Hos\Tests\Support\Host;

[, $kind, $store, $name, $id, $key, $go] = $argv;
$pdo = (new Host($kind, $store, $name))->pdo();
$ayse = Host::ayse($pdo);
$ayse->can('shop.edit', Host::SHOP);
for ($wait = 0; $wait < 30_000 && !is_file($go); $wait++) {
    clearstatcache();
    usleep(100);
}
$answer = Host::engine($pdo)->transaction(static fn (): Answer => Host::place($ayse, $id, once: $key), 50);
echo $answer->allowed ? 'born' : $answer->code;
