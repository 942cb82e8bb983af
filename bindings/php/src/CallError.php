<?php

declare(strict_types=1);

namespace Hos;

/** The call is not of its form: text that is no UTF-8, an id, a value, a tenant that is not there. Mend the caller. */
final class CallError extends HosError
{
}
