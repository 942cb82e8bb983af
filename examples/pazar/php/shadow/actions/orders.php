<?php

declare(strict_types=1);

use Shop\{Read, Refunds, Refusal, Request, Response, Stock, World};

// From the cart to the door, and back as money.
return [
    'POST /checkout' => static function (World $pazar, Request $in): Response {
        $shop = $in->text('shop');
        $lines = array_values(array_filter(Read::cart($pazar->db, $pazar->actor->id), fn ($line) => $line['shop'] === $shop));
        $order = ['id' => '', 'buyer' => $pazar->actor->id, 'shop' => $shop, 'total' => array_sum(array_map(fn ($line) => $line['quantity'] * $line['price'], $lines))];
        $pazar->policy->may('order.place', $order);
        if ($lines === []) {
            throw new Refusal('cart_empty', 409);
        }
        foreach ($lines as $line) {
            if ($pazar->db->run('DELETE FROM carts WHERE user_id = ? AND product = ?', $order['buyer'], $line['product']) === 0) {
                throw new Refusal('cart_empty', 409);       // bought in another window, just now
            }
            if ($pazar->db->run('UPDATE products SET stock = stock - ? WHERE id = ? AND stock >= ?', $line['quantity'], $line['product'], $line['quantity']) === 0) {
                throw new Refusal('stock_short', 409, ['product' => $line['name']]);
            }
        }
        $order['id'] = $id = 'o-' . $pazar->db->number();
        $payment = 'p-' . $pazar->db->number();
        $facts = ['payer' => $order['buyer'], 'provider' => 'psp', 'order' => $id, 'amount' => $order['total']];
        $pazar->contract->begin(
            ['order', $id, 'place', 'new', ['buyer' => $order['buyer'], 'shop' => $shop, 'total' => $order['total']]],
            ['payment', $payment, 'request', 'pending', $facts],
        );
        $sql = "INSERT INTO orders (id, buyer, shop, total, paid, status, tracking, placed_at) VALUES (?, ?, ?, ?, 0, 'new', '', ?)";
        $pazar->db->run($sql, $id, $order['buyer'], $shop, $order['total'], $pazar->now->format('Y-m-d H:i:s'));
        foreach ($lines as $line) {
            $pazar->db->run('INSERT INTO order_items (order_id, product, quantity, price) VALUES (?, ?, ?, ?)', $id, $line['product'], $line['quantity'], $line['price']);
        }
        $sql = "INSERT INTO payments (id, order_id, payer, provider, amount, psp_ref, status) VALUES (?, ?, ?, 'psp', ?, '', 'pending')";
        $pazar->db->run($sql, $payment, $id, $order['buyer'], $order['total']);

        return new Response(['order' => Read::order($pazar->db, $id)], 'order', 201, ['Location' => "/orders/$id"]);
    },

    'GET /orders' => static function (World $pazar): Response {
        $pazar->policy->may('order.view');

        return new Response(['orders' => Read::orders($pazar->db, 'buyer', $pazar->actor->id)], 'orders');
    },

    'GET /orders/{id}' => static function (World $pazar, Request $in, string $id): Response {
        $order = Read::order($pazar->db, $id);
        $pazar->policy->may('order.view', $order);

        return new Response(['order' => $order], 'order');
    },

    'POST /orders/{id}/cancel' => static function (World $pazar, Request $in, string $id): Response {
        $pazar->policy->may('order.cancel', Read::order($pazar->db, $id));
        $pazar->contract->move('order', $id, 'cancel');
        Stock::giveBack($pazar->db, $id);

        return new Response(['order' => Read::order($pazar->db, $id)], 'order');
    },

    'GET /seller' => static function (World $pazar): Response {
        $pazar->policy->may('seller.panel');
        $shop = $pazar->actor->shops[0] ?? '';
        $data = ['orders' => Read::orders($pazar->db, 'shop', $shop), 'products' => Read::shelves($pazar->db, $shop)];

        return new Response($data, 'seller');
    },

    'POST /orders/{id}/ship' => static function (World $pazar, Request $in, string $id): Response {
        $order = Read::order($pazar->db, $id);
        $pazar->policy->may('order.ship', $order);
        $args = ['all_in_stock' => $in->text('missing', '') === '', 'tracking' => $in->text('tracking', '')];
        if ($pazar->contract->move('order', $id, 'ship', $args) === 'refunding') {
            Refunds::ask($pazar->db, $id, $order['total'], 'not in stock');
        }
        $pazar->db->run('UPDATE orders SET tracking = ? WHERE id = ?', $args['tracking'], $id);

        return new Response(['order' => Read::order($pazar->db, $id)], 'order');
    },

    'POST /orders/{id}/deliver' => static function (World $pazar, Request $in, string $id): Response {
        $pazar->policy->may('order.deliver', Read::order($pazar->db, $id));
        $pazar->contract->move('order', $id, 'deliver');

        return new Response(['order' => Read::order($pazar->db, $id)], 'order');
    },

    'POST /orders/{id}/refund' => static function (World $pazar, Request $in, string $id): Response {
        $args = ['amount' => $in->whole('amount'), 'reason' => $in->text('reason')];
        $pazar->policy->may('order.refund', Read::order($pazar->db, $id), ['amount' => $args['amount']]);
        if ($args['amount'] < 1) {
            throw new Refusal('input_invalid', 400, ['field' => 'amount']);
        }
        $pazar->contract->move('order', $id, 'refund', $args);      // the form proposes what was paid; nothing holds anybody to it
        Refunds::ask($pazar->db, $id, $args['amount'], $args['reason']);

        return new Response(['order' => Read::order($pazar->db, $id)], 'order');
    },
];
