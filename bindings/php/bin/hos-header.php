#!/usr/bin/env php
<?php

/**
 * Writes `preload/hos.ffi.h` for a library that is elsewhere than where the system looks for libraries:
 *
 *     php bin/hos-header.php /opt/hos/libhos.so.1 > /etc/php/hos.ffi.h
 */

declare(strict_types=1);

$library = $argv[1] ?? '';
if ($library === '' || preg_match('/["\\\\\n\r]/', $library) === 1) {
    fwrite(STDERR, "usage: php hos-header.php LIBRARY > HEADER (a path without quotes, backslashes and line ends)\n");
    exit(2);
}
if ($library[0] === '/' && !is_file($library)) {
    fwrite(STDERR, "hos-header: there is no $library\n");
    exit(2);
}
$header = (string) file_get_contents(__DIR__ . '/../preload/hos.ffi.h');
echo preg_replace('/^#define FFI_LIB ".*"$/m', '#define FFI_LIB "' . $library . '"', $header);
