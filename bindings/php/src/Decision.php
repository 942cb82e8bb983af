<?php

declare(strict_types=1);

namespace Hos;

/** What a record says was decided. */
enum Decision: string
{
    case None = 'none';
    case Allow = 'allow';
    case Deny = 'deny';
}
