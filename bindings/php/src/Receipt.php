<?php

declare(strict_types=1);

namespace Hos;

/**
 * Where the evidence of a call lies. Without a seal it is pending. Hashes and handles are lower-case hexadecimal. A record that was made
 * in a transaction of the caller's, in a named stream, has no `n` until it is sealed.
 */
final class Receipt
{
    private function __construct(
        public readonly string $tenant,
        public readonly string $thread,
        public readonly ?int $n,
        public readonly string $record,
        public readonly ?Seal $seal,
    ) {
    }

    /** @internal */
    public static function fromWire(array $r): self
    {
        $seal = isset($r['seal']) ? Seal::fromWire($r['seal']) : null;

        $n = $r['n'] ?? null;

        return new self($r['tenant'], $r['thread'], $n, $r['record'], $seal);
    }
}
