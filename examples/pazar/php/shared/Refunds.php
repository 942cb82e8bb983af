<?php

declare(strict_types=1);

namespace Shop;

/** Money that is to go back: the provider is asked for it, and reports on it by the refund's id. */
final class Refunds
{
    public static function ask(Db $db, string $order, int $amount, string $reason): void
    {
        $id = 'rf-' . $db->number();
        $db->run("INSERT INTO refunds (id, order_id, amount, reason, status) VALUES (?, ?, ?, ?, 'asked')", $id, $order, $amount, $reason);
    }
}
