<?php

declare(strict_types=1);

// A host whose signal's handler throws at any moment, until so many of its rounds of calls were broken off. argv: how many.
require __DIR__ . '/../bootstrap.php';

use Hos\Engine;
use Hos\Tests\Support\Place;

$ayse = Engine::open(null, store: Place::pazar())->tenant('pazar-tr')->as('Pazar::Account::"ayse"');
$armed = false;
pcntl_async_signals(true);
pcntl_signal(SIGALRM, static function () use (&$armed): void {
    if ($armed) {
        $armed = false;
        throw new UnexpectedValueException('time is up');
    }
});
$parent = posix_getpid();
if (($child = pcntl_fork()) === 0) {
    // As long as the parent is there.
    while (posix_getppid() === $parent) {
        usleep(random_int(20, 120));
        posix_kill($parent, SIGALRM);
    }
    posix_kill(posix_getpid(), SIGKILL);
}
[$broken, $wrong] = [0, 0];
while ($broken < (int) $argv[1]) {
    try {
        $armed = true;
        for ($i = 0; $i < 100; $i++) {
            $wrong += $ayse->can('shop.view', 'Pazar::Shop::"s1"')->allowed ? 0 : 1;
        }
    } catch (UnexpectedValueException) {
        $broken++;
    }
    $armed = false;
}
pcntl_signal(SIGALRM, SIG_IGN);
posix_kill($child, SIGKILL);
pcntl_waitpid($child, $status);
echo $wrong === 0 ? 'held' : "$wrong wrong";
