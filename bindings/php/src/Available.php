<?php

declare(strict_types=1);

namespace Hos;

/** Something that can, or cannot, be done to an instance now. */
final class Available
{
    /**
     * @param list<Blocker> $blockers
     * @param list<string> $needs arguments without which policies and guards cannot be judged
     */
    private function __construct(
        public readonly string $event,
        public readonly bool $allowed,
        public readonly ?string $code,
        public readonly array $blockers,
        public readonly ?string $to,
        public readonly array $needs,
    ) {
    }

    /** @internal */
    public static function fromWire(array $a): self
    {
        $blockers = array_map(Blocker::fromWire(...), $a['blockers']);

        return new self($a['event'], $a['allowed'], $a['code'] ?? null, $blockers, $a['to'] ?? null, $a['needs']);
    }
}
