<?php

declare(strict_types=1);

// A preload script as it must not be: it opens an engine in the master. What came of it is written to a file.
require __DIR__ . '/../../preload/hos.php';

try {
    Hos\Engine::open(null, store: getenv('HOS_TEST_STORE', true));
    $said = 'opened';
} catch (Hos\HosError $error) {
    $said = $error->code();
}
file_put_contents(getenv('HOS_TEST_SAID', true), $said);
