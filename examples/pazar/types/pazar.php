<?php

// Made by `hos law types --php` from the law `pazar`; do not edit.
//
//     $law = new Pazar\Law($engine->tenant('..')->as($user));

declare(strict_types=1);

namespace Pazar;

use Hos\Actor;
use Hos\Answer;
use Hos\Ext;
use Hos\Given;
use Hos\HasUid;
use Hos\Legacy;

/** What may be asked for. */
enum Action: string
{
    case ConsentExpire = 'consent.expire';
    case ConsentGive = 'consent.give';
    case ConsentRenew = 'consent.renew';
    case ConsentView = 'consent.view';
    case ConsentWithdraw = 'consent.withdraw';
    case DirectoryAccount = 'directory.account';
    case DirectoryEntity = 'directory.entity';
    case DirectoryGrant = 'directory.grant';
    case DirectoryMember = 'directory.member';
    case DirectoryRemove = 'directory.remove';
    case DirectoryRevoke = 'directory.revoke';
    case DirectoryUnmember = 'directory.unmember';
    case EvidenceErase = 'evidence.erase';
    case EvidenceHold = 'evidence.hold';
    case EvidenceRelease = 'evidence.release';
    case LawActivate = 'law.activate';
    case OrderAdopt = 'order.adopt';
    case OrderCancel = 'order.cancel';
    case OrderChange = 'order.change';
    case OrderClose = 'order.close';
    case OrderDeliver = 'order.deliver';
    case OrderDraft = 'order.draft';
    case OrderExpire = 'order.expire';
    case OrderForceRefund = 'order.force_refund';
    case OrderPay = 'order.pay';
    case OrderPlace = 'order.place';
    case OrderRefund = 'order.refund';
    case OrderRefundFailed = 'order.refund_failed';
    case OrderRefunded = 'order.refunded';
    case OrderReopen = 'order.reopen';
    case OrderShip = 'order.ship';
    case OrderView = 'order.view';
    case OutboxPoll = 'outbox.poll';
    case PaymentAdopt = 'payment.adopt';
    case PaymentCancel = 'payment.cancel';
    case PaymentCapture = 'payment.capture';
    case PaymentConfirm = 'payment.confirm';
    case PaymentExpire = 'payment.expire';
    case PaymentFail = 'payment.fail';
    case PaymentRequest = 'payment.request';
    case PaymentView = 'payment.view';
    case ProductEdit = 'product.edit';
    case ProductView = 'product.view';
    case RecordNote = 'record.note';
    case ReservationAdopt = 'reservation.adopt';
    case ReservationCancel = 'reservation.cancel';
    case ReservationCheckIn = 'reservation.check_in';
    case ReservationCheckOut = 'reservation.check_out';
    case ReservationConfirm = 'reservation.confirm';
    case ReservationModify = 'reservation.modify';
    case ReservationNoShow = 'reservation.no_show';
    case ReservationReassign = 'reservation.reassign';
    case ReservationRequest = 'reservation.request';
    case ReservationView = 'reservation.view';
    case ReservationWaitlist = 'reservation.waitlist';
    case ReturnAccept = 'return.accept';
    case ReturnReceive = 'return.receive';
    case ReturnReject = 'return.reject';
    case ReturnSettle = 'return.settle';
    case ReturnView = 'return.view';
    case ShopEdit = 'shop.edit';
    case ShopReport = 'shop.report';
    case ShopView = 'shop.view';
    case TenantOpen = 'tenant.open';
}

/** The law's names, for who acts. */
final class Law
{
    public function __construct(public readonly Actor $actor)
    {
    }

    /**
     * @param array<string, mixed> $context
     * @param list<Given> $given
     */
    public function can(Action $action, HasUid|string $resource, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->can($action->value, $resource, $context, $given, $legacy);
    }

    /**
     * @param array<string, mixed> $context
     * @param list<Given> $given
     */
    public function authorize(Action $action, HasUid|string $resource, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->authorize($action->value, $resource, $context, $given, $legacy);
    }

    public function consent(string $id): ConsentInstance
    {
        return new ConsentInstance($this->actor, $id);
    }

    public function order(string $id): OrderInstance
    {
        return new OrderInstance($this->actor, $id);
    }

    public function payment(string $id): PaymentInstance
    {
        return new PaymentInstance($this->actor, $id);
    }

    public function reservation(string $id): ReservationInstance
    {
        return new ReservationInstance($this->actor, $id);
    }

    public function return(string $id): ReturnInstance
    {
        return new ReturnInstance($this->actor, $id);
    }
}

/** The states of `consent`. */
enum ConsentState: string
{
    case Given = 'given';
    case Withdrawn = 'withdrawn';
    case Expired = 'expired';
}

/** An instance of `consent`. */
final class ConsentInstance
{
    public function __construct(public readonly Actor $actor, public readonly string $id)
    {
    }

    public function give(\DateTimeInterface|Ext $ends, HasUid $person, string $purpose, string $wording, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->begin('consent', $this->id, 'give', ['ends' => $ends, 'person' => $person, 'purpose' => $purpose, 'wording' => $wording], [], $once, $context, $given, $legacy);
    }

    public function expire(?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('consent', $this->id, 'expire', [], $once, null, $context, $given, $legacy);
    }

    public function renew(\DateTimeInterface|Ext $ends, string $wording, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('consent', $this->id, 'renew', ['ends' => $ends, 'wording' => $wording], $once, null, $context, $given, $legacy);
    }

    public function withdraw(?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('consent', $this->id, 'withdraw', [], $once, null, $context, $given, $legacy);
    }

    /** An existing row is taken in as it is. */
    public function adopt(ConsentState $state, \DateTimeInterface|Ext $ends, HasUid $person, string $purpose, string $wording, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->adopt('consent', $this->id, $state->value, ['ends' => $ends, 'person' => $person, 'purpose' => $purpose, 'wording' => $wording], $once, $context, $given, $legacy);
    }
}

/** The states of `order`. */
enum OrderState: string
{
    case Cart = 'cart';
    case New = 'new';
    case Paid = 'paid';
    case Refunding = 'refunding';
    case Shipped = 'shipped';
    case Fulfilled = 'fulfilled';
    case Refunded = 'refunded';
    case Cancelled = 'cancelled';
    case Expired = 'expired';
}

/** An instance of `order`. */
final class OrderInstance
{
    public function __construct(public readonly Actor $actor, public readonly string $id)
    {
    }

    public function draft(HasUid $buyer, HasUid $shop, int $total, array|null $lines = null, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->begin('order', $this->id, 'draft', array_filter(['buyer' => $buyer, 'shop' => $shop, 'total' => $total, 'lines' => $lines], static fn (mixed $value): bool => $value !== null), [], $once, $context, $given, $legacy);
    }

    public function place(HasUid $buyer, HasUid $shop, int $total, array|null $lines = null, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->begin('order', $this->id, 'place', array_filter(['buyer' => $buyer, 'shop' => $shop, 'total' => $total, 'lines' => $lines], static fn (mixed $value): bool => $value !== null), [], $once, $context, $given, $legacy);
    }

    public function cancel(?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('order', $this->id, 'cancel', [], $once, null, $context, $given, $legacy);
    }

    public function change(int $total, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('order', $this->id, 'change', ['total' => $total], $once, null, $context, $given, $legacy);
    }

    public function close(?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('order', $this->id, 'close', [], $once, null, $context, $given, $legacy);
    }

    public function deliver(?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('order', $this->id, 'deliver', [], $once, null, $context, $given, $legacy);
    }

    public function expire(?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('order', $this->id, 'expire', [], $once, null, $context, $given, $legacy);
    }

    public function force_refund(string $reason, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('order', $this->id, 'force_refund', [], $once, $reason, $context, $given, $legacy);
    }

    public function pay(int $amount, string $psp_ref, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('order', $this->id, 'pay', ['amount' => $amount, 'psp_ref' => $psp_ref], $once, null, $context, $given, $legacy);
    }

    public function refund(int $amount, string $reason, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('order', $this->id, 'refund', ['amount' => $amount, 'reason' => $reason], $once, null, $context, $given, $legacy);
    }

    public function refund_failed(string $reason, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('order', $this->id, 'refund_failed', ['reason' => $reason], $once, null, $context, $given, $legacy);
    }

    public function refunded(string $psp_ref, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('order', $this->id, 'refunded', ['psp_ref' => $psp_ref], $once, null, $context, $given, $legacy);
    }

    public function reopen(string $reason, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('order', $this->id, 'reopen', [], $once, $reason, $context, $given, $legacy);
    }

    public function ship(bool $all_in_stock, string $tracking, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('order', $this->id, 'ship', ['all_in_stock' => $all_in_stock, 'tracking' => $tracking], $once, null, $context, $given, $legacy);
    }

    public function submit(?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('order', $this->id, 'submit', [], $once, null, $context, $given, $legacy);
    }

    /** An existing row is taken in as it is. */
    public function adopt(OrderState $state, HasUid $buyer, HasUid $shop, int $total, array|null $lines = null, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->adopt('order', $this->id, $state->value, array_filter(['buyer' => $buyer, 'shop' => $shop, 'total' => $total, 'lines' => $lines], static fn (mixed $value): bool => $value !== null), $once, $context, $given, $legacy);
    }
}

/** The states of `payment`. */
enum PaymentState: string
{
    case Pending = 'pending';
    case Captured = 'captured';
    case Failed = 'failed';
    case Cancelled = 'cancelled';
    case Expired = 'expired';
}

/** An instance of `payment`. */
final class PaymentInstance
{
    public function __construct(public readonly Actor $actor, public readonly string $id)
    {
    }

    public function request(int $amount, string $order, HasUid $payer, HasUid $provider, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->begin('payment', $this->id, 'request', ['amount' => $amount, 'order' => $order, 'payer' => $payer, 'provider' => $provider], [], $once, $context, $given, $legacy);
    }

    public function cancel(?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('payment', $this->id, 'cancel', [], $once, null, $context, $given, $legacy);
    }

    public function capture(int $amount, string $psp_ref, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('payment', $this->id, 'capture', ['amount' => $amount, 'psp_ref' => $psp_ref], $once, null, $context, $given, $legacy);
    }

    public function confirm(int $amount, string $statement, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('payment', $this->id, 'confirm', ['amount' => $amount, 'statement' => $statement], $once, null, $context, $given, $legacy);
    }

    public function expire(?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('payment', $this->id, 'expire', [], $once, null, $context, $given, $legacy);
    }

    public function fail(string $reason, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('payment', $this->id, 'fail', ['reason' => $reason], $once, null, $context, $given, $legacy);
    }

    /** An existing row is taken in as it is. */
    public function adopt(PaymentState $state, int $amount, string $order, HasUid $payer, HasUid $provider, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->adopt('payment', $this->id, $state->value, ['amount' => $amount, 'order' => $order, 'payer' => $payer, 'provider' => $provider], $once, $context, $given, $legacy);
    }
}

/** The states of `reservation`. */
enum ReservationState: string
{
    case Requested = 'requested';
    case Waitlisted = 'waitlisted';
    case Confirmed = 'confirmed';
    case CheckedIn = 'checked_in';
    case CheckedOut = 'checked_out';
    case Cancelled = 'cancelled';
    case NoShow = 'no_show';
}

/** An instance of `reservation`. */
final class ReservationInstance
{
    public function __construct(public readonly Actor $actor, public readonly string $id)
    {
    }

    public function request(HasUid $booker, string $deposit, int $guests, int $nights, int $rate, string $room, \DateTimeInterface|Ext|null $arrival = null, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->begin('reservation', $this->id, 'request', array_filter(['booker' => $booker, 'deposit' => $deposit, 'guests' => $guests, 'nights' => $nights, 'rate' => $rate, 'room' => $room, 'arrival' => $arrival], static fn (mixed $value): bool => $value !== null), [], $once, $context, $given, $legacy);
    }

    public function cancel(?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('reservation', $this->id, 'cancel', [], $once, null, $context, $given, $legacy);
    }

    public function check_in(?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('reservation', $this->id, 'check_in', [], $once, null, $context, $given, $legacy);
    }

    public function check_out(?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('reservation', $this->id, 'check_out', [], $once, null, $context, $given, $legacy);
    }

    public function confirm(?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('reservation', $this->id, 'confirm', [], $once, null, $context, $given, $legacy);
    }

    public function modify(?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('reservation', $this->id, 'modify', [], $once, null, $context, $given, $legacy);
    }

    public function no_show(?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('reservation', $this->id, 'no_show', [], $once, null, $context, $given, $legacy);
    }

    public function reassign(string $room, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('reservation', $this->id, 'reassign', ['room' => $room], $once, null, $context, $given, $legacy);
    }

    public function waitlist(?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('reservation', $this->id, 'waitlist', [], $once, null, $context, $given, $legacy);
    }

    /** An existing row is taken in as it is. */
    public function adopt(ReservationState $state, HasUid $booker, string $deposit, int $guests, int $nights, int $rate, string $room, \DateTimeInterface|Ext|null $arrival = null, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->adopt('reservation', $this->id, $state->value, array_filter(['booker' => $booker, 'deposit' => $deposit, 'guests' => $guests, 'nights' => $nights, 'rate' => $rate, 'room' => $room, 'arrival' => $arrival], static fn (mixed $value): bool => $value !== null), $once, $context, $given, $legacy);
    }
}

/** The states of `return`. */
enum ReturnState: string
{
    case Accepted = 'accepted';
    case Received = 'received';
    case Settled = 'settled';
    case Rejected = 'rejected';
}

/** An instance of `return`. */
final class ReturnInstance
{
    public function __construct(public readonly Actor $actor, public readonly string $id)
    {
    }

    public function accept(HasUid $customer, string $price, int $quantity, string $sku, int $balance, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->begin('return', $this->id, 'accept', ['customer' => $customer, 'price' => $price, 'quantity' => $quantity, 'sku' => $sku], ['balance' => $balance], $once, $context, $given, $legacy);
    }

    public function receive(?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('return', $this->id, 'receive', [], $once, null, $context, $given, $legacy);
    }

    public function reject(string $reason, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('return', $this->id, 'reject', ['reason' => $reason], $once, null, $context, $given, $legacy);
    }

    public function settle(?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->transition('return', $this->id, 'settle', [], $once, null, $context, $given, $legacy);
    }

    /** An existing row is taken in as it is. */
    public function adopt(ReturnState $state, HasUid $customer, string $price, int $quantity, string $sku, ?string $once = null, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer
    {
        return $this->actor->adopt('return', $this->id, $state->value, ['customer' => $customer, 'price' => $price, 'quantity' => $quantity, 'sku' => $sku], $once, $context, $given, $legacy);
    }
}
