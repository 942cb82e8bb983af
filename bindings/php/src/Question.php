<?php

declare(strict_types=1);

namespace Hos;

/** A question among several: {@see Actor::canAll}. */
final class Question
{
    /**
     * @param string $action its id in the law's namespace: `order.view`
     * @param array<string, mixed>|\stdClass|null $context in place of what is said for all
     * @param list<Given>|null $given in place of what is said for all
     */
    public function __construct(
        public readonly string $action,
        public readonly HasUid|string $resource,
        public readonly array|\stdClass|null $context = null,
        public readonly ?array $given = null,
    ) {
    }
}
