<?php

declare(strict_types=1);

// A host's worker: transactions of the host's own in which the law is asked, some rolled back, some lost, the process killed in the
// middle of others. Each line says which transaction begins. argv: kind, store, database, seed, first, last, statements of each connection.
require __DIR__ . '/../bootstrap.php';

use Hos\RetryError;
use Hos\Tests\Support\Host;

[, $kind, $store, $name, $seed, $first, $last] = $argv;
$host = new Host($kind, $store, $name);
$open = static fn (): \PDO => $host->pdo(said: array_slice($argv, 7));
mt_srand((int) $seed * 1000 + (int) $first);
$pdo = $open();
for ($i = (int) $first; $i <= (int) $last; $i++) {
    fwrite(STDOUT, "$i\n");
    // Few ids and few keys, so that workers meet.
    [$id, $evt, $fate] = ['o-' . mt_rand(0, 59), 'evt-' . mt_rand(0, 199), mt_rand(0, 59)];
    $work = static function (\PDO $pdo) use ($id, $evt, $fate): void {
        $ayse = Host::ayse($pdo);
        if (Host::place($ayse, $id)->allowed) {
            $pdo->exec("INSERT INTO orders VALUES ('$id', 'new', 4200)");
        }
        $total = static fn (): array => ['amount' => (int) $pdo->query("SELECT total FROM orders WHERE id = '$id'")->fetchColumn(), 'psp_ref' => 'x'];
        $paid = $ayse->transition('order', $id, 'pay', args: $total, once: $evt);
        if ($paid->allowed && !$paid->again) {
            $pdo->exec("INSERT INTO pays VALUES ('$id', '$evt')");
            $pdo->exec("UPDATE orders SET status = 'paid' WHERE id = '$id'");
        }
        match (true) {
            $fate < 9 => throw new \DomainException('rolled back'),
            $fate === 9 => posix_kill((int) getmypid(), SIGKILL),
            default => null,
        };
    };
    while (true) {
        try {
            Host::engine($pdo)->transaction($work);
            break;
        } catch (RetryError) {
            // As often as it takes.
        } catch (\DomainException) {
            break;
        }
    }
    if ($fate > 56) {
        // A connection that is lost with a transaction open.
        $pdo->beginTransaction();
        try {
            Host::pay(Host::ayse($pdo), $id);
        } catch (RetryError) {
            // It is lost all the same.
        }
        $pdo = $open();
    }
}
