<?php

declare(strict_types=1);

namespace Hos;

/** A record's place in the log. */
final class Seal
{
    private function __construct(
        public readonly int $seq,
        public readonly string $entry,
        /** A signed note (C2SP). */
        public readonly ?string $checkpoint,
    ) {
    }

    /** @internal */
    public static function fromWire(array $s): self
    {
        return new self($s['seq'], $s['entry'], $s['checkpoint'] ?? null);
    }
}
