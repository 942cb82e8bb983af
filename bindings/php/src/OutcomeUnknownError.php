<?php

declare(strict_types=1);

namespace Hos;

/** The outcome of the commit is unknown; the same call with the same `once` finds it out. */
final class OutcomeUnknownError extends HosError
{
}
