<?php

declare(strict_types=1);

namespace Hos;

/** What the call names is not there. */
final class AbsentError extends HosError
{
}
