<?php

declare(strict_types=1);

require __DIR__ . '/bootstrap.php';

$in = Shop\Request::fromGlobals();
Shop\World::answer($in)->send($in);
