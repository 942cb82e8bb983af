<?php

declare(strict_types=1);

return Shop\Founding::settings($dir, $fpm);
