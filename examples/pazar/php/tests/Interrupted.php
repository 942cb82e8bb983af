<?php

declare(strict_types=1);

namespace Shop\Tests;

/** A connection to SQLite in whose way somebody is once: at the next statement that has `next` in it. */
final class Interrupted extends \PDO
{
    public ?string $next = null;

    public function prepare(string $query, array $options = []): \PDOStatement|false
    {
        if ($this->next !== null && str_contains($query, $this->next)) {
            $this->next = null;
            $error = new \PDOException('database is locked');
            $error->errorInfo = ['HY000', 5, 'database is locked'];
            throw $error;
        }

        return parent::prepare($query, $options);
    }
}
