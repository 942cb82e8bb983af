<?php

declare(strict_types=1);

require_once __DIR__ . '/../src/autoload.php';
spl_autoload_register(static function (string $class): void {
    $file = __DIR__ . '/' . str_replace('\\', '/', substr($class, 10)) . '.php';
    if (str_starts_with($class, 'Hos\\Tests\\') && is_file($file)) {
        require $file;
    }
});
putenv('HOS_LIBRARY=' . Hos\Tests\Support\Place::library());
// A planted panic says where it was on standard error; that is enough.
putenv('RUST_BACKTRACE=0');
