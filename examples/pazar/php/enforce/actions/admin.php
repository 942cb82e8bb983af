<?php

declare(strict_types=1);

use Shop\{Contract, Read, Refusal, Request, Response, World};

// What the law calls that which the back office does by a status; it knows nothing else of the kind.
const OVERRIDES = ['new' => 'reopen', 'cancelled' => 'cancel', 'refunding' => 'force_refund'];

// The back office, and what the cron does at night.
return [
    'GET /admin' => static function (World $pazar): Response {
        $pazar->policy->may('admin.panel');

        return new Response(['orders' => Read::orders($pazar->db)], 'orders');
    },

    'GET /admin/{subject}/{id}' => static function (World $pazar, Request $in, string $subject, string $id): Response {
        $pazar->policy->may('admin.panel');

        return new Response(['subject' => $subject, 'id' => $id, 'log' => Read::log($pazar->db, $subject, $id)], 'admin');
    },

    'POST /admin/{subject}/{id}/status' => static function (World $pazar, Request $in, string $subject, string $id): Response {
        $pazar->policy->may('admin.status');
        $table = Contract::TABLES[$subject] ?? throw new Refusal('not_found', 404);
        $from = $pazar->db->lock($table, $id)['status'];
        $to = $in->text('status', bytesMax: 32);
        preg_match('/^[a-z_]+$/D', $to) === 1 || throw new Refusal('input_invalid', 400, ['field' => 'status']);
        $now = $pazar->contract->move($subject, $id, OVERRIDES[$to] ?? $to, reason: $in->text('reason', '') ?: null);
        $subject === 'order' && Shop\Stock::follow($pazar->db, $id, $from, $now ?? $from);
        $now === 'refunding' && Shop\Refunds::ask($pazar->db, $id, Read::order($pazar->db, $id)['total'], $in->text('reason', ''));

        return new Response(['subject' => $subject, 'id' => $id, 'log' => Read::log($pazar->db, $subject, $id)], 'admin');
    },

    'POST /cron/expire' => static function (World $pazar): Response {
        // The law's clock has expired them (`hos work`); the shop's rows follow it.
        $count = 0;
        foreach (Shop\Law::expired($pazar->db) as $order) {
            $count += $pazar->db->run("UPDATE orders SET status = 'expired' WHERE id = ?", $order);
            $pazar->proof->write('order', $order, 'new', 'expired', 'expire');
        }

        return new Response(['message' => "$count expired"]);
    },
];
