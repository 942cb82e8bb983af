<?php

declare(strict_types=1);

use Shop\{Read, Refusal, Request, Response, World};

// What the payment provider reports: by the buyer's browser coming back, and by a webhook. Either may be first, or come twice.
return [
    'GET /payments/return' => static function (World $pazar, Request $in): Response {
        $payment = $pazar->db->lock('payments', $in->text('about'));
        $args = ['amount' => $in->whole('amount'), 'psp_ref' => $in->text('event')];
        if ($in->text('kind') !== 'captured') {
            $pazar->contract->move('payment', $payment['id'], 'fail', ['reason' => $in->text('kind')]);
        } else {
            $pazar->contract->move('payment', $payment['id'], 'capture', $args);
            $paid = $pazar->contract->move('order', $payment['order_id'], 'pay', $args) === null ? 0 : $args['amount'];
            $pazar->db->run("UPDATE payments SET psp_ref = ? WHERE id = ? AND psp_ref = ''", $args['psp_ref'], $payment['id']);
            $pazar->db->run('UPDATE orders SET paid = paid + ? WHERE id = ?', $paid, $payment['order_id']);
        }

        return new Response(['order' => Read::order($pazar->db, $payment['order_id'])], 'order');
    },

    'POST /payments/webhook' => static function (World $pazar, Request $in): Response {
        $about = $in->text('about');
        $args = ['amount' => $in->whole('amount'), 'psp_ref' => $in->text('event')];
        switch ($in->text('kind')) {
            case 'captured':
                // Where the law refuses the money, the provider hears so. A second event adds nothing, and the first one's reference stays.
                $order = $pazar->db->lock('payments', $about)['order_id'];
                $pazar->contract->move('payment', $about, 'capture', $args);
                $paid = $pazar->contract->move('order', $order, 'pay', $args) === null ? 0 : $args['amount'];
                $pazar->db->run("UPDATE payments SET psp_ref = ? WHERE id = ? AND psp_ref = ''", $args['psp_ref'], $about);
                $pazar->db->run('UPDATE orders SET paid = paid + ? WHERE id = ?', $paid, $order);
                break;
            case 'failed':
                $order = $pazar->db->lock('payments', $about)['order_id'];
                $pazar->contract->move('payment', $about, 'fail', ['reason' => $args['psp_ref']]);
                break;
            case 'refunded':
                $order = $pazar->db->lock('refunds', $about)['order_id'];
                $pazar->contract->move('order', $order, 'refunded', ['psp_ref' => $args['psp_ref']]);
                $pazar->db->run("UPDATE refunds SET status = 'paid_out' WHERE id = ?", $about);
                break;
            case 'refund_failed':
                $order = $pazar->db->lock('refunds', $about)['order_id'];
                $pazar->contract->move('order', $order, 'refund_failed', ['reason' => $args['psp_ref']]);
                $pazar->db->run("UPDATE refunds SET status = 'failed' WHERE id = ?", $about);
                break;
            default:
                throw new Refusal('input_invalid', 400, ['field' => 'kind']);
        }

        return new Response(['order' => Read::order($pazar->db, $order)], 'order');
    },
];
