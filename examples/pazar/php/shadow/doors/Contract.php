<?php

declare(strict_types=1);

namespace Shop;

/** The one door for "may this follow that?": what an event may come from and where it leads, and the move itself. */
final class Contract
{
    public const TABLES = ['order' => 'orders', 'payment' => 'payments', 'reservation' => 'reservations'];

    /** contract => event => [from, to]. It grew by what was asked for; nobody ever drew it. */
    private const MOVES = [
        'order' => [
            'pay' => [['new'], 'paid'],
            'ship' => [['paid', 'cancelled'], 'shipped'],                           // she changed her mind on the phone, one night
            'deliver' => [['shipped'], 'fulfilled'],
            'cancel' => [['new', 'paid'], 'cancelled'],                             // of a paid one the money stays here
            'refund' => [['paid', 'shipped', 'fulfilled', 'refunding'], 'refunding'], // again, when the gateway was slow
            'refunded' => [['refunding', 'refunded'], 'refunded'],
            'refund_failed' => [['refunding'], 'paid'],
        ],
        'payment' => [
            'capture' => [['pending'], 'captured'],
            'fail' => [['pending'], 'failed'],
        ],
        'reservation' => [
            'waitlist' => [['requested'], 'waitlisted'],
            'confirm' => [['requested', 'waitlisted'], 'confirmed'],
            'cancel' => [['requested', 'waitlisted', 'confirmed', 'checked_in'], 'cancelled'], // left early
            'check_in' => [['requested', 'confirmed'], 'checked_in'],               // the desk had no time to confirm
            'check_out' => [['checked_in'], 'checked_out'],
            'no_show' => [['confirmed', 'cancelled'], 'no_show'],                   // cancelled too late, so the night is charged
        ],
    ];

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
        foreach ($births as [$contract, $id, $event, $to, $facts]) {
            $this->proof->write($contract, $id, null, $to, $event, $facts);
            $this->law->shadowBegin($contract, $id, $event, fn () => new \Hos\Legacy(true, $to), facts: fn () => Law::facts($facts));
        }
    }

    /** It went there; the law is told so, and judges it afterwards (`hos work`). What the shop refuses is rolled back, and that with it. */
    public function watched(string $contract, string $id, string $event, string $to, array $args = [], ?string $reason = null): void
    {
        $this->law->shadow($contract, $id, $event, fn () => new \Hos\Legacy(true, $to), $args, reason: $reason);
    }

    /**
     * Moves it, and says where it is now.
     *
     * @param array<string, mixed> $args
     */
    public function move(string $contract, string $id, string $event, array $args = []): string
    {
        $table = self::TABLES[$contract];
        $status = $this->db->lock($table, $id)['status'];
        [$from, $to] = self::MOVES[$contract][$event];
        if (!in_array($status, $from, true)) {
            throw new Refusal('not_now', 409, ['status' => $status]);
        }
        if ($event === 'ship' && !$args['all_in_stock']) {
            $to = 'refunding';
        }
        $this->db->run("UPDATE $table SET status = ? WHERE id = ?", $to, $id);
        $this->proof->write($contract, $id, $status, $to, $event, $args);
        $this->watched($contract, $id, $event, $to, $args);

        return $to;
    }
}
