<h1><?= $e($t('cart')) ?></h1>
<table>
<?php foreach ($data['lines'] as $line) : ?>
<tr><td><?= $e($line['name']) ?></td><td><?= $line['quantity'] ?> × <?= $money($line['price']) ?></td></tr>
<?php endforeach ?>
</table>
<?php foreach (array_unique(array_column($data['lines'], 'shop')) as $shop) : ?>
<p><?= $e($shop) ?> <?= $form('/checkout', 'checkout', ['shop' => $shop]) ?></p>
<?php endforeach ?>
