<?php

declare(strict_types=1);

namespace Hos;

/** How far the law is heeded. `Unknown` stands only in histories, of a mode that this library does not know. */
enum Mode: string
{
    case Off = 'off';
    case Shadow = 'shadow';
    case Enforce = 'enforce';
    case Unknown = 'unknown';
}
