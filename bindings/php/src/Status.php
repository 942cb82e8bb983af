<?php

declare(strict_types=1);

namespace Hos;

/** How a call ended: the stable classes of the C ABI. Only `Allowed` is a yes. */
enum Status: int
{
    case Allowed = 1;
    case Refused = 0;
    case Call = -1;
    case Closed = -2;
    case Law = -3;
    case Store = -4;
    case Retry = -5;
    case Unknown = -6;
    case Absent = -7;
    case Internal = -8;
}
