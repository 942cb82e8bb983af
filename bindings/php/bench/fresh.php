<?php

declare(strict_types=1);

// Opens a store and asks once; says how long that took and how much memory the process has more. argv: store, tenant, law or nothing.
require __DIR__ . '/../tests/bootstrap.php';

use Hos\Engine;
use Hos\Uid;

[, $store, $tenant, $law] = $argv;
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
// Whatever the answer is, the directory has been read then.
$engine->tenant($tenant)->as(new Uid('X::Y', 'root'))->can('z', new Uid('X::Z', 'z'))->code;
$after = $resident();
$again = hrtime(true);
Engine::open($law === '' ? null : $law, store: $store);
$ended = hrtime(true);
echo json_encode(['open_ms' => ($opened - $began) / 1e6, 'again_us' => ($ended - $again) / 1e3, 'kb' => $after - $before]);
