<?php

declare(strict_types=1);

namespace Hos\Bridge;

/** What a framework is told. */
final class Verdict
{
    public function __construct(
        public readonly bool $allowed,
        public readonly ?string $code,
        /** For an end user, where a language was asked for. */
        public readonly ?string $message,
    ) {
    }
}
