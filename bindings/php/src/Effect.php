<?php

declare(strict_types=1);

namespace Hos;

/** What policies came to. */
enum Effect: string
{
    case Allow = 'allow';
    case Forbidden = 'forbidden';
    case ForbidError = 'forbid_error';
    case NotPermitted = 'not_permitted';
}
