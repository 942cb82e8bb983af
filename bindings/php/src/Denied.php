<?php

declare(strict_types=1);

namespace Hos;

/** Thrown by `authorize` and `apply`, and by nothing else, where the answer is no. */
final class Denied extends \RuntimeException
{
    public function __construct(public readonly Answer $answer)
    {
        parent::__construct('denied: ' . ($answer->code ?? 'the world said no'));
    }
}
