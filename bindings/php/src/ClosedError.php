<?php

declare(strict_types=1);

namespace Hos;

/** The engine is not open: it was closed, or this is the master of a pool of workers. */
final class ClosedError extends HosError
{
}
