<?php

declare(strict_types=1);

namespace Shop;

/** The one door for "may this follow that?": the law says where an event leads, and the row goes there with it. */
final class Contract
{
    public const TABLES = ['order' => 'orders', 'payment' => 'payments', 'reservation' => 'reservations'];

    public function __construct(private readonly Db $db, private readonly Proof $proof, private readonly \Hos\Actor $law)
    {
    }

    /**
     * Some begin, all or none; the caller puts their rows in.
     *
     * @param array{string, string, string, string, array<string, mixed>} ...$births contract, id, event, state, facts
     */
    public function begin(array ...$births): void
    {
        $call = fn (array $birth) => \Hos\Call::begin($birth[0], $birth[1], $birth[2], facts: Law::facts($birth[4]));
        array_map(Law::must(...), $this->law->all(array_map($call, $births)));
        foreach ($births as [$contract, $id, $event, $to, $facts]) {
            $this->proof->write($contract, $id, null, $to, $event, $facts);
        }
    }

    /**
     * Moves it, and says where it is now; null where it was there already, by the same event.
     *
     * @param array<string, mixed> $args
     */
    public function move(string $contract, string $id, string $event, array $args = [], ?string $reason = null): ?string
    {
        $table = self::TABLES[$contract];
        $status = $this->db->lock($table, $id)['status'];
        $answer = Law::must($this->law->transition($contract, $id, $event, $args, reason: $reason));
        if ($answer->from === $answer->to) {
            return null;
        }
        $to = $answer->to;
        $this->db->run("UPDATE $table SET status = ? WHERE id = ?", $to, $id);
        $this->proof->write($contract, $id, $status, $to, $event, $args);

        return $to;
    }
}
