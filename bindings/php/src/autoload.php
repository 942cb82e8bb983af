<?php

declare(strict_types=1);

// For those who do without Composer: `require '.../src/autoload.php'`.
spl_autoload_register(static function (string $class): void {
    if (str_starts_with($class, 'Hos\\')) {
        $file = __DIR__ . '/' . str_replace('\\', '/', substr($class, 4)) . '.php';
        if (is_file($file)) {
            require $file;
        }
    }
});
