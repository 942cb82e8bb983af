<?php

declare(strict_types=1);

namespace Hos;

/** The law does not load, is not the active one, or needs the outcome of the world (`legacy`). */
final class LawError extends HosError
{
}
