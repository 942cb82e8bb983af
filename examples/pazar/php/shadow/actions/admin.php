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
        // Whatever status somebody types: this page repairs what went wrong elsewhere.
        $pazar->db->run("UPDATE $table SET status = ? WHERE id = ?", $to, $id);
        $pazar->proof->write($subject, $id, $from, $to, '', ['reason' => $in->text('reason', '')]);
        $pazar->contract->watched($subject, $id, OVERRIDES[$to] ?? $to, $to, reason: $in->text('reason', '') ?: null);

        return new Response(['subject' => $subject, 'id' => $id, 'log' => Read::log($pazar->db, $subject, $id)], 'admin');
    },

    'POST /cron/expire' => static function (World $pazar): Response {
        // All at once and without a word in the log; what they had reserved stays off the shelf.
        $before = $pazar->now->modify('-60 minutes')->format('Y-m-d H:i:s');
        $count = $pazar->db->run("UPDATE orders SET status = 'expired' WHERE status = 'new' AND placed_at <= ?", $before);

        return new Response(['message' => "$count expired"]);
    },
];
