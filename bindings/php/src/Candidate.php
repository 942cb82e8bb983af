<?php

declare(strict_types=1);

namespace Hos;

/** What a law that is a candidate would have said, where it says something else. */
final class Candidate
{
    /** @param list<Blocker> $blockers */
    private function __construct(
        public readonly string $law,
        public readonly bool $allowed,
        public readonly array $blockers,
    ) {
    }

    /** @internal */
    public static function fromWire(array $c): self
    {
        $blockers = array_map(Blocker::fromWire(...), $c['blockers']);

        return new self($c['law'], $c['allowed'], $blockers);
    }
}
