<?php

declare(strict_types=1);

namespace Shop;

use Hos\{Answer, Given, RetryError, Uid};

/** The shop's words in the law's: who asks, and about what. The stages that ask the law need it. */
final class Law
{
    private const TYPES = ['buyer' => 'Account', 'payer' => 'Account', 'booker' => 'Account', 'shop' => 'Shop', 'provider' => 'Provider'];

    /** Who asks. */
    public static function asker(Actor $actor): Uid
    {
        return new Uid('Pazar::' . (['provider' => 'Provider', 'clock' => 'Clock'][$actor->kind] ?? 'Account'), $actor->id ?: 'nobody');
    }

    /** What the law knows by entities, the shop knows by ids. */
    public static function facts(array $facts): array
    {
        foreach (array_intersect_key(self::TYPES, $facts) as $fact => $type) {
            $facts[$fact] = new Uid("Pazar::$type", $facts[$fact]);
        }

        return $facts;
    }

    /** What a question is about, by the shop's row; null where an event follows, of which the law is asked then. */
    public static function given(string $action, array $row): ?Given
    {
        $facts = self::facts($row);
        [$type, $attrs] = match ($row === [] ? '' : $action) {
            'order.view' => ['Order', ['buyer', 'shop', 'total']],
            'reservation.view' => ['Reservation', ['booker', 'guests', 'nights', 'room', 'rate', 'deposit']],
            'product.edit' => ['Product', ['shop']],
            default => [null, []],
        };
        $attrs = array_intersect_key($facts, array_flip($attrs)) + ($type === 'Product' ? ['listed' => $row['listed'] === 1] : ['state' => $row['status'] ?? '']);

        return $type === null ? null : new Given(new Uid("Pazar::$type", $row['id']), $attrs, $type === 'Product' ? [$facts['shop']] : []);
    }

    /** A yes goes on; a no is the shop's no, in the law's words. A question leaves no evidence, so of its no there is nothing to keep. */
    public static function must(Answer $answer, bool $keeps = true): Answer
    {
        if ($answer->allowed) {
            return $answer;
        }
        $status = in_array($answer->code, ['hos.not_permitted', 'hos.forbidden'], true) ? 403 : 409;
        throw new Refusal($answer->code, $status, ['message' => $answer->message()], $keeps ? $answer : null);
    }

    /**
     * Work in a transaction, again where the law says so. What the law refuses is rolled back, with all the shop did; that it was asked and
     * refused is kept by itself.
     */
    public static function kept(Db $db, \Hos\Actor $law, callable $work): mixed
    {
        try {
            return $db->transaction($work, RetryError::class);
        } catch (Refusal $refusal) {
            if ($refusal->said !== null) {
                $db->transaction(function () use ($db, $law, $refusal): void {
                    $db->number();          // SQLite lets wait who begins with a write; who reads first is told to begin again
                    $law->refused($refusal->said);
                }, RetryError::class);
            }
            throw $refusal;
        }
    }

    /**
     * Orders that the law's clock has expired, and the shop's rows have not followed yet. Each is locked, and looked at again: while others
     * were waited for, it may have been reopened, and paid.
     *
     * @return iterable<string>
     */
    public static function expired(Db $db): iterable
    {
        [$bytes, $locked] = $db->kind === 'sqlite' ? ['CAST(? AS BLOB)', ''] : ['?', ' FOR UPDATE'];
        $sql = "SELECT 1 FROM hos_instance WHERE tenant = 'pazar-tr' AND contract = 'order' AND state = 'expired' AND id = $bytes";
        foreach (array_column($db->rows("SELECT id FROM orders WHERE status = 'new' ORDER BY id"), 'id') as $id) {
            // What was read before the lock is as old as the transaction.
            if ($db->row($sql, $id) !== null && $db->lock('orders', $id)['status'] === 'new' && $db->row($sql . $locked, $id) !== null) {
                yield $id;
            }
        }
    }
}
