<?php

declare(strict_types=1);

namespace Hos;

/** What your own users, orders and shops implement, so that they can be handed over as they are. */
interface HasUid
{
    public function hosUid(): Uid;
}
