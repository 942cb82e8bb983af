<?php

declare(strict_types=1);

namespace Hos;

/** What is wrong with a law, and where. Lines and columns count from 1; 0 is the whole file. */
final class Fault
{
    private function __construct(
        public readonly string $code,
        public readonly Severity $severity,
        public readonly string $file,
        public readonly int $line,
        public readonly int $column,
        public readonly string $message,
        public readonly ?string $hint,
    ) {
    }

    /** @internal */
    public static function fromWire(array $f): self
    {
        $severity = Severity::from($f['severity']);

        return new self($f['code'], $severity, $f['file'], $f['line'], $f['column'], $f['message'], $f['hint'] ?? null);
    }
}
