<?php

declare(strict_types=1);

namespace Hos;

/** What the world decided by itself, where the law is `off` or in `shadow`. */
final class Legacy
{
    public function __construct(public readonly bool $allowed, public readonly ?string $state = null)
    {
    }
}
