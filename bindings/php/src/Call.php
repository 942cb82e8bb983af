<?php

declare(strict_types=1);

namespace Hos;

/** A call among several that are made as one: {@see Actor::all}. Its parts are those of the {@see Actor}'s method of that name. */
final class Call
{
    /**
     * @internal
     * @param array<string, ?string> $texts
     * @param array<string, array<string, mixed>|\stdClass> $records
     * @param list<Given>|null $given in place of what is said for all
     */
    private function __construct(
        public readonly string $operation,
        public readonly array $texts,
        public readonly array $records,
        public readonly ?array $given,
        public readonly HasUid|string|null $subject = null,
    ) {
    }

    /**
     * An instance is born.
     *
     * @param array<string, mixed>|\stdClass $facts
     * @param array<string, mixed>|\stdClass $args
     * @param array<string, mixed>|\stdClass|null $context in place of what is said for all
     * @param list<Given>|null $given likewise
     */
    public static function begin(
        string $contract,
        string $id,
        string $event,
        array|\stdClass $facts = [],
        array|\stdClass $args = [],
        ?string $once = null,
        array|\stdClass|null $context = null,
        ?array $given = null,
    ): self {
        $texts = ['contract' => $contract, 'id' => $id, 'event' => $event, 'once' => $once];

        return new self('begin', $texts, self::said(['facts' => $facts, 'args' => $args], $context), $given);
    }

    /**
     * An event, or an override (which needs a `reason`).
     *
     * @param array<string, mixed>|\stdClass $args
     * @param array<string, mixed>|\stdClass|null $context in place of what is said for all
     * @param list<Given>|null $given likewise
     */
    public static function transition(
        string $contract,
        string $id,
        string $event,
        array|\stdClass $args = [],
        ?string $once = null,
        ?string $reason = null,
        array|\stdClass|null $context = null,
        ?array $given = null,
    ): self {
        $texts = ['contract' => $contract, 'id' => $id, 'event' => $event, 'once' => $once, 'reason' => $reason];

        return new self('transition', $texts, self::said(['args' => $args], $context), $given);
    }

    /**
     * A free record in a stream.
     *
     * @param array<string, mixed>|\stdClass|null $context in place of what is said for all
     * @param list<Given>|null $given likewise
     */
    public static function record(
        string $stream,
        ?string $payload = null,
        ?string $payloadHex = null,
        HasUid|string|null $subject = null,
        ?string $once = null,
        array|\stdClass|null $context = null,
        ?array $given = null,
    ): self {
        $texts = ['stream' => $stream, 'payload' => $payload, 'payload_hex' => $payloadHex, 'once' => $once];

        return new self('record', $texts, self::said([], $context), $given, $subject);
    }

    /**
     * Takes in a row that exists already, as it is.
     *
     * @param array<string, mixed>|\stdClass $facts
     * @param array<string, mixed>|\stdClass|null $context in place of what is said for all
     * @param list<Given>|null $given likewise
     */
    public static function adopt(
        string $contract,
        string $id,
        string $state,
        array|\stdClass $facts = [],
        ?string $once = null,
        array|\stdClass|null $context = null,
        ?array $given = null,
    ): self {
        $texts = ['contract' => $contract, 'id' => $id, 'state' => $state, 'once' => $once];

        return new self('adopt', $texts, self::said(['facts' => $facts], $context), $given);
    }

    /**
     * @param array<string, array<string, mixed>|\stdClass> $records
     * @param array<string, mixed>|\stdClass|null $context
     * @return array<string, array<string, mixed>|\stdClass> without those that say nothing; a context that is said stands, though empty
     */
    private static function said(array $records, array|\stdClass|null $context): array
    {
        $records = array_filter($records, static fn (array|\stdClass $record): bool => $record !== []);

        return $context === null ? $records : $records + ['context' => $context];
    }
}
