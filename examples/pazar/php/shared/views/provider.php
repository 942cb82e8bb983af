<h1>PSP</h1>
<p><?= $e($data['payment']['id']) ?>: <?= $money($data['payment']['amount']) ?> <a href="<?= $e($data['back']) ?>"><?= $e($t('pay')) ?></a></p>
