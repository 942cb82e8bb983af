<?php

declare(strict_types=1);

namespace Hos;

/**
 * The world decides, the law watches: the world's own code runs first and once, and what it gives or throws is what the caller
 * gets. The law is judged beside it, and nothing that happens there is felt: no exception, no warning, no lost answer; but for an error
 * that has ended the world's transaction, and with it what the world has done.
 *
 * @internal
 */
final class Shadow
{
    /**
     * What judging may need at most, in bytes: the largest call and the largest answer, with room to put them together. A
     * `memory_limit` that is passed ends the request, and nothing can catch that; so where less is left nothing is judged.
     */
    private const ROOM = 40 << 20;

    /**
     * @param callable(): mixed $legacy the world's own code
     * @param \Closure(Legacy|bool): Answer $judge asks the law, with what the world came to
     * @param mixed $outcome what the world came to, of what `$legacy` gave or threw
     * @param mixed $seen gets the answer, or what stood in its way
     * @param \Closure(bool): (\Closure(\Throwable): void) $guard {@see Native\Door::guard()}
     */
    public static function run(callable $legacy, \Closure $judge, mixed $outcome, mixed $seen, \Closure $guard): mixed
    {
        try {
            $given = $legacy();
        } catch (\Throwable $thrown) {
            self::watch($judge, $outcome, $seen, $guard, $thrown, true);

            throw $thrown;
        }
        self::watch($judge, $outcome, $seen, $guard, $given, false);

        return $given;
    }

    private static function watch(\Closure $judge, mixed $outcome, mixed $seen, \Closure $guard, mixed $given, bool $threw): void
    {
        [$lost, $faults] = [null, []];
        // Warnings of ours, and of what is called for us (a `hosUid`, `seen`), are neither shown nor told to the application's handler.
        set_error_handler(static fn (): bool => true);
        try {
            try {
                // What the world throws may have ended its transaction by itself.
                $lost = $guard($threw);
                $told = self::hasRoom()
                    ? $judge(self::world($outcome, $given, $threw))
                    : throw HosError::internal('so little is left of memory_limit that the law was not asked');
            } catch (\Throwable $fault) {
                $faults[] = $told = $fault;
            }
            try {
                $seen === null || $seen($told);
            } catch (\Throwable $fault) {
                $faults[] = $fault;
            }
            // A fault is nobody's, but for one that has taken the world's transaction with it.
            $lost === null || array_map($lost, $faults);
        } finally {
            restore_error_handler();
        }
    }

    /** What the world came to. */
    private static function world(mixed $outcome, mixed $given, bool $threw): Legacy|bool
    {
        $said = null;
        if ($outcome !== null) {
            try {
                $said = $outcome($given);
            } catch (\Throwable $fault) {
                // An `outcome` that knows only what is given cannot read what is thrown; that is a refusal all the same.
                if (!$threw) {
                    throw $fault;
                }
            }
        }
        if ($said === null) {
            return $threw ? false : self::read($given) ?? true;
        }

        return self::read($said) ?? throw HosError::call('hos.value_invalid', 'outcome gives a bool or a Hos\Legacy, not ' . get_debug_type($said));
    }

    /** What says by itself that it is allowed or not; null where it says nothing. */
    private static function read(mixed $said): Legacy|bool|null
    {
        if (is_bool($said) || $said instanceof Legacy) {
            return $said;
        }
        $allowed = is_array($said) ? $said['allowed'] ?? null : null;
        if (!is_bool($allowed)) {
            return null;
        }
        $state = $said['state'] ?? null;

        return new Legacy($allowed, is_string($state) ? $state : null);
    }

    private static function hasRoom(): bool
    {
        $limit = ini_parse_quantity((string) ini_get('memory_limit'));

        return $limit <= 0 || $limit - memory_get_usage() >= self::ROOM;
    }
}
