<?php

declare(strict_types=1);

namespace Hos\Native;

use Hos\HosError;
use Hos\Uid;

/**
 * An open engine of this process. What a child of a fork finds here is its parent's: it is left alone, never closed, and the child
 * opens its own at its first call.
 *
 * @internal
 */
final class Handle implements Door
{
    private static ?Library $library = null;

    private int $number = 0;
    private int $pid = 0;
    private bool $closed = false;

    private function __construct(
        private readonly Library $native,
        private readonly string $options,
        private readonly bool $shared,
    ) {
    }

    /**
     * @param string $options JSON
     * @param bool $shared whether the very same options in the same process lead to the same engine
     * @throws HosError
     */
    public static function open(#[\SensitiveParameter] string $options, bool $shared, ?Library $library = null): self
    {
        // The workers would inherit what is opened in their master.
        if (PHP_SAPI === 'fpm-fcgi' && !filter_has_var(INPUT_SERVER, 'REQUEST_METHOD')) {
            throw HosError::closed('an engine is opened in a request, not while code is preloaded: workers would inherit it');
        }
        $handle = new self($library ?? self::library(), $options, $shared);
        $handle->reopen((int) getmypid());

        return $handle;
    }

    /** Stands for an engine that could not be opened: each call throws why. */
    public static function absent(\Throwable $why): self
    {
        return new self(new AbsentLibrary($why), '', false);
    }

    public static function library(): Library
    {
        return self::$library ??= FfiLibrary::load();
    }

    public function call(
        string $operation,
        string $call,
        ?int &$status,
        bool $watched = false,
        ?array &$refusal = null,
    ): string {
        $refusal = null;
        $pid = (int) getmypid();
        if ($this->closed || $pid !== $this->pid) {
            $this->reopen($pid);
        }
        $status = $this->native->call($this->number, $operation, $call, $json);
        if ($status !== 1 && $status !== 0) {
            throw HosError::told($status, $json);
        }

        return $json;
    }

    public function can(string $tenant, Uid $principal, string $action, Uid $resource, string $beside, ?int &$status): string
    {
        $pid = (int) getmypid();
        if ($this->closed || $pid !== $this->pid) {
            $this->reopen($pid);
        }
        $status = $this->native->can($this->number, $tenant, $principal, $action, $resource, $beside, $json);
        if ($status !== 1 && $status !== 0) {
            throw HosError::told($status, $json);
        }

        return $json;
    }

    /** Nobody writes into a call of ours: there is nothing to claim before it is made. */
    public function claim(string $operation, string $call): \Closure
    {
        return static function (): void {
        };
    }

    /** Its transactions are its own. */
    public function guard(bool $asked = false): \Closure
    {
        return static function (): void {
        };
    }

    public function beside(\Closure $work): mixed
    {
        return $work();
    }

    public function refused(array $refusal): string
    {
        throw HosError::call('hos.call_malformed', 'an engine with a store of its own has the evidence of its refusals already');
    }

    /** Closes the engine, for everybody in this process if it is shared. */
    public function close(): void
    {
        if ($this->closed) {
            throw HosError::closed('the engine was closed before');
        }
        $this->closed = true;
        // Another process's engine is not this one's to close.
        if ((int) getmypid() === $this->pid) {
            $status = $this->native->close($this->number, $json);
            if ($status !== 1) {
                throw HosError::told($status, $json);
            }
        }
    }

    /** What is shared stays: whoever opens by the same options is given it again. Nobody else has the number of this one. */
    public function __destruct()
    {
        if (!$this->shared && !$this->closed && $this->pid === (int) getmypid()) {
            $this->native->close($this->number, $json);
        }
    }

    private function reopen(int $pid): void
    {
        if ($this->closed) {
            throw HosError::closed('the engine was closed; open it again');
        }
        $status = $this->shared
            ? $this->native->openShared($this->options, $number, $json)
            : $this->native->open($this->options, $number, $json);
        if ($status !== 1) {
            throw HosError::told($status, $json);
        }
        [$this->number, $this->pid] = [$number, $pid];
    }

    public function __clone()
    {
        throw HosError::internal('a handle is not copied');
    }
}
