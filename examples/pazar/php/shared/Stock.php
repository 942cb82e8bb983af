<?php

declare(strict_types=1);

namespace Shop;

/** The shelves, and what an order takes from them and gives back. */
final class Stock
{
    public static function giveBack(Db $db, string $order): void
    {
        foreach (self::lines($db, $order) as $line) {
            $db->run('UPDATE products SET stock = stock + ? WHERE id = ?', $line['quantity'], $line['product']);
        }
    }

    /** Once more: somebody else may have bought it meanwhile. */
    public static function takeAgain(Db $db, string $order): void
    {
        foreach (self::lines($db, $order) as $line) {
            $sql = 'UPDATE products SET stock = stock - ? WHERE id = ? AND stock >= ?';
            if ($db->run($sql, $line['quantity'], $line['product'], $line['quantity']) === 0) {
                throw new Refusal('stock_short', 409, ['product' => $line['name']]);
            }
        }
    }

    /** What is cancelled is on the shelf, and what is reopened from there is not. What expired never came back. */
    public static function follow(Db $db, string $order, string $from, string $to): void
    {
        match (true) {
            $from === $to => null,
            $to === 'cancelled' => self::giveBack($db, $order),
            $from === 'cancelled' => self::takeAgain($db, $order),
            default => null,
        };
    }

    /** @return list<array<string, mixed>> in one order, so that two wait for each other and no more */
    private static function lines(Db $db, string $order): array
    {
        $sql = 'SELECT i.product, i.quantity, p.name FROM order_items i JOIN products p ON p.id = i.product WHERE i.order_id = ? ORDER BY i.product';

        return $db->rows($sql, $order);
    }
}
