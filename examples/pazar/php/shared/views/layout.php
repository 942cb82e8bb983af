<?php

declare(strict_types=1);

use Shop\Texts;

// The frame of every page. `$t` says a text, `$e` makes a value safe, `$money` shows kurus as lira, `$form` is a button that posts.
$t = static fn (string $code): string => Texts::say($language, $code);
$e = static fn (mixed $value): string => htmlspecialchars((string) $value);
$money = static fn (int $kurus): string => sprintf('%d,%02d TL', intdiv($kurus, 100), $kurus % 100);
$form = static function (string $to, string $label, array $fields = []) use ($t, $e): string {
    $inputs = '';
    foreach ($fields as $name => $value) {
        $inputs .= sprintf('<input name="%s" value="%s" placeholder="%1$s"> ', $e($name), $e($value));
    }

    return sprintf('<form method="post" action="%s">%s<button>%s</button></form>', $e($to), $inputs, $e($t($label)));
};
?>
<!doctype html>
<html lang="<?= $language ?>">
<meta charset="utf-8"><title>Pazar</title>
<style>body{font:16px sans-serif;max-width:56em;margin:2em auto;padding:0 1em}td,th{padding:.3em .8em;text-align:left}form{display:inline}</style>
<nav><?php foreach (['/' => 'market', '/cart' => 'cart', '/orders' => 'orders', '/reservations' => 'reservations', '/seller' => 'seller', '/admin' => 'admin'] as $to => $label) : ?>
<a href="<?= $to ?>"><?= $e($t($label)) ?></a>
<?php endforeach ?></nav>
<?php require __DIR__ . "/$view.php"; ?>
</html>
