<?php

declare(strict_types=1);

namespace Hos;

/** One thing that the law has against a call. */
final class Blocker
{
    private function __construct(
        /** `hos.…`, or the contract's own: `order.amount_short`. */
        public readonly string $code,
        /** What exactly, for whoever mends it; not for an end user. */
        public readonly string $detail,
        /** For an end user, in the actor's language; only where the actor has one. */
        public readonly ?string $message,
    ) {
    }

    /** @internal */
    public static function fromWire(array $b): self
    {
        $message = $b['message'] ?? null;

        return new self($b['code'], $b['detail'], $message);
    }
}
