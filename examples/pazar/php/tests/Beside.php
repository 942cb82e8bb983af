<?php

declare(strict_types=1);

namespace Shop\Tests;

use Hos\{Engine, RetryError};
use Shop\{Db, Founding, Law, Refusal, Server};

/** What must hold of the law beside the shop: what it says of each step, and that the shop is none the worse for it. */
final class Beside
{
    public const WORLD = __DIR__ . '/../shared/world.toml';
    /** What the law says of each step of the story that it refuses: by act, as `hos shadow report` calls it; of a question, by action. */
    private const REFUSED = [
        'a stranger reads an order' => ['order.view' => 'hos.not_permitted'],
        'a seller ships another seller\'s order' => ['order.ship' => 'hos.not_permitted'],
        'ship a cancelled order' => ['order.ship' => 'hos.terminal'],
        'cancel a paid order' => ['order.cancel' => 'hos.wrong_state'],
        'a seller cancels a buyer\'s order' => ['order.cancel' => 'hos.not_permitted'],
        'a closed shop: checkout' => ['order.place' => 'hos.forbidden'],
        'one\'s own shop: checkout' => ['order.place' => 'hos.forbidden'],
        'pay one kurus' => ['payment.capture' => 'payment.amount_differs', 'order.pay' => 'order.amount_short'],
        'capture a failed payment' => ['payment.capture' => 'hos.terminal'],
        'pay a cancelled order' => ['order.pay' => 'hos.terminal'],
        'refund more than was paid' => ['order.refund' => 'order.refund_too_large'],
        'refund twice' => ['order.refund' => 'hos.wrong_state'],
        'a large refund without a manager' => ['order.refund' => 'hos.forbidden'],
        'refund a shipped order' => ['order.refund' => 'hos.wrong_state'],
        'a cancelled guest is a no-show: no_show' => ['reservation.no_show' => 'hos.terminal'],
        'check in what nobody confirmed: check_in' => ['reservation.check_in' => 'hos.wrong_state'],
        'cancel a stay that began: cancel' => ['reservation.cancel' => 'hos.wrong_state'],
        'nobody for no night: book' => ['reservation.request' => 'reservation.no_guests'],
        // An event that the law does not have cannot be named by a record.
        'the back office sets a status that is none' => ['order.' => 'hos.event_unknown'],
        'the back office ships what is not paid' => ['order.' => 'hos.event_unknown'],
    ];

    /** @param \Closure(string, bool, string=): void $check */
    public function __construct(private readonly \Closure $check)
    {
    }

    private function check(string $what, bool $holds, string $seen = ''): void
    {
        ($this->check)($what, $holds, $seen);
    }

    /** What a person reads for a code. */
    private static function words(string $language, string $code): string
    {
        $texts = parse_ini_file(__DIR__ . "/../../law/messages.$language.toml", true, INI_SCANNER_RAW) ?: [];
        [$of, $name] = explode('.', $code);

        return $texts[$of][$name] ?? '?';
    }

    /** The evidence is whole, and judged again it comes to the same. */
    private function intact(string $on, Db $db): void
    {
        [$exit, $said] = Founding::hos($db, ['verify', '--replay', '--json']);
        $told = json_decode($said, true);
        $this->check("$on: hos verify finds all evidence intact, and judges it alike", $exit === 0 && $told['level'] === 'replayed' && $told['findings'] === [], $said);
    }

    /** The law watched the story. */
    public function watched(string $on, Story $story, Server $server, Db $db): void
    {
        $marked = array_keys(array_filter($story->steps, fn ($step) => $step['law'] === 'refused'));
        $this->check("$on: it is said what the law says of each step that it refuses", array_diff($marked, array_keys(self::REFUSED)) === [] && count($marked) === count(self::REFUSED));
        Founding::work($db);
        [, $said] = Founding::hos($db, ['shadow', 'report', '--json']);
        $found = [];
        foreach (json_decode($said, true)['acts'] as $act) {
            foreach ([...$act['moved'], ...$act['refused']] as $code => $count) {
                $found["{$act['contract']}.{$act['event']}"][$code] = $count;
            }
        }
        foreach (self::REFUSED as $step => $acts) {
            foreach ($acts as $act => $code) {
                $there = ($found[$act][$code] ?? 0) > 0;
                if ($act === 'order.view') {
                    $there = preg_match("/law shadow: $code: bora order.view o-\d+$/m", $server->log()) === 1;
                } elseif ($there && --$found[$act][$code] === 0) {
                    unset($found[$act][$code]);
                }
                $this->check("$on: shadow tells of `$step`: $act, $code", $there, $said . $server->log());
            }
        }
        $this->check("$on: and of nothing else", array_filter($found) === [], (string) json_encode($found));
        [$exit, $said] = Founding::hos($db, ['drift', self::WORLD, '--json']);
        $listed = array_merge(...array_column(json_decode($said, true)['tables'], 'listed'));
        // The cron asks nobody, and to where the back office went the law has no way.
        $wanted = $db->rows("SELECT id FROM orders WHERE status IN ('expired', 'lost') OR (status = 'shipped' AND paid = 0 AND tracking = '') ORDER BY id");
        $this->check("$on: drift names the rows that went past the law", $exit === 3 && array_column($listed, 'id') === array_column($wanted, 'id')
            && array_unique(array_column($listed, 'how')) === ['bypassed'], $said . json_encode($wanted));
        $this->intact($on, $db);
    }

    /** The law decided in the story. */
    public function decided(string $on, Story $story, Driver $driver, Db $db): void
    {
        foreach (self::REFUSED as $name => $acts) {
            $said = json_decode($story->steps[$name]['body'], true);
            $code = array_values($acts)[0];
            $this->check("$on: `$name` is refused in the law's words", $said === ['code' => $code, 'message' => self::words('tr', $code)], $story->steps[$name]['body']);
        }
        $this->kept($on, $driver, $db);
        $this->counts($on, $driver, $db);
        $this->check("$on: what the law did has its messages in the outbox", $db->row('SELECT COUNT(*) AS n FROM hos_outbox')['n'] > 0);
        Founding::work($db);
        $this->isClean("$on", $db);
        $this->intact($on, $db);
    }

    /** A refusal changes nothing in the shop, and is evidence. */
    private function kept(string $on, Driver $driver, Db $db): void
    {
        $counted = fn (): array => array_map(fn (string $sql) => (int) $db->row("SELECT $sql")['n'], [
            '(SELECT COUNT(*) FROM hos_record) + (SELECT COUNT(*) FROM hos_inbox) AS n', 'COUNT(*) AS n FROM orders', 'COUNT(*) AS n FROM hos_instance',
            'COUNT(*) AS n FROM status_change_logs', 'COUNT(*) AS n FROM hos_outbox', 'SUM(stock) AS n FROM products', 'COUNT(*) AS n FROM request_ids',
        ]);
        $driver->ask('mert', 'POST /cart', ['product' => 'kilim']);
        $order = $db->row("SELECT id FROM orders WHERE status = 'cancelled'")['id'];
        $asked = [
            'a birth' => ['mert', 'POST /checkout', ['shop' => 's1'], 403, 'hos.forbidden'],
            'an event' => ['mert', "POST /orders/$order/ship", ['tracking' => 'x'], 409, 'hos.terminal'],
            'an override without a reason' => ['deniz', "POST /admin/order/$order/status", ['status' => 'new'], 409, 'hos.reason_missing'],
        ];
        foreach ($asked as $what => [$who, $where, $fields, $status, $code]) {
            $before = $counted();
            $said = $driver->ask($who, $where, $fields, ['Accept-Language' => 'en']);
            $holds = $said['status'] === $status && json_decode($said['body'], true) === ['code' => $code, 'message' => self::words('en', $code)];
            $this->check("$on: $what is refused in English too", $holds, "{$said['status']} {$said['body']}");
            $before[0]++;
            $this->check("$on: $what that is refused leaves one record and nothing else", $counted() === $before, json_encode([$before, $counted()]));
        }
    }

    /** Goods are on the shelf or in an order, and never in both; a payment has the reference of the event that made it. */
    private function counts(string $on, Driver $driver, Db $db): void
    {
        $stock = fn (): int => (int) $db->row("SELECT stock FROM products WHERE id = 'kilim'")['stock'];
        $status = fn (string $order): string => $db->row('SELECT status FROM orders WHERE id = ?', $order)['status'];
        $order = function () use ($driver): array {
            $driver->ask('ayse', 'POST /cart', ['product' => 'kilim', 'quantity' => '2']);

            return json_decode($driver->ask('ayse', 'POST /checkout', ['shop' => 's1'])['body'], true)['order'];
        };
        $office = fn (string $id, string $to): array => $driver->ask('okan', "POST /admin/order/$id/status", ['status' => $to, 'reason' => 'by phone']);
        $all = $stock();
        $id = $order()['id'];
        $seen = [$stock()];
        foreach (['buyer', 'new', 'cancelled', 'new', 'new', 'buyer', 'buyer', 'new'] as $who) {
            $who === 'buyer' ? $driver->ask('ayse', "POST /orders/$id/cancel") : $office($id, $who);
            $seen[] = $stock();
        }
        $this->check("$on: what is cancelled and reopened is on the shelf or is not", $seen === [$all - 2, $all, $all - 2, $all, $all - 2, $all - 2, $all, $all, $all - 2], json_encode([$all, $seen]));
        $driver->ask('ayse', "POST /orders/$id/cancel");
        $db->run("UPDATE products SET stock = 1 WHERE id = 'kilim'");
        $said = $office($id, 'new');
        $this->check("$on: what was sold meanwhile is not reopened", $said['status'] === 409 && str_contains($said['body'], 'stock_short')
            && $status($id) === 'cancelled' && $stock() === 1, "{$said['status']} {$said['body']}");
        $db->run("UPDATE products SET stock = ? WHERE id = 'kilim'", $all);
        $made = $order();
        $payment = $made['payments'][0]['id'];
        foreach (['POST /payments/webhook', 'GET /payments/return', 'POST /payments/webhook'] as $n => $way) {
            $report = ['event' => "$payment-$n", 'kind' => 'captured', 'about' => $payment, 'amount' => (string) $made['total']];
            $said = $driver->ask('psp', $way, $report);
            $now = json_decode($said['body'], true)['order'] ?? [];
            $this->check("$on: the first event pays, and its reference stays: $n", ($now['paid'] ?? 0) === $made['total']
                && $now['payments'][0]['psp_ref'] === "$payment-0", "{$said['status']} {$said['body']}");
        }
        $driver->ask('mert', "POST /orders/{$made['id']}/ship", ['tracking' => 'x']);
        $said = $office($made['id'], 'refunding');
        $refunds = $db->rows('SELECT id, amount FROM refunds WHERE order_id = ?', $made['id']);
        $this->check("$on: of what the back office refunds the provider is asked for the money", $said['status'] === 200
            && array_column($refunds, 'amount') === [$made['total']], "{$said['status']} {$said['body']}" . json_encode($refunds));
        $said = $driver->ask('psp', 'POST /payments/webhook', ['event' => "$payment-back", 'kind' => 'refunded', 'about' => $refunds[0]['id'] ?? '', 'amount' => '0']);
        $this->check("$on: and its answer ends it", $said['status'] === 200 && $status($made['id']) === 'refunded', "{$said['status']} {$said['body']}");
    }

    /** Where somebody is in the way of a refusal's evidence, it is written all the same. */
    public function keepsInTheEnd(string $on, Db $db): void
    {
        $pdo = new Interrupted($db->url);
        $own = \Closure::bind(static fn (): Db => new Db($pdo, 'sqlite', $db->url), null, Db::class)();
        $mert = Engine::open(law: null, store: $pdo)->tenant('pazar-tr')->as('Pazar::Account::"mert"');
        $order = $db->row("SELECT id FROM orders WHERE status = 'cancelled' AND shop = 's1'")['id'];
        $records = fn (): int => (int) $db->row('SELECT (SELECT COUNT(*) FROM hos_record) + (SELECT COUNT(*) FROM hos_inbox) AS n')['n'];
        $before = $records();
        $work = function () use ($own, $mert, $order, $pdo): never {
            $own->number();
            $answer = $mert->transition('order', $order, 'ship', ['all_in_stock' => true, 'tracking' => 'x']);
            $pdo->next = 'hos_';
            Law::must($answer);
        };
        try {
            Law::kept($own, $mert, $work);
            $said = 'nothing';
        } catch (Refusal|RetryError $error) {
            $said = $error->getMessage();
        }
        $this->check("$on: evidence that is in another's way is written all the same", $said === 'hos.terminal' && $pdo->next === null && $records() === $before + 1, $said);
    }

    public function isClean(string $on, Db $db): void
    {
        [$exit, $said] = Founding::hos($db, ['drift', self::WORLD]);
        $this->check("$on: the shop's rows and the law's are in the same states", $exit === 0, $said);
    }

    /** Rows that were there before the law came are taken in as they are, but for one in a state that is none; and go on under the law. */
    public function takenIn(string $on, Db $db): void
    {
        [$exit, $said] = Founding::hos($db, ['drift', self::WORLD, '--json']);
        $tables = json_decode($said, true)['tables'];
        $listed = array_map(fn ($row) => [$row['how'], $row['id']], array_merge(...array_column($tables, 'listed')));
        $lost = array_map(fn ($row) => ['unknown', $row['id']], $db->rows("SELECT id FROM orders WHERE status = 'lost'"));
        $this->check("$on: old rows are taken in, but for what is in no state", $exit === 3 && count($lost) === 1 && $listed === $lost && array_sum(array_column($tables, 'rows')) > 50, $said);
    }

    /** What the shop took for evidence stands in the threads of what it is about, each row once, and weighs nothing there. */
    public function tellsOfOld(string $on, Db $db): void
    {
        [$exit, $said] = Founding::hos($db, ['adopt', '--rows', self::WORLD, '--json', '--tenant', 'pazar-tr', '--as', 'Account::root']);
        $log = json_decode($said, true)['logs'][0];
        $all = (int) $db->row('SELECT COUNT(*) AS n FROM status_change_logs')['n'];
        $lost = $db->row("SELECT id FROM orders WHERE status = 'lost'")['id'];
        $losts = (int) $db->row("SELECT COUNT(*) AS n FROM status_change_logs WHERE subject = 'order' AND subject_id = ?", $lost)['n'];
        $this->check("$on: the old log is told whole, and once", $exit === 1 && array_sum($log['told']) === 0 && $log['known'] === $all - $losts && $all > 50
            && $log['unknown'] === $losts && $log['strangers'] === ["order/$lost"] && $log['refused'] === 0, $said);
        $order = $db->row("SELECT id FROM orders WHERE status = 'refunded'")['id'];
        $rows = $db->rows("SELECT old_status, new_status, event, actor FROM status_change_logs WHERE subject = 'order' AND subject_id = ? ORDER BY changed_at, id", $order);
        [, $said] = Founding::hos($db, ['history', 'order', $order, '--tenant', 'pazar-tr', '--json']);
        $records = json_decode($said, true)['history'];
        $told = array_map(static fn ($record) => $record['parts']['payload'] ?? [], array_slice($records, 1));
        $words = static fn (array $row) => [$row['from'] ?? null, $row['to'] ?? null, $row['event'] ?? '', $row['actor'] ?? ''];
        $this->check("$on: an order's old rows stand behind its adoption, in their order", $records[0]['kind'] === 'adopted' && array_map($words, $told)
            === array_map(static fn ($row) => [$row['old_status'], $row['new_status'], $row['event'], $row['actor']], $rows) && count($rows) > 2, $said);
        $this->check("$on: nobody judged them", array_unique(array_column(array_slice($records, 1), 'decision')) === ['none'], $said);
    }

    public function goesOn(string $on, Driver $driver, Db $db): void
    {
        $order = $db->row("SELECT id FROM orders WHERE status = 'paid' AND shop = 's1'")['id'];
        foreach ([['ship', ['tracking' => 'x'], 200], ['ship', ['tracking' => 'x'], 409], ['deliver', [], 403]] as [$event, $fields, $status]) {
            $said = $driver->ask('mert', "POST /orders/$order/$event", $fields);
            $this->check("$on: an old order goes on under the law: $event, $status", $said['status'] === $status, "{$said['status']} {$said['body']}");
        }
        $lost = $db->row("SELECT id FROM orders WHERE status = 'lost'")['id'];
        $said = $driver->ask('mert', "POST /orders/$lost/ship", ['tracking' => 'x']);
        $this->check("$on: and one that the law does not know does not", $said['status'] === 409 && str_contains($said['body'], 'hos.instance_unknown'), $said['body']);
        Founding::work($db);
        $this->intact($on, $db);
    }

    /** `hos guard`, from now on. */
    public static function guard(Db $db): void
    {
        $dialect = ['sqlite' => 'sqlite', 'pgsql' => 'postgres', 'mysql' => 'mysql'][$db->kind];
        [$exit, $said] = Founding::hos($db, ['guard', self::WORLD, '--dialect', $dialect]);
        $exit === 0 || throw new \RuntimeException("hos guard: $said");
        // MySQL's program is told where a trigger ends, its server is not.
        $parts = $db->kind === 'mysql' ? preg_split('#^DELIMITER .*$|//$#m', (string) preg_replace('/^--.*$/m', '', $said)) : [$said];
        foreach (array_filter(array_map(trim(...), $parts ?: [])) as $part) {
            $db->pdo->exec($part);
        }
    }

    /** Who writes a status by hand is refused by the database. */
    public function guarded(string $on, Db $db): void
    {
        $row = $db->row("SELECT id, status FROM orders WHERE status = 'paid'");
        $why = '';
        try {
            $db->transaction(fn () => $db->run("UPDATE orders SET status = 'refunded' WHERE id = ?", $row['id']));
        } catch (\PDOException $error) {
            $why = $error->getMessage();
        }
        $now = $db->row('SELECT id, status FROM orders WHERE id = ?', $row['id']);
        $this->check("$on: the database refuses a status that is changed by hand", str_contains($why, 'hos.guard') && $now === $row, $why);
    }

    /** The law's clock ends an order that nobody paid, and the shop's row follows it. */
    public function expires(string $on, Driver $driver, Db $db): void
    {
        $waiting = array_column($db->rows("SELECT id FROM orders WHERE status = 'new'"), 'id');
        [$exit, $said] = Founding::hos($db, ['work', '--time', gmdate('Y-m-d\TH:i:s\Z', time() + 7200)]);
        $cron = $driver->ask('cron', 'POST /cron/expire');
        $left = (int) $db->row("SELECT COUNT(*) AS n FROM orders WHERE status = 'new'")['n'];
        $told = json_decode($cron['body'], true)['message'] ?? '';
        $this->check("$on: the law's clock ends what nobody paid, and the rows follow", $exit === 0 && $left === 0 && $told === count($waiting) . ' expired' && $waiting !== [], "$said {$cron['body']}");
        $this->isClean("$on: after the clock", $db);
    }

    /** What was reopened and paid while the cron waited for another order stays paid. */
    public function expiresBeside(string $on, Driver $driver, Db $db): void
    {
        if ($db->kind === 'sqlite') {
            return;                                                 // one lock for all: nobody pays while the cron waits
        }
        // Two orders of two hours ago, which nobody paid.
        $hos = fn (string ...$words) => Founding::hos($db, ['begin', ...$words, '--as', 'Account::ayse', '--tenant', 'pazar-tr']);
        foreach (['8001', '8002'] as $n) {
            [$past, $now] = [gmdate('Y-m-d\TH:i:s\Z', time() - 7200), gmdate('Y-m-d H:i:s')];
            $began = $hos('order', "o-$n", 'place', '--fact', 'buyer=ayse', '--fact', 'shop=s1', '--fact', 'total=100', '--time', $past)[0]
                + $hos('payment', "p-$n", 'request', '--fact', 'payer=ayse', '--fact', 'provider=psp', '--fact', "order=o-$n", '--fact', 'amount=100')[0];
            $this->check("$on: an order of two hours ago", $began === 0);
            $db->run("INSERT INTO orders (id, buyer, shop, total, paid, status, tracking, placed_at) VALUES (?, 'ayse', 's1', 100, 0, 'new', '', ?)", "o-$n", $now);
            $db->run("INSERT INTO payments (id, order_id, payer, provider, amount, psp_ref, status) VALUES (?, ?, 'ayse', 'psp', 100, '', 'pending')", "p-$n", "o-$n");
        }
        Founding::work($db);
        $free = (string) tempnam(sys_get_temp_dir(), 'pazar');
        $cron = function () use ($driver, $free): array {
            for ($i = 0; $i < 1_000 && is_file($free); $i++) {
                usleep(10_000);
                clearstatcache();
            }

            return $driver->ask('cron', 'POST /cron/expire');
        };
        $buyer = function () use ($driver, $db, $free): array {
            [$own, $watches] = [Db::open($db->url), Db::open($db->url)];
            $waits = $db->kind === 'pgsql'
                ? "SELECT COUNT(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                : "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE '%orders%' AND id <> CONNECTION_ID()";

            return $own->transaction(function () use ($driver, $own, $watches, $free, $waits): array {
                $own->lock('orders', 'o-8001');
                unlink($free);
                for ($i = 0; $i < 500 && $watches->row($waits)['n'] == 0; $i++) {
                    usleep(20_000);
                }
                $office = $driver->ask('okan', 'POST /admin/order/o-8002/status', ['status' => 'new', 'reason' => 'the money came']);
                $report = ['event' => 'beside', 'kind' => 'captured', 'about' => 'p-8002', 'amount' => '100'];

                return [$office['status'], $driver->ask('psp', 'POST /payments/webhook', $report)['status']];
            });
        };
        [$told, $paid] = Driver::together([$cron, $buyer]);
        $rows = array_column($db->rows("SELECT status FROM orders WHERE id IN ('o-8001', 'o-8002') ORDER BY id"), 'status');
        $this->check("$on: the cron leaves alone what was paid while it waited", $paid === [200, 200] && $rows === ['expired', 'paid']
            && str_contains($told['body'], '1 expired'), json_encode([$paid, $rows, $told['body']]));
    }
}
