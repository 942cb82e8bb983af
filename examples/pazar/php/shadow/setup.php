<?php

declare(strict_types=1);

return static fn (Shop\Db $db) => Shop\Founding::found($db, 'shadow');
