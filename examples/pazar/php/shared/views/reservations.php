<h1><?= $e($t('reservations')) ?></h1>
<?php foreach ($data['reservations'] as $row) : ?>
<p><a href="/reservations/<?= $e($row['id']) ?>"><?= $e($row['id']) ?></a> <?= $e($row['room']) ?>, <?= $e($row['arrival']) ?>: <?= $e($row['status']) ?></p>
<?php endforeach ?>
<?= $form('/reservations', 'book', ['room' => '101', 'guests' => 2, 'nights' => 1, 'arrival' => '', 'deposit' => 'No Deposit']) ?>
