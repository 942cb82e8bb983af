<?php $row = $data['reservation'] ?>
<h1><?= $e($row['id']) ?></h1>
<p><?= $e($row['room']) ?>, <?= $e($row['arrival']) ?>, <?= $row['nights'] ?> × <?= $money($row['rate']) ?>. <?= $e($t('status')) ?>: <b><?= $e($row['status']) ?></b></p>
<?php foreach (['cancel', 'waitlist', 'confirm', 'check_in', 'check_out', 'no_show'] as $event) : ?>
<?= $form("/reservations/{$row['id']}/$event", $event) ?>
<?php endforeach ?>
