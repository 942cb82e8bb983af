<?php

declare(strict_types=1);

namespace Shop;

/** The one door for "may this user do this to that?": roles first, then whose it is. */
final class Policy
{
    /** Who may do what; `*` is anybody who is signed in. */
    private const ROLES = [
        'order.place' => ['*'], 'order.view' => ['*'], 'order.cancel' => ['*'], 'order.deliver' => ['*'],
        'order.ship' => ['seller'], 'order.refund' => ['seller', 'support', 'manager'],
        'payment.request' => ['*'],
        'product.edit' => ['seller'],
        'reservation.request' => ['*'], 'reservation.view' => ['*'], 'reservation.cancel' => ['*'],
        'reservation.waitlist' => ['desk'], 'reservation.confirm' => ['desk'], 'reservation.check_in' => ['desk'],
        'reservation.check_out' => ['desk'], 'reservation.no_show' => ['desk'],
        'seller.panel' => ['seller'], 'admin.panel' => ['support', 'manager'], 'admin.status' => ['support', 'manager'],
    ];

    /** Where an objection refuses. Everywhere else it is only logged: the switch was never turned, for fear of what would break. */
    private const ENFORCED = ['order.cancel', 'order.deliver', 'reservation.cancel', 'product.edit'];

    public function __construct(private readonly Actor $actor, private readonly \Hos\Actor $law)
    {
    }

    /**
     * Goes on, or refuses.
     *
     * @param array<string, mixed> $row what it is about: an order, a product, a reservation
     * @param array<string, mixed> $context
     */
    public function may(string $action, array $row = [], array $context = []): void
    {
        if ($this->actor->kind === 'nobody') {
            throw new Refusal('sign_in', 401);
        }
        $roles = self::ROLES[$action];
        if ($this->actor->kind !== 'user' || ($roles !== ['*'] && array_intersect($roles, $this->actor->roles) === [])) {
            throw new Refusal('not_permitted', 403);
        }
        $objection = $this->objection($row, $context);
        $given = Law::given($action, $row);
        if ($given !== null) {
            Law::must($this->law->can($action, $given->uid, given: [$given]), keeps: false);
        }
        if ($objection === null) {
            return;
        }
        if (in_array($action, self::ENFORCED, true)) {
            throw new Refusal('not_permitted', 403);
        }
        error_log("policy shadow: $objection: {$this->actor->id} $action " . ($row['id'] ?? ''));
    }

    /** What speaks against it beyond roles: that it is another's, or too much money. */
    private function objection(array $row, array $context): ?string
    {
        $own = in_array($this->actor->id, [$row['buyer'] ?? null, $row['booker'] ?? null], true)
            || in_array($row['shop'] ?? null, $this->actor->shops, true);
        if ($row !== [] && !$own && array_intersect(['support', 'manager', 'desk'], $this->actor->roles) === []) {
            return 'not_owner';
        }

        return ($context['amount'] ?? 0) > 100_000 && !in_array('manager', $this->actor->roles, true) ? 'needs_manager' : null;
    }
}
