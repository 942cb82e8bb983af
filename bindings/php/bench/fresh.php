<?php

declare(strict_types=1);

// Opens a store and asks once; says how long that took and how much memory the process has more. argv: store, law or nothing.
require __DIR__ . '/../tests/bootstrap.php';

use Hos\Engine;
use Hos\Uid;

[, $store, $law] = $argv;
$resident = static function (): int {
    preg_match('/^VmRSS:\s+(\d+) kB/m', (string) file_get_contents('/proc/self/status'), $found);

    return (int) $found[1];
};
// The library itself is no engine's.
Engine::version();
class_exists(Uid::class);
$before = $resident();
$began = hrtime(true);
$engine = Engine::open($law === '' ? null : $law, store: $store);
$opened = hrtime(true);
$tenant = $law === '' ? 't1' : 'pazar-tr';
$type = $law === '' ? 'B::User' : 'Pazar::Account';
$engine->tenant($tenant)->as(new Uid($type, 'root'))->can('v', new Uid('B::Doc', 'd'))->code;
$after = $resident();
$again = hrtime(true);
Engine::open($law === '' ? null : $law, store: $store);
$ended = hrtime(true);
echo json_encode(['open_ms' => ($opened - $began) / 1e6, 'again_us' => ($ended - $again) / 1e3, 'kb' => $after - $before]);
