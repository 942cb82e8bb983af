<?php

/**
 * What a call in a host's transaction costs: the same transaction, one row of the host's, without and with a move of an instance in it;
 * and how many statements a move is. On each database that is named by `HOS_TEST_POSTGRES` and `HOS_TEST_MARIADB`, and on SQLite.
 *
 *     cargo build --release -p hos-cli -p pazar -p hos-ffi -p hos-python -p hos-node -p hos-bench
 *     php -d opcache.enable_cli=1 bindings/php/bench/joined.php [--quick]
 */

declare(strict_types=1);

use Hos\Bench\Bench;
use Hos\Engine;
use Hos\Tests\Support\Host;
use Hos\Uid;

$release = dirname(__DIR__, 3) . '/target/release';
foreach (['HOS_LIBRARY' => "$release/libhos.so", 'HOS_BIN' => "$release/hos"] as $name => $path) {
    if (getenv($name) === false) {
        putenv("$name=$path");
    }
}
require __DIR__ . '/../tests/bootstrap.php';
require __DIR__ . '/Bench.php';

/** Counts what is said to the database. */
final class CountingPdo extends PDO
{
    public int $said = 0;

    public function prepare(string $query, array $options = []): PDOStatement|false
    {
        // A statement that is kept is prepared once and said often.
        return parent::prepare($query, [PDO::ATTR_STATEMENT_CLASS => [CountingStatement::class, [$this]]] + $options);
    }

    public function exec(string $statement): int|false
    {
        $this->said++;

        return parent::exec($statement);
    }
}

final class CountingStatement extends PDOStatement
{
    protected function __construct(private readonly CountingPdo $pdo)
    {
    }

    public function execute(?array $params = null): bool
    {
        $this->pdo->said++;

        return parent::execute($params);
    }
}

$bench = new Bench(in_array('--quick', $argv, true) ? 9 : 31);
foreach (Host::kinds() as [$kind]) {
    $host = Host::fresh($kind);
    foreach (['the move' => [], 'the move under a once-key' => ['once'], 'the move, its arguments read under the claim' => ['args']] as $what => $how) {
        $pdo = $host->pdo();
        $ayse = Host::ayse($pdo);
        $counted = $host->pdo(class: CountingPdo::class);
        $counting = Host::ayse($counted);
        $id = 'b-' . count($how) . ($how[0] ?? '');
        $pdo->exec("INSERT INTO orders VALUES ('$id', 'cart', 0)");
        $pdo->beginTransaction();
        $facts = ['buyer' => $ayse->principal, 'shop' => Uid::parse(Host::SHOP), 'total' => 0];
        $ayse->begin('order', $id, 'draft', facts: $facts)->allowed || exit("it was not born\n");
        $pdo->commit();
        $n = 0;
        $move = static function (Hos\Actor $by) use ($id, $how, &$n): bool {
            $n++;
            $args = in_array('args', $how, true) ? fn (): array => ['total' => $n] : ['total' => $n];

            return $by->transition('order', $id, 'change', args: $args, once: in_array('once', $how, true) ? "k-$n" : null)->allowed;
        };
        $alone = static function (?\Closure $also = null) use ($pdo, $id, &$n): bool {
            $pdo->beginTransaction();
            $pdo->exec("UPDATE orders SET total = total + 1 WHERE id = '$id'");
            $done = $also === null || $also();
            $pdo->commit();

            return $done;
        };
        foreach ([1, 2] as $_) {
            $counted->beginTransaction();
            $counted->said = 0;
            $move($counting) || exit("it did not move\n");
            $said = $counted->said;
            $counted->commit();
        }
        unset($counting, $counted);
        $bench->table("$kind: $what, $said statements", [
            'the host\'s transaction' => fn (): bool => $alone(),
            'with the call in it' => fn (): bool => $alone(fn (): bool => $move($ayse)),
        ], 20);
        unset($pdo, $ayse, $alone);
    }
    $host->intact();
}
