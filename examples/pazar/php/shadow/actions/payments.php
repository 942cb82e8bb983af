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
            $pazar->contract->move('order', $payment['order_id'], 'pay', $args);
            $pazar->db->run("UPDATE payments SET psp_ref = ? WHERE id = ? AND psp_ref = ''", $args['psp_ref'], $payment['id']);
            $pazar->db->run('UPDATE orders SET paid = paid + ? WHERE id = ?', $args['amount'], $payment['order_id']);
        }

        return new Response(['order' => Read::order($pazar->db, $payment['order_id'])], 'order');
    },

    'POST /payments/webhook' => static function (World $pazar, Request $in): Response {
        $about = $in->text('about');
        $args = ['amount' => $in->whole('amount'), 'psp_ref' => $in->text('event')];
        switch ($in->text('kind')) {
            case 'captured':
                // The money has come, whatever we think of it; the provider wants its 200, and gets it.
                $order = $pazar->db->lock('payments', $about)['order_id'];
                $pazar->db->run("UPDATE payments SET status = 'captured', psp_ref = ? WHERE id = ?", $args['psp_ref'], $about);
                $pazar->db->run("UPDATE orders SET status = 'paid', paid = paid + ? WHERE id = ?", $args['amount'], $order);
                $pazar->proof->write('payment', $about, null, 'captured', 'capture', $args);
                $pazar->proof->write('order', $order, null, 'paid', 'pay', $args);
                $pazar->contract->watched('payment', $about, 'capture', 'captured', $args);
                $pazar->contract->watched('order', $order, 'pay', 'paid', $args);
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
