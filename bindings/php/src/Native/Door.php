<?php

declare(strict_types=1);

namespace Hos\Native;

use Hos\HosError;
use Hos\Uid;

/**
 * What calls go through: an engine with a store of its own ({@see Handle}), or one that joins a transaction of the caller's
 * ({@see \Hos\Pdo\Joined}).
 *
 * @internal
 */
interface Door
{
    /**
     * Makes a call.
     *
     * @param bool $watched the call says what the world decided by itself (`legacy`): nothing that befalls it may befall the world
     * @param-out int $status `1` or `0`
     * @param-out ?array{int, int, int} $refusal of a refusal of which no evidence is stored: what {@see refused} is told; else null
     * @return string the answer as JSON
     * @throws HosError where there is none
     */
    public function call(
        string $operation,
        string $call,
        ?int &$status,
        bool $watched = false,
        ?array &$refusal = null,
    ): string;

    /**
     * `can`, its words apart; else as `call`.
     *
     * @param string $beside the call's other fields as a JSON object, or empty
     * @param-out int $status `1` or `0`
     * @throws HosError
     */
    public function can(string $tenant, Uid $principal, string $action, Uid $resource, string $beside, ?int &$status): string;

    /**
     * Has what a call is about stand still, where others write beside us: the rest of the call is not written yet.
     *
     * @return \Closure(): void to be called where the call is not made after all
     * @throws HosError
     */
    public function claim(string $operation, string $call): \Closure;

    /**
     * Looks whether the caller is in a transaction, before something runs that may fail and take it along. Then the world's outcome is
     * undone, and no word for it may stand.
     *
     * @param bool $asked whether something has failed already: the connection may not know yet what came of that
     * @return \Closure(\Throwable): void to be told what has failed; where that transaction is gone it throws this, or `hos.retry`
     *                                    where the transaction may go through when it is begun again
     * @throws HosError
     */
    public function guard(bool $asked = false): \Closure;

    /**
     * Runs code of the caller's beside a call that watches, in such a way that where it fails the caller's transaction goes on.
     *
     * @template T
     * @param \Closure(): T $work
     * @return T
     */
    public function beside(\Closure $work): mixed;

    /**
     * Makes evidence of a refusal.
     *
     * @param array{int, int, int} $refusal
     * @return string the answer as JSON; it is no
     * @throws HosError
     */
    public function refused(array $refusal): string;

    /** @throws HosError `hos.engine_closed`: it was closed before */
    public function close(): void;
}
