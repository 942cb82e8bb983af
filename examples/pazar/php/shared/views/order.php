<?php $order = $data['order'] ?>
<h1><?= $e($t('order')) ?> <?= $e($order['id']) ?></h1>
<p><?= $e($t('status')) ?>: <b><?= $e($order['status']) ?></b>. <?= $e($t('total')) ?>: <?= $money($order['total']) ?></p>
<ul>
<?php foreach ($order['lines'] as $line) : ?>
<li><?= $e($line['product']) ?>: <?= $line['quantity'] ?> × <?= $money($line['price']) ?></li>
<?php endforeach ?>
</ul>
<?php foreach ($order['payments'] as $payment) : ?>
<p><?= $e($payment['id']) ?>: <?= $money($payment['amount']) ?>, <?= $e($payment['status']) ?>
<?php if ($payment['status'] === 'pending') : ?><a href="/provider/<?= $e($payment['id']) ?>"><?= $e($t('pay')) ?></a><?php endif ?></p>
<?php endforeach ?>
<?php foreach ($order['refunds'] as $refund) : ?>
<p><?= $e($refund['id']) ?>: −<?= $money($refund['amount']) ?>, <?= $e($refund['status']) ?>, <?= $e($refund['reason']) ?></p>
<?php endforeach ?>
<?= $form("/orders/{$order['id']}/cancel", 'cancel') ?> <?= $form("/orders/{$order['id']}/deliver", 'deliver') ?>
<?= $form("/orders/{$order['id']}/ship", 'ship', ['tracking' => $order['tracking']]) ?>
<?= $form("/orders/{$order['id']}/refund", 'refund', ['amount' => $order['paid'], 'reason' => '']) ?>
