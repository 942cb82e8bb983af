<?php

declare(strict_types=1);

namespace Shop;

/** What pages show. */
final class Read
{
    /** @return list<array<string, mixed>> one shop's shelves, or what is listed in the market */
    public static function shelves(Db $db, ?string $shop = null): array
    {
        $columns = 'SELECT p.id, p.shop, s.name AS shop_name, p.name, p.price, p.stock FROM products p JOIN shops s ON s.id = p.shop WHERE p.listed = 1';

        return $shop === null ? $db->rows("$columns ORDER BY p.id") : $db->rows("$columns AND p.shop = ? ORDER BY p.id", $shop);
    }

    /** @return list<array<string, mixed>> in the order of the products' ids, which is the order in which stock is locked */
    public static function cart(Db $db, string $user): array
    {
        return $db->rows('SELECT c.product, c.quantity, p.shop, p.name, p.price FROM carts c JOIN products p ON p.id = c.product WHERE c.user_id = ? ORDER BY c.product', $user);
    }

    /** @return array<string, mixed> */
    public static function order(Db $db, string $id): array
    {
        $order = $db->row('SELECT * FROM orders WHERE id = ?', $id) ?? throw new Refusal('not_found', 404);
        $order['lines'] = $db->rows('SELECT product, quantity, price FROM order_items WHERE order_id = ? ORDER BY product', $id);
        $order['payments'] = $db->rows('SELECT id, amount, psp_ref, status FROM payments WHERE order_id = ? ORDER BY id', $id);
        $order['refunds'] = $db->rows('SELECT id, amount, reason, status FROM refunds WHERE order_id = ? ORDER BY id', $id);

        return $order;
    }

    /** @return list<array<string, mixed>> the latest hundred: of a buyer, of a shop, of the market */
    public static function orders(Db $db, ?string $whose = null, string $id = ''): array
    {
        $columns = 'SELECT id, buyer, shop, total, paid, status, placed_at FROM orders';
        $last = 'ORDER BY placed_at DESC, id DESC LIMIT 100';

        return $whose === null ? $db->rows("$columns $last") : $db->rows("$columns WHERE $whose = ? $last", $id);
    }

    /** @return array<string, mixed> */
    public static function reservation(Db $db, string $id): array
    {
        return $db->row('SELECT * FROM reservations WHERE id = ?', $id) ?? throw new Refusal('not_found', 404);
    }

    /** @return list<array<string, mixed>> */
    public static function reservations(Db $db, ?string $booker): array
    {
        $columns = 'SELECT * FROM reservations';

        return $booker === null ? $db->rows("$columns ORDER BY id") : $db->rows("$columns WHERE booker = ? ORDER BY id", $booker);
    }

    /** @return list<array<string, mixed>> */
    public static function log(Db $db, string $subject, string $id): array
    {
        $columns = 'old_status, new_status, event, actor, detail, changed_at';

        return $db->rows("SELECT $columns FROM status_change_logs WHERE subject = ? AND subject_id = ? ORDER BY status_change_logs.id", $subject, $id);
    }
}
