<h1><?= $e($data['subject']) ?> <?= $e($data['id']) ?></h1>
<table>
<?php foreach ($data['log'] as $line) : ?>
<tr><td><?= $e($line['changed_at']) ?></td><td><?= $e($line['old_status'] ?? '?') ?> → <?= $e($line['new_status']) ?></td>
<td><?= $e($line['event']) ?></td><td><?= $e($line['actor']) ?></td><td><code><?= $e($line['detail']) ?></code></td></tr>
<?php endforeach ?>
</table>
<?= $form("/admin/{$data['subject']}/{$data['id']}/status", 'set_status', ['status' => '', 'reason' => '']) ?>
