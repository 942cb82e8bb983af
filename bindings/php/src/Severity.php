<?php

declare(strict_types=1);

namespace Hos;

/** How much a fault of a law matters. */
enum Severity: string
{
    case Error = 'error';
    case Warning = 'warning';
    case Note = 'note';
}
