<?php

declare(strict_types=1);

namespace Hos\Tests\Support;

/** A connection that has a signal sent at one of its statements, before or behind it. */
final class Alarmed extends \PDO
{
    /** At which it is sent; it counts down. */
    public int $at = 0;
    public bool $behind = false;
    /** Whether it was sent. */
    public bool $sent = false;

    public function exec(string $statement): int|false
    {
        return $this->around(fn (): int|false => parent::exec($statement));
    }

    public function prepare(string $query, array $options = []): \PDOStatement|false
    {
        return $this->around(fn (): \PDOStatement|false => parent::prepare($query, $options));
    }

    public function beginTransaction(): bool
    {
        return $this->around(fn (): bool => parent::beginTransaction());
    }

    private function around(\Closure $work): mixed
    {
        $now = $this->at > 0 && --$this->at === 0;
        $this->sent = $this->sent || $now;
        $now && !$this->behind && posix_kill(posix_getpid(), SIGUSR1);
        $given = $work();
        $now && $this->behind && posix_kill(posix_getpid(), SIGUSR1);

        return $given;
    }
}
