<?php

declare(strict_types=1);

namespace Shop\Tests;

/** A few days of the shop, told over HTTP to a database that is fresh; the same requests for every stage. */
final class Story
{
    public const CHAPTERS = ['Lawful', 'Refusals', 'Orders', 'Money', 'Reservations', 'BackOffice'];
    private const HEADERS = ['content-type', 'location', 'set-cookie', 'x-replayed'];

    /** What was asked and answered, as text: two stages that answer alike give the same bytes. */
    public string $transcript = '';
    /** @var array<string, array{name: string, wanted: int, law: ?string, status: int, body: string}> steps by name */
    public array $steps = [];
    private \DateTimeImmutable $now;
    private int $requests = 0;

    public function __construct(private readonly Driver $driver)
    {
        $this->now = new \DateTimeImmutable('2026-01-05 09:00:00', new \DateTimeZone('UTC'));
    }

    /**
     * @param array<string, string> $fields
     * @param ?string $law what the law says of it, where the shop as it was says yes: `refused`; `noop`, the first one's receipt again; or
     *     `due`, refused once the law's own clock, which no header sets, has passed a deadline
     * @param array<string, string> $headers
     * @return array<string, mixed> the answer, if it was JSON
     */
    private function step(string $name, string $who, string $what, array $fields = [], int $wanted = 200, ?string $law = null, array $headers = []): array
    {
        if (isset($this->steps[$name])) {
            throw new \LogicException("two steps are called `$name`");
        }
        $this->now = $this->now->modify('+1 minute');
        $headers += ['X-Pazar-Now' => $this->now->format('c'), 'X-Request-Id' => 'story-' . ++$this->requests, 'Accept-Language' => 'tr'];
        $said = $this->driver->ask($who, $what, $fields, $headers);
        $asked = implode(' ', array_map(fn ($field, $value) => "$field=$value", array_keys($fields), $fields));
        $this->transcript .= sprintf("# %s%s\n> %s %s\n< %d\n", $name, $law === null ? '' : " (the law: $law)", "$who $what", $asked, $said['status']);
        foreach (self::HEADERS as $header) {
            if (isset($said['headers'][$header])) {
                $this->transcript .= "< $header: {$said['headers'][$header]}\n";
            }
        }
        $this->transcript .= rtrim($said['body']) . "\n\n";
        $this->steps[$name] = ['name' => $name, 'wanted' => $wanted, 'law' => $law, 'status' => $said['status'], 'body' => $said['body']];

        return json_decode($said['body'], true) ?? [];
    }

    /** @return array{string, string, string} a new order, its payment and its total */
    private function order(string $name, string $buyer, string $product, int $quantity = 1, string $shop = 's1', ?string $law = null): array
    {
        $this->step("$name: cart", $buyer, 'POST /cart', ['product' => $product, 'quantity' => (string) $quantity]);
        $order = $this->step("$name: checkout", $buyer, 'POST /checkout', ['shop' => $shop], 201, $law)['order'] ?? [];

        return [$order['id'] ?? 'none', $order['payments'][0]['id'] ?? 'none', (string) ($order['total'] ?? 0)];
    }

    /** @return array<string, string> what the provider reports */
    private static function report(string $kind, string $about, string $amount, string $event): array
    {
        return ['event' => $event, 'kind' => $kind, 'about' => $about, 'amount' => $amount];
    }

    /** @return array{string, string, string} as `order`, and paid */
    private function paid(string $name, string $buyer, string $product, int $quantity = 1, string $shop = 's1'): array
    {
        $made = [$id, $payment, $total] = $this->order($name, $buyer, $product, $quantity, $shop);
        $this->step("$name: paid", 'psp', 'GET /payments/return', self::report('captured', $payment, $total, "evt-$payment"));

        return $made;
    }

    private function reservation(string $name, string $guests = '2', string $nights = '3', ?string $law = null): string
    {
        $fields = ['room' => '101', 'guests' => $guests, 'nights' => $nights, 'arrival' => '2026-02-01', 'deposit' => 'Non Refund'];

        return $this->step("$name: book", 'ayse', 'POST /reservations', $fields, 201, $law)['reservation']['id'] ?? 'none';
    }

    /** @param string ...$chapters of `CHAPTERS`; all of it, if none is named */
    public function tell(string ...$chapters): void
    {
        foreach ($chapters ?: self::CHAPTERS as $chapter) {
            $this->{"tell$chapter"}();
        }
    }

    private function tellLawful(): void
    {
        $html = ['Accept' => 'text/html'];
        $this->step('shelves in Turkish', 'nobody', 'GET /', headers: $html);
        $this->step('shelves in English', 'nobody', 'GET /', headers: $html + ['Accept-Language' => 'en-GB']);
        $this->step('login', 'nobody', 'POST /login', ['user' => 'ayse', 'password' => 'pazar']);
        $this->step('cart page', 'ayse', 'GET /cart', headers: $html);
        $this->step('kilim into the cart', 'ayse', 'POST /cart', ['product' => 'kilim', 'quantity' => '1']);
        $made = $this->step('checkout', 'ayse', 'POST /checkout', ['shop' => 's1'], 201, headers: ['X-Request-Id' => 'buy-1'])['order'] ?? ['id' => 'none', 'total' => 0];
        $this->step('checkout once more, same request id', 'ayse', 'POST /checkout', ['shop' => 's1'], 201, headers: ['X-Request-Id' => 'buy-1']);
        $report = self::report('captured', $made['payments'][0]['id'] ?? 'none', (string) $made['total'], 'evt-1');
        $this->step('back from the provider', 'psp', 'GET /payments/return', $report, headers: $html);
        $this->step('the webhook after it, same event', 'psp', 'POST /payments/webhook', $report);
        $this->step('ship', 'mert', "POST /orders/{$made['id']}/ship", ['tracking' => 'TR-1']);
        $this->step('deliver', 'ayse', "POST /orders/{$made['id']}/deliver");
        $this->step('order page', 'ayse', "GET /orders/{$made['id']}", headers: $html);
        [$id, $payment, $total] = $this->order('webhook first', 'bora', 'cezve', 1, 's2');
        $report = self::report('captured', $payment, $total, 'evt-2');
        $this->step('webhook first: webhook', 'psp', 'POST /payments/webhook', $report);
        $this->step('webhook first: back from the provider', 'psp', 'GET /payments/return', $report);
        [$id] = $this->paid('not in stock', 'ayse', 'kilim');
        $refund = $this->step('not in stock: ship', 'mert', "POST /orders/$id/ship", ['missing' => '1'])['order']['refunds'][0]['id'] ?? 'none';
        $this->step('not in stock: money back', 'psp', 'POST /payments/webhook', self::report('refunded', $refund, '0', 'evt-3'));
        [$id, $payment] = $this->order('changed her mind', 'ayse', 'yastik', 2);
        $this->step('changed her mind: payment fails', 'psp', 'POST /payments/webhook', self::report('failed', $payment, '0', 'evt-4'));
        $this->step('changed her mind: cancel', 'ayse', "POST /orders/$id/cancel");
        [$id, , $total] = $this->paid('refund', 'bora', 'yastik');
        $refund = $this->step('refund: by support', 'deniz', "POST /orders/$id/refund", ['amount' => $total, 'reason' => 'torn'])['order']['refunds'][0]['id'] ?? 'none';
        $this->step('refund: fails', 'psp', 'POST /payments/webhook', self::report('refund_failed', $refund, '0', 'evt-5'));
        $this->step('seller panel', 'mert', 'GET /seller', headers: $html);
        $this->step('restock', 'mert', 'POST /products/yastik/restock', ['quantity' => '2']);
    }

    private function tellRefusals(): void
    {
        $this->step('not signed in', 'nobody', 'GET /cart', [], 401);
        $this->step('a wrong password', 'nobody', 'POST /login', ['user' => 'ayse', 'password' => 'x'], 403, headers: ['Accept-Language' => 'en']);
        $this->step('a forged event', 'psp', 'POST /payments/webhook', self::report('captured', 'p-2', '1', 'evt-6') + ['signature' => 'x'], 403);
        $this->step('an empty cart', 'ayse', 'POST /checkout', ['shop' => 's1'], 409);
        $this->step('two in the cart, one of them short: kilim', 'ayse', 'POST /cart', ['product' => 'kilim']);
        $this->step('two in the cart, one of them short: yastik', 'ayse', 'POST /cart', ['product' => 'yastik', 'quantity' => '50']);
        $this->step('two in the cart, one of them short', 'ayse', 'POST /checkout', ['shop' => 's1'], 409);
        $this->step('two in the cart, one of them short: give up', 'ayse', 'POST /cart', ['product' => 'yastik', 'quantity' => '0']);
        $this->step('two in the cart, one of them short: give up both', 'ayse', 'POST /cart', ['product' => 'kilim', 'quantity' => '0']);
        [$id] = $this->order('somebody else\'s', 'ayse', 'kilim');
        $this->step('cancel somebody else\'s order', 'bora', "POST /orders/$id/cancel", [], 403);
        $this->step('a buyer ships', 'ayse', "POST /orders/$id/ship", ['tracking' => 'x'], 403);
        $this->step('restock another\'s shelf', 'selin', 'POST /products/kilim/restock', ['quantity' => '1'], 403);
        $this->step('ship before it is paid', 'mert', "POST /orders/$id/ship", ['tracking' => 'x'], 409);
        $this->step('no such order', 'ayse', 'GET /orders/o-99999', [], 404);
        foreach (['-0001-01-01', '0000-00-00', '@99999999999999', 'soon'] as $day) {
            $this->step("an arrival that not every database keeps: $day", 'ayse', 'POST /reservations', ['room' => '101', 'guests' => '2', 'nights' => '1', 'arrival' => $day], 400);
        }
        // MariaDB would keep it as `??`, and take the next such id for the same.
        $this->step('a request id that is no text', 'ayse', 'POST /cart', ['product' => 'kilim'], 400, headers: ['X-Request-Id' => "\xff\xfe"]);
    }

    private function tellOrders(): void
    {
        [$id] = $this->paid('another seller', 'ayse', 'kilim');
        $this->step('a stranger reads an order', 'bora', "GET /orders/$id", law: 'refused');
        $this->step('a seller ships another seller\'s order', 'selin', "POST /orders/$id/ship", ['tracking' => 'TR-2'], law: 'refused');
        [$id] = $this->order('cancelled', 'ayse', 'kilim');
        $this->step('cancelled: by the buyer', 'ayse', "POST /orders/$id/cancel");
        $this->step('ship a cancelled order', 'mert', "POST /orders/$id/ship", ['tracking' => 'TR-3'], law: 'refused');
        [$id] = $this->paid('cancel after paying', 'ayse', 'kilim');
        $this->step('cancel a paid order', 'ayse', "POST /orders/$id/cancel", law: 'refused');
        [$id] = $this->order('seller cancels', 'ayse', 'kilim');
        $this->step('a seller cancels a buyer\'s order', 'mert', "POST /orders/$id/cancel", law: 'refused');
        $this->order('a closed shop', 'ayse', 'roman', 1, 's3', 'refused');
        $this->order('one\'s own shop', 'mert', 'kilim', 1, 's1', 'refused');
    }

    private function tellMoney(): void
    {
        [$id, $payment, $total] = $this->order('paid twice', 'ayse', 'kilim');
        $this->step('paid twice: webhook', 'psp', 'POST /payments/webhook', self::report('captured', $payment, $total, 'evt-10'));
        $this->step('pay twice', 'psp', 'POST /payments/webhook', self::report('captured', $payment, $total, 'evt-11'), law: 'noop');
        [$id, $payment] = $this->order('paid short', 'ayse', 'kilim');
        $this->step('pay one kurus', 'psp', 'POST /payments/webhook', self::report('captured', $payment, '1', 'evt-12'), law: 'refused');
        [$id, $payment, $total] = $this->order('failed, then captured', 'ayse', 'kilim');
        $this->step('failed, then captured: fails', 'psp', 'POST /payments/webhook', self::report('failed', $payment, '0', 'evt-13'));
        $this->step('capture a failed payment', 'psp', 'POST /payments/webhook', self::report('captured', $payment, $total, 'evt-14'), law: 'refused');
        [$id, $payment, $total] = $this->order('expired', 'ayse', 'kilim');
        $this->now = $this->now->modify('+2 hours');
        $this->step('the cron', 'cron', 'POST /cron/expire');
        $this->step('pay an expired order', 'psp', 'POST /payments/webhook', self::report('captured', $payment, $total, 'evt-15'), law: 'due');
        [$id, $payment, $total] = $this->order('cancelled, then paid', 'ayse', 'kilim');
        $this->step('cancelled, then paid: cancel', 'ayse', "POST /orders/$id/cancel");
        $this->step('pay a cancelled order', 'psp', 'POST /payments/webhook', self::report('captured', $payment, $total, 'evt-16'), law: 'refused');
        [$id, , $total] = $this->paid('too much', 'ayse', 'yastik');
        $this->step('refund more than was paid', 'deniz', "POST /orders/$id/refund", ['amount' => '99999', 'reason' => 'kind'], law: 'refused');
        [$id, , $total] = $this->paid('twice back', 'ayse', 'yastik');
        $this->step('twice back: once', 'deniz', "POST /orders/$id/refund", ['amount' => $total, 'reason' => 'torn']);
        $this->step('refund twice', 'deniz', "POST /orders/$id/refund", ['amount' => $total, 'reason' => 'torn'], law: 'refused');
        [$id, , $total] = $this->paid('large', 'ayse', 'kilim', 2);
        $this->step('a large refund without a manager', 'deniz', "POST /orders/$id/refund", ['amount' => $total, 'reason' => 'late'], law: 'refused');
        [$id, , $total] = $this->paid('large, by a manager', 'ayse', 'kilim', 2);
        $this->step('large, by a manager: refund', 'okan', "POST /orders/$id/refund", ['amount' => $total, 'reason' => 'late']);
        [$id, , $total] = $this->paid('after shipping', 'ayse', 'kilim');
        $this->step('after shipping: ship', 'mert', "POST /orders/$id/ship", ['tracking' => 'TR-4']);
        $this->step('refund a shipped order', 'mert', "POST /orders/$id/refund", ['amount' => $total, 'reason' => 'kind'], law: 'refused');
    }

    private function tellReservations(): void
    {
        $move = fn (string $name, string $id, string $event, string $who = 'hatice', int $wanted = 200, ?string $law = null) =>
            $this->step("$name: $event", $who, "POST /reservations/$id/$event", [], $wanted, $law);
        $id = $this->reservation('a stay');
        foreach (['waitlist', 'confirm', 'check_in', 'check_out'] as $event) {
            $move('a stay', $id, $event);
        }
        $this->step('a stay: page', 'ayse', "GET /reservations/$id", headers: ['Accept' => 'text/html']);
        $id = $this->reservation('nobody came');
        $move('nobody came', $id, 'confirm');
        $move('nobody came', $id, 'no_show');
        $id = $this->reservation('called off');
        $move('called off', $id, 'cancel', 'bora', 403);
        $move('called off by the booker', $id, 'cancel', 'ayse');
        $move('a cancelled guest is a no-show', $id, 'no_show', law: 'refused');
        $id = $this->reservation('the guest checks in alone');
        $move('the guest checks in alone', $id, 'check_in', 'ayse', 403);
        $move('check in what nobody confirmed', $id, 'check_in', law: 'refused');
        $id = $this->reservation('left early');
        $move('left early', $id, 'confirm');
        $move('left early', $id, 'check_in');
        $move('cancel a stay that began', $id, 'cancel', law: 'refused');
        $this->reservation('nobody for no night', '0', '0', 'refused');
        $this->step('reservations of the desk', 'hatice', 'GET /reservations', headers: ['Accept' => 'text/html']);
    }

    private function tellBackOffice(): void
    {
        [$id] = $this->paid('back office', 'bora', 'kilim');
        $this->step('a buyer in the back office', 'bora', 'GET /admin', [], 403);
        $this->step('the back office', 'okan', 'GET /admin', headers: ['Accept' => 'text/html']);
        $this->step('the back office sets a status that is none', 'deniz', "POST /admin/order/$id/status", ['status' => 'lost'], law: 'refused');
        [$id] = $this->order('back from the dead', 'bora', 'kilim');
        $this->step('the back office ships what is not paid', 'deniz', "POST /admin/order/$id/status", ['status' => 'shipped', 'reason' => 'he is a friend'], law: 'refused');
        [$id] = $this->order('paid by hand', 'bora', 'kilim');
        $this->step('paid by hand: cancel', 'bora', "POST /orders/$id/cancel");
        $this->step('the back office reopens, with a reason', 'deniz', "POST /admin/order/$id/status", ['status' => 'new', 'reason' => 'the money came late']);
        $this->step('the log of an order', 'deniz', "GET /admin/order/$id");
        $this->step('orders of a buyer', 'bora', 'GET /orders');
    }
}
