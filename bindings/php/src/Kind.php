<?php

declare(strict_types=1);

namespace Hos;

/** What a record is. */
enum Kind: string
{
    case Begun = 'begun';
    case Moved = 'moved';
    case Refused = 'refused';
    case Expired = 'expired';
    case Overridden = 'overridden';
    case Migrated = 'migrated';
    case Noted = 'noted';
    case Directory = 'directory';
    case Activated = 'activated';
    case Retired = 'retired';
    case Founded = 'founded';
    case Tenant = 'tenant';
    case Observed = 'observed';
    case Adopted = 'adopted';
    case Legacy = 'legacy';
    case Imported = 'imported';
    case Erased = 'erased';
    case Key = 'key';
    case Heads = 'heads';
    case Epoch = 'epoch';
    case Decided = 'decided';
    case Checkpoint = 'checkpoint';
}
