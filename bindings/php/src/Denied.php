<?php

declare(strict_types=1);

namespace Hos;

/** Thrown by `authorize` and `apply`, and by nothing else, where the answer is no. */
final class Denied extends \RuntimeException
{
    public function __construct(public readonly Answer $answer)
    {
        $detail = $answer->blockers[0]->detail ?? '';
        parent::__construct('denied: ' . ($answer->code ?? 'the world said no') . ($detail === '' ? '' : " ($detail)"));
    }

    /** The first reason's code; null where the world's own outcome was the no. */
    public function code(): ?string
    {
        return $this->answer->code;
    }
}
