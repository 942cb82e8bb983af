<?php

declare(strict_types=1);

// A host whose signal's handler throws at any moment, in as many calls as go into some seconds. argv: seconds.
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
    for ($end = microtime(true) + (float) $argv[1]; microtime(true) < $end;) {
        usleep(random_int(20, 120));
        posix_kill($parent, SIGALRM);
    }
    posix_kill(posix_getpid(), SIGKILL);
}
[$broken, $wrong] = [0, 0];
while (pcntl_waitpid($child, $status, WNOHANG) === 0) {
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
echo $broken > 100 && $wrong === 0 ? 'held' : "$broken broken off, $wrong wrong";
