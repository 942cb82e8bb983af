<?php

declare(strict_types=1);

namespace Hos;

/** One record of an instance's history. */
final class Entry
{
    /**
     * @param list<string> $policies
     * @param array<string, array<string, mixed>> $parts what the record holds, by name, as far as keys allow; entities are
     *     {@see Uid}, decimals and the like {@see Ext}, a record that PHP would take for a list is a `stdClass`
     * @param list<string> $erased names of parts whose key is gone
     */
    private function __construct(
        public readonly int $n,
        public readonly Kind $kind,
        public readonly \DateTimeImmutable $time,
        public readonly ?string $event,
        public readonly ?string $from,
        public readonly ?string $to,
        public readonly Decision $decision,
        public readonly ?string $code,
        public readonly array $policies,
        public readonly Mode $mode,
        public readonly ?string $law,
        public readonly ?string $guardLaw,
        public readonly ?int $contractVersion,
        public readonly int $directoryVersion,
        public readonly Durability $durability,
        public readonly ?string $request,
        public readonly array $parts,
        public readonly array $erased,
        public readonly Receipt $receipt,
    ) {
    }

    /** @internal */
    public static function fromWire(array $e, \stdClass $parts): self
    {
        $values = [];
        foreach ($parts as $name => $part) {
            $values[$name] = array_map(Wire\Decoder::value(...), (array) $part);
        }

        return new self(
            $e['n'],
            Kind::from($e['kind']),
            new \DateTimeImmutable($e['time']),
            $e['event'] ?? null,
            $e['from'] ?? null,
            $e['to'] ?? null,
            Decision::from($e['decision']),
            $e['code'] ?? null,
            $e['policies'],
            Mode::from($e['mode']),
            $e['law'] ?? null,
            $e['guard_law'] ?? null,
            $e['contract_version'] ?? null,
            $e['directory_version'],
            Durability::from($e['durability']),
            $e['request'] ?? null,
            $values,
            $e['erased'],
            Receipt::fromWire($e['receipt']),
        );
    }
}
