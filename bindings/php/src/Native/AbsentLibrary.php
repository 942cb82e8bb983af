<?php

declare(strict_types=1);

namespace Hos\Native;

use Hos\Uid;

/**
 * What stands where nothing could be opened: whatever is asked of it, it throws what stood in the way.
 *
 * @internal
 */
final class AbsentLibrary implements Library
{
    public function __construct(private readonly \Throwable $why)
    {
    }

    public function version(): string
    {
        throw $this->why;
    }

    public function open(string $options, ?int &$engine, ?string &$json): int
    {
        throw $this->why;
    }

    public function openShared(string $options, ?int &$engine, ?string &$json): int
    {
        throw $this->why;
    }

    public function openJoined(string $options, ?int &$engine, ?string &$json): int
    {
        throw $this->why;
    }

    public function step(int $engine, string $operation, int $inside, string $call, ?string &$json): int
    {
        throw $this->why;
    }

    public function close(int $engine, ?string &$json): int
    {
        throw $this->why;
    }

    public function call(int $engine, string $operation, string $call, ?string &$json): int
    {
        throw $this->why;
    }

    public function can(
        int $engine,
        string $tenant,
        Uid $principal,
        string $action,
        Uid $resource,
        string $beside,
        ?string &$json,
    ): int {
        throw $this->why;
    }
}
