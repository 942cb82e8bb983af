<?php

declare(strict_types=1);

namespace Hos;

/** A policy that could not be evaluated. */
final class PolicyError
{
    private function __construct(
        public readonly string $policy,
        public readonly string $kind,
        public readonly string $message,
    ) {
    }

    /** @internal */
    public static function fromWire(array $e): self
    {
        return new self($e['policy'], $e['kind'], $e['message']);
    }
}
