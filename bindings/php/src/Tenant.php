<?php

declare(strict_types=1);

namespace Hos;

use Hos\Native\Door;
use Hos\Wire\Decoder;
use Hos\Wire\Encoder;

/** A tenant of a store. */
final class Tenant
{
    /** @internal */
    public function __construct(private readonly Door $handle, public readonly string $name)
    {
    }

    /**
     * Binds who acts.
     *
     * @param HasUid|string $principal an object that says its `Uid`, a `Uid`, or its text: `Pazar::Account::"ayse"`
     * @param ?string $language `en`, `tr`, ..: blockers then carry the law's message for an end user
     * @param ?string $request the request's id of your own; it stands in records, so nothing personal
     *
     * What is not of its form (null, a text that is no entity, bytes that are no UTF-8, a `hosUid` that throws) is thrown by each call that
     * is made with it, not here: where a call says what the world decided by itself, that outcome may stand.
     */
    public function as(mixed $principal, ?string $language = null, ?string $request = null): Actor
    {
        return new Actor(new Wire\Bound($this->handle, $this, $principal, $language, $request));
    }

    /**
     * An instance's records, oldest first.
     *
     * @param int $from the first record's place
     * @param int $limit at most so many; 1000 at most
     * @return list<Entry>
     * @throws HosError
     */
    public function history(string $contract, string $id, int $from = 0, ?int $limit = null): array
    {
        $call = '{"tenant":' . Encoder::text($this->name, 'tenant')
            . ',"contract":' . Encoder::text($contract, 'contract')
            . ',"id":' . Encoder::text($id, 'id')
            . ($from === 0 ? '' : ",\"from\":$from")
            . ($limit === null ? '' : ",\"limit\":$limit") . '}';
        $json = $this->handle->call('history', $call, $status);

        return Decoder::typed(static function () use ($json): array {
            // Twice, because values keep `{}` and `[]` apart and all else is easier as arrays.
            $trees = Decoder::tree($json)->history;

            return array_map(
                static fn (array $entry, \stdClass $tree): Entry => Entry::fromWire($entry, $tree->parts),
                Decoder::object($json)['history'],
                $trees,
            );
        });
    }

    /**
     * What the law says to an end user of a code; in English where it has nothing in that language.
     *
     * @throws HosError
     */
    public function message(string $code, string $language): string
    {
        $call = '{"tenant":' . Encoder::text($this->name, 'tenant')
            . ',"language":' . Encoder::text($language, 'language')
            . ',"code":' . Encoder::text($code, 'code') . '}';
        $json = $this->handle->call('message', $call, $status);

        return Decoder::typed(static fn (): string => Decoder::object($json)['message']);
    }
}
