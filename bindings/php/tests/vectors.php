<?php

/**
 * Runs the call vectors (`testdata/vectors/call/README.md`): each scenario by `call`, and again in PHP's own words.
 *
 *     php bindings/php/tests/vectors.php [part of a file's name]
 */

declare(strict_types=1);

use Hos\Tests\Support\Scenario;

require __DIR__ . '/bootstrap.php';

$files = glob(Hos\Tests\Support\Place::root() . '/testdata/vectors/call/*.json') ?: [];
$files = array_filter($files, static fn (string $file): bool => str_contains(basename($file), $argv[1] ?? ''));
[$passed, $failed] = [0, 0];
foreach ($files as $file) {
    $scenario = new Scenario($file);
    $faults = $scenario->run(typed: false);
    foreach ($scenario->run(typed: true) as $name => $fault) {
        $faults[$name] = array_merge($faults[$name] ?? [], $fault);
    }
    foreach ($faults as $name => $said) {
        if ($said === []) {
            $passed++;
        } else {
            $failed++;
            echo basename($file), ' ', $name, ":\n  ", implode("\n  ", $said), "\n";
        }
    }
}
if ($passed + $failed === 0) {
    echo "no vectors\n";
    $failed++;
}
echo "php: $passed passed, $failed failed\n";
exit($failed === 0 ? 0 : 1);
