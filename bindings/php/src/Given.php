<?php

declare(strict_types=1);

namespace Hos;

/** An entity that comes with a call, for this call only: a row of the world's own. */
final class Given
{
    /**
     * @param array<mixed>|\stdClass $attrs by name
     * @param list<HasUid|string> $parents
     */
    public function __construct(
        public readonly HasUid|string $uid,
        public readonly array|\stdClass $attrs = [],
        public readonly array $parents = [],
    ) {
    }
}
