<p><?= $e($data['message']) ?></p>
<?php if (($data['code'] ?? '') === 'sign_in') : ?>
<form method="post" action="/login"><input name="user"> <input name="password" type="password"> <button><?= $e($t('login')) ?></button></form>
<?php endif ?>
