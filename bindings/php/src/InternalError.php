<?php

declare(strict_types=1);

namespace Hos;

/** A fault inside, or a library that does not fit. It is never a yes. */
final class InternalError extends HosError
{
}
