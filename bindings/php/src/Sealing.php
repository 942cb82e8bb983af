<?php

declare(strict_types=1);

namespace Hos;

/** When records are sealed: in the commit, so that receipts are complete, or by a worker (`hos work`). */
enum Sealing: string
{
    case Inline = 'inline';
    case Worker = 'worker';
}
