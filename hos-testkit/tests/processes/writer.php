<?php

/**
 * Writes to a store until somebody kills it, and says what it was told (`hos-testkit/src/told.rs`).
 *
 *     php writer.php write STORE NAME
 *     php writer.php again STORE KEY..     these once more, which changes nothing
 */

declare(strict_types=1);

require __DIR__ . '/../../../bindings/php/tests/bootstrap.php';

[, $way, $store] = $argv;
$names = array_slice($argv, 3);
$say = static function (string $line): void {
    fwrite(STDOUT, "$line\n");
    fflush(STDOUT);
};

$say('');
$law = Hos\Tests\Support\Place::root() . '/testdata/vectors/call/law';
$actor = Hos\Engine::open($law, store: $store)->tenant('t1')->as(new Hos\Uid('S::Account', 'ayse'));

/** Does what a key stands for: `x` makes the lamp `x`, `x+step` lets it go out. */
$one = static function (string $key, bool $again) use ($actor, $say): void {
    [$lamp, $step] = explode('+', "$key+");
    $answer = $step === ''
        ? $actor->begin('lamp', $lamp, 'make', once: $key)
        : $actor->transition('lamp', $lamp, 'step', once: $key);
    if (!$answer->allowed || $answer->again !== $again) {
        throw new RuntimeException("$key: " . ($answer->code ?? 'no code'));
    }
    $say("ack $key {$answer->receipt->record}");
};

if ($way === 'again') {
    foreach ($names as $key) {
        $one($key, true);
    }
    exit(0);
}
for ($k = 0;; $k++) {
    foreach (array_slice(["$names[0]-$k", "$names[0]-$k+step"], 0, $k % 3 === 0 ? 2 : 1) as $key) {
        $say("try $key");
        $one($key, false);
    }
}
