<h1><?= $e($t('market')) ?></h1>
<table>
<?php foreach ($data['products'] as $product) : ?>
<tr><td><?= $e($product['name']) ?></td><td><?= $e($product['shop_name']) ?></td><td><?= $money($product['price']) ?></td>
<td><?= $e($t('stock')) ?>: <?= $product['stock'] ?></td><td><?= $form('/cart', 'buy', ['product' => $product['id'], 'quantity' => 1]) ?></td></tr>
<?php endforeach ?>
</table>
