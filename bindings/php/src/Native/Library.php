<?php

declare(strict_types=1);

namespace Hos\Native;

use Hos\Uid;

/**
 * The library's functions, as PHP calls them: the seam between this binding and whatever leads to the library. What each does is
 * said in `spec/c-abi.md`. All give the status as a number; `$json` is what was told (an answer, or an error). Nothing is thrown
 * but by PHP itself.
 *
 * @internal
 */
interface Library
{
    public function version(): string;

    /** @param-out int $engine the engine's number, 0 where it fails */
    public function open(string $options, ?int &$engine, ?string &$json): int;

    /** @param-out int $engine the number of the engine that this process has opened by the very same options, or of a new one */
    public function openShared(string $options, ?int &$engine, ?string &$json): int;

    /** @param-out int $engine the number of an engine that joins the caller's transactions; options with a `database` are shared */
    public function openJoined(string $options, ?int &$engine, ?string &$json): int;

    public function close(int $engine, ?string &$json): int;

    public function call(int $engine, string $operation, string $call, ?string &$json): int;

    /**
     * A round of a step in the caller's transaction; 2: it is on its way.
     *
     * @param int $inside 1: the connection is in a transaction, 0: in none, -1: nobody knows
     */
    public function step(int $engine, string $operation, int $inside, string $call, ?string &$json): int;

    /**
     * `can`, its words apart.
     *
     * @param string $beside the call's other fields as a JSON object, or empty
     */
    public function can(
        int $engine,
        string $tenant,
        Uid $principal,
        string $action,
        Uid $resource,
        string $beside,
        ?string &$json,
    ): int;
}
