<?php

declare(strict_types=1);

namespace Hos;

/** Nothing was stored, and the same call may be made again. */
final class RetryError extends HosError
{
}
