<?php

declare(strict_types=1);

namespace Hos;

/** The store, the key or the machine failed; nothing was stored. */
final class StoreError extends HosError
{
}
