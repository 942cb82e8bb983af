<?php require __DIR__ . '/orders.php' ?>
<h1><?= $e($t('stock')) ?></h1>
<?php foreach ($data['products'] as $product) : ?>
<p><?= $e($product['name']) ?>: <?= $product['stock'] ?> <?= $form("/products/{$product['id']}/restock", 'restock', ['quantity' => 10]) ?></p>
<?php endforeach ?>
