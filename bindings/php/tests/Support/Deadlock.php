<?php

declare(strict_types=1);

namespace Hos\Tests\Support;

use PHPUnit\Framework\Assert;

/** A deadlock that a connection's transaction loses: it has one order's row, somebody who has done more has the other, and wants the first. */
final class Deadlock
{
    private Script $heavy;

    public function __construct(Host $host, private readonly \PDO $pdo, string $one, private readonly string $other)
    {
        $pdo->exec("UPDATE orders SET total = total + 1 WHERE id = '$one'");
        $sign = Place::directory() . '/sign';
        $this->heavy = new Script('heavy', [$host->kind, $host->store, $host->name, $other, $one, $sign]);
        while (!file_exists($sign)) {
            usleep(1000);
        }
    }

    /** The connection wants the other row too. */
    public function close(): never
    {
        $this->pdo->exec("UPDATE orders SET total = total + 1 WHERE id = '$this->other'");
        Assert::fail('there was no deadlock');
    }

    /** It has happened. */
    public function end(): void
    {
        Assert::assertSame([0, ''], $this->heavy->wait());
    }
}
