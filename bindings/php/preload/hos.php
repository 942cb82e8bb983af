<?php

/**
 * For `opcache.preload`: makes H-OS ready for servers where `ffi.enable` is `preload`, as it is unless somebody changed it.
 *
 * The classes here may use FFI, the application's may not. Nothing is opened: an engine belongs to the worker that opens it.
 *
 * The header names the library as `libhos.so.1`, to be found where the system looks. For another place write a header with
 * `bin/hos-header.php`, and name it by the environment variable `HOS_HEADER` of the server. Where `opcache.preload_user` is another
 * user than the server's (a server that starts as root), PHP wants the header named by `ffi.preload` instead, and this script
 * leaves it alone.
 */

declare(strict_types=1);

(static function (): void {
    if ((string) ini_get('ffi.preload') === '') {
        $named = getenv('HOS_HEADER', true);
        FFI::load(is_string($named) && $named !== '' ? $named : __DIR__ . '/hos.ffi.h');
    }
    require_once __DIR__ . '/../src/autoload.php';
    // Not the bridges: what they extend is the application's.
    foreach (['', 'Wire/', 'Native/', 'Pdo/'] as $folder) {
        foreach (glob(__DIR__ . "/../src/$folder*.php") ?: [] as $file) {
            $class = 'Hos\\' . strtr($folder, '/', '\\') . basename($file, '.php');
            if (basename($file) !== 'autoload.php') {
                class_exists($class) || interface_exists($class) || enum_exists($class);
            }
        }
    }
})();
