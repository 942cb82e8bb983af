<?php

declare(strict_types=1);

use Shop\{Actor, Read, Refusal, Request, Response, Texts, World};

// Signing in, the shelves, the cart.
return [
    'POST /login' => static function (World $pazar, Request $in): Response {
        $user = $pazar->db->row('SELECT id, password FROM users WHERE id = ? AND active = 1', $in->text('user'));
        if ($user === null || !password_verify($in->text('password'), $user['password'])) {
            throw new Refusal('login_wrong', 403);
        }
        $token = Actor::token($user['id']);
        $message = Texts::say($pazar->language, 'welcome', ['user' => $user['id']]);

        return new Response(['message' => $message, 'token' => $token], headers: ['Set-Cookie' => "pazar=$token; Path=/; HttpOnly; SameSite=Lax"]);
    },

    'GET /' => static fn (World $pazar): Response => new Response(['products' => Read::shelves($pazar->db)], 'catalogue'),

    'GET /cart' => static function (World $pazar): Response {
        $pazar->policy->may('order.place');

        return new Response(['lines' => Read::cart($pazar->db, $pazar->actor->id)], 'cart');
    },

    'POST /cart' => static function (World $pazar, Request $in): Response {
        $pazar->policy->may('order.place');
        $product = $pazar->db->row('SELECT id FROM products WHERE id = ?', $in->text('product')) ?? throw new Refusal('not_found', 404);
        $quantity = $in->whole('quantity', 1);
        if ($quantity < 0 || $quantity > 100) {
            throw new Refusal('input_invalid', 400, ['field' => 'quantity']);
        }
        $pazar->db->run('DELETE FROM carts WHERE user_id = ? AND product = ?', $pazar->actor->id, $product['id']);
        if ($quantity > 0 && !$pazar->db->insertIfNew('carts', 'user_id, product, quantity', $pazar->actor->id, $product['id'], $quantity)) {
            // Put in at the same moment in another window: the later one counts.
            $pazar->db->run('UPDATE carts SET quantity = ? WHERE user_id = ? AND product = ?', $quantity, $pazar->actor->id, $product['id']);
        }

        return new Response(['lines' => Read::cart($pazar->db, $pazar->actor->id)], 'cart');
    },

    'POST /products/{id}/restock' => static function (World $pazar, Request $in, string $id): Response {
        $product = $pazar->db->row('SELECT * FROM products WHERE id = ?', $id) ?? throw new Refusal('not_found', 404);
        $pazar->policy->may('product.edit', $product);
        $quantity = $in->whole('quantity');
        if ($quantity < 1 || $quantity > 10_000) {
            throw new Refusal('input_invalid', 400, ['field' => 'quantity']);
        }
        $pazar->db->run('UPDATE products SET stock = stock + ? WHERE id = ?', $quantity, $id);

        return new Response(['products' => Read::shelves($pazar->db, $product['shop'])], 'catalogue');
    },
];
