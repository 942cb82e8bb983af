<?php

declare(strict_types=1);

namespace Hos;

/** What {@see Engine::call} came to, as it came. */
final class Reply
{
    public function __construct(public readonly Status $status, public readonly string $json)
    {
    }

    /** Whether the answer is yes, or what was asked for is told. */
    public function allowed(): bool
    {
        return $this->status === Status::Allowed;
    }

    /** @return array<string, mixed> */
    public function data(): array
    {
        return Wire\Decoder::object($this->json);
    }
}
