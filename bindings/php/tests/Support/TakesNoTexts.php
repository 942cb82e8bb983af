<?php

declare(strict_types=1);

namespace Hos\Tests\Support;

/** A connection as one of MySQL's: it knows no compound statement. */
final class TakesNoTexts extends \PDO
{
    /** @var list<string> what was prepared */
    public static array $heard = [];

    public function prepare(string $query, array $options = []): \PDOStatement|false
    {
        self::$heard[] = $query;

        return parent::prepare(str_replace('BEGIN NOT ATOMIC', 'NOT KNOWN', $query), $options);
    }
}
