<?php

declare(strict_types=1);

use Shop\{Actor, Refusal, Request, Response, World};

// The payment provider's own page, which in life stands on another host: it asks for the money and sends the buyer back, signed.
return [
    'GET /provider/{payment}' => static function (World $pazar, Request $in, string $payment): Response {
        $row = $pazar->db->row('SELECT id, amount, status FROM payments WHERE id = ?', $payment) ?? throw new Refusal('not_found', 404);
        $said = ['event' => "evt-$payment", 'kind' => 'captured', 'about' => $payment, 'amount' => (string) $row['amount']];
        $said['signature'] = Actor::sign('psp', implode('|', $said));

        return new Response(['payment' => $row, 'back' => '/payments/return?' . http_build_query($said)], 'provider');
    },
];
