<?php

declare(strict_types=1);

namespace Hos;

/** How safely a record was written when it was committed. */
enum Durability: string
{
    case Unknown = 'unknown';
    case Full = 'full';
    case Weak = 'weak';
}
