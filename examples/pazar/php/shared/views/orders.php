<h1><?= $e($t('orders')) ?></h1>
<table>
<?php foreach ($data['orders'] as $order) : ?>
<tr><td><a href="/orders/<?= $e($order['id']) ?>"><?= $e($order['id']) ?></a></td><td><?= $e($order['buyer']) ?></td><td><?= $e($order['shop']) ?></td>
<td><?= $money($order['total']) ?></td><td><a href="/admin/order/<?= $e($order['id']) ?>"><?= $e($order['status']) ?></a></td></tr>
<?php endforeach ?>
</table>
