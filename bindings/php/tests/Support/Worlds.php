<?php

declare(strict_types=1);

namespace Hos\Tests\Support;

use Hos\Actor;
use Hos\Answer;
use Hos\Legacy;
use PHPUnit\Framework\Assert;

/** Old code of all kinds, run bare and under `shadow`: both must come to the very same. */
final class Worlds
{
    private const SHOP = 'Pazar::Shop::"s1"';

    /** @var list<string> warnings that reached the application */
    private array $warned = [];

    /** @return array<string, array{\Closure(): mixed, bool}> each with what the law is told of it */
    public static function all(): array
    {
        $thing = new \stdClass();
        $refusal = new \DomainException('out of stock');
        $fault = new \Error('old bug', 7, $refusal);

        return [
            'nothing' => [static fn () => null, true],
            'yes' => [static fn () => true, true],
            'no' => [static fn () => false, false],
            'zero' => [static fn () => 0, true],
            'an empty text' => [static fn () => '', true],
            'bytes' => [static fn () => "\xff\0", true],
            'a float' => [static fn () => 0.1 + 0.2, true],
            'a list' => [static fn () => [1, ['x' => null]], true],
            'a map that says no' => [static fn () => ['allowed' => false, 'why' => 'x'], false],
            'an object' => [static fn () => $thing, true],
            'a function' => [static fn () => self::all(...), true],
            'an outcome' => [static fn () => new Legacy(false), false],
            'an exception' => [static fn () => throw $refusal, false],
            'an error' => [static fn () => throw $fault, false],
        ];
    }

    /**
     * Each world under each form of `shadow`.
     *
     * @param \Closure(): Actor $actor
     * @param \Closure(Answer|\Throwable): void $seen
     * @param array<string, mixed> $words besides those of a sound call; `0`, `1`, `2` in place of its own
     * @param list<string> $forms
     */
    public function harmed(\Closure $actor, \Closure $seen, array $words = [], array $forms = ['shadow', 'shadowBegin', 'shadowCan']): int
    {
        $told = 0;
        foreach ($forms as $form) {
            foreach (self::all() as $name => [$legacy]) {
                $own = $form === 'shadowCan' ? ['shop.view', self::SHOP] : ['order', 'o-1', $form === 'shadow' ? 'pay' : 'place'];
                $all = array_replace($own, ['seen' => static function ($answer) use ($seen, &$told): void {
                    $told++;
                    $seen($answer);
                }], $words);
                $this->same("$form, $name", $legacy, static fn (\Closure $counted) => $actor()->$form(...$all, legacy: $counted));
            }
        }

        return $told;
    }

    /** @param \Closure(\Closure): mixed $shadowed */
    private function same(string $what, \Closure $legacy, \Closure $shadowed): void
    {
        $runs = 0;
        $counted = static function () use ($legacy, &$runs): mixed {
            $runs++;
            json_decode('{');

            return $legacy();
        };
        $this->warned = [];
        set_error_handler(function (int $level, string $message): bool {
            $this->warned[] = $message;

            return true;
        });
        error_clear_last();
        ob_start();
        try {
            $bare = self::outcome($legacy);
            $ours = self::outcome(static fn () => $shadowed($counted));
            $state = json_last_error();
            trigger_error('mine');
        } finally {
            $printed = ob_get_clean();
            restore_error_handler();
        }
        Assert::assertSame(1, $runs, "$what: how often the old code ran");
        Assert::assertSame($bare, $ours, $what);
        Assert::assertSame('', $printed, $what);
        Assert::assertSame(['mine'], $this->warned, "$what: what the application's handler was told");
        Assert::assertSame(JSON_ERROR_SYNTAX, $state, "$what: the last error of the application's own JSON");
        Assert::assertNull(error_get_last());
    }

    /** @return array{string, mixed} objects as they are, so that another one in their place is noticed; all else byte by byte */
    private static function outcome(\Closure $work): array
    {
        try {
            $given = $work();
        } catch (\Throwable $thrown) {
            return ['threw', $thrown];
        }

        return match (true) {
            $given instanceof \Closure => ['gave', 'a function'],
            $given instanceof Legacy, !is_object($given) => ['gave', serialize($given)],
            default => ['gave', $given],
        };
    }
}
