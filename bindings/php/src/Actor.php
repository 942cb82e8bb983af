<?php

declare(strict_types=1);

namespace Hos;

use Hos\Wire\Bound;
use Hos\Wire\Decoder;

/**
 * A tenant, and who acts in it.
 *
 * Common to the calls: `args`, `facts` and `context` are maps from names to values (bool, int, string, lists, maps, {@see Uid},
 * {@see Ext}, backed enums, dates); `given` are rows of your own that come with the call; `once` is a key under which a call that
 * comes twice is done once; `legacy` is what the world decided by itself, where the law is `off` or in `shadow`; `request` is this call's
 * request id, in place of the actor's. `args` and `facts` may be functions that give them: in a transaction of yours they run when what the
 * call is about has been claimed, so that what they read of your rows is not changed by another such call before this one is judged. What
 * they throw goes through.
 *
 * A no is an {@see Answer}. All throw {@see HosError} where there is no answer. With `legacy`, where the law is not enforced, none of this
 * stops the world: its own outcome is the answer, and what failed is the blocker, be it a function for `args` (then nothing is claimed, and
 * what it throws is `hos.call_malformed`, or the code of an error of ours). Only what has taken your transaction with it is thrown all the
 * same, for the world's outcome is undone then: {@see RetryError} where the transaction may go through when it is begun again.
 */
final class Actor
{
    public readonly Directory $directory;
    public readonly Tenant $tenant;
    /** Its type and id are empty where what was given could not be read; then each call says so. */
    public readonly Uid $principal;
    public readonly ?string $language;

    /** @internal */
    public function __construct(private readonly Bound $bound)
    {
        $this->directory = new Directory($bound);
        $this->tenant = $bound->tenant;
        $this->principal = $bound->principal;
        $this->language = $bound->language;
    }

    /**
     * May this principal do this to that?
     *
     * @param string $action its id in the law's namespace: `order.view`
     * @param array<string, mixed>|\stdClass $context
     * @param list<Given> $given
     */
    public function can(
        string $action,
        HasUid|string $resource,
        array|\stdClass $context = [],
        array $given = [],
        Legacy|bool|null $legacy = null,
        ?string $request = null,
    ): Answer {
        return $this->bound->can($action, $resource, $context, $given, $legacy, $request);
    }

    /**
     * Several questions, answered over one law and one directory, in their order.
     *
     * @param list<Question> $questions 1 to 1000
     * @param array<string, mixed>|\stdClass $context of all that say nothing themselves
     * @param list<Given> $given likewise
     * @return list<Answer>
     */
    public function canAll(array $questions, array|\stdClass $context = [], array $given = [], ?string $request = null): array
    {
        return $this->bound->answers($questions, $context, $given, $request);
    }

    /**
     * {@see can}, for those who want an exception.
     *
     * @param array<string, mixed>|\stdClass $context
     * @param list<Given> $given
     * @throws Denied
     */
    public function authorize(
        string $action,
        HasUid|string $resource,
        array|\stdClass $context = [],
        array $given = [],
        Legacy|bool|null $legacy = null,
        ?string $request = null,
    ): Answer {
        return self::yes($this->can($action, $resource, $context, $given, $legacy, $request));
    }

    /**
     * An instance is born.
     *
     * @param array<string, mixed>|\stdClass|\Closure $facts
     * @param array<string, mixed>|\stdClass|\Closure $args
     * @param array<string, mixed>|\stdClass $context
     * @param list<Given> $given
     */
    public function begin(
        string $contract,
        string $id,
        string $event,
        array|\stdClass|\Closure $facts = [],
        array|\stdClass|\Closure $args = [],
        ?string $once = null,
        array|\stdClass $context = [],
        array $given = [],
        Legacy|bool|null $legacy = null,
        ?string $request = null,
    ): Answer {
        $texts = ['contract' => $contract, 'id' => $id, 'event' => $event, 'once' => $once, 'request' => $request];
        $records = ['facts' => $facts, 'args' => $args, 'context' => $context];

        return $this->bound->answer('begin', $texts, $records, $given, $legacy);
    }

    /**
     * An event, or an override (which needs a `reason`).
     *
     * @param array<string, mixed>|\stdClass|\Closure $args
     * @param array<string, mixed>|\stdClass $context
     * @param list<Given> $given
     */
    public function transition(
        string $contract,
        string $id,
        string $event,
        array|\stdClass|\Closure $args = [],
        ?string $once = null,
        ?string $reason = null,
        array|\stdClass $context = [],
        array $given = [],
        Legacy|bool|null $legacy = null,
        ?string $request = null,
    ): Answer {
        $texts = ['contract' => $contract, 'id' => $id, 'event' => $event, 'once' => $once, 'reason' => $reason, 'request' => $request];

        return $this->bound->answer('transition', $texts, ['args' => $args, 'context' => $context], $given, $legacy);
    }

    /**
     * {@see transition}, for those who want an exception. That it was refused is recorded all the same.
     *
     * @param array<string, mixed>|\stdClass|\Closure $args
     * @param array<string, mixed>|\stdClass $context
     * @param list<Given> $given
     * @throws Denied
     */
    public function apply(
        string $contract,
        string $id,
        string $event,
        array|\stdClass|\Closure $args = [],
        ?string $once = null,
        ?string $reason = null,
        array|\stdClass $context = [],
        array $given = [],
        Legacy|bool|null $legacy = null,
        ?string $request = null,
    ): Answer {
        return self::yes($this->transition($contract, $id, $event, $args, $once, $reason, $context, $given, $legacy, $request));
    }

    /**
     * A free record in a stream.
     *
     * @param ?string $payload a text (UTF-8)
     * @param ?string $payloadHex bytes that are no text, as `bin2hex` writes them; one of the two
     * @param HasUid|string|null $subject the person whom it is about
     * @param array<string, mixed>|\stdClass $context
     * @param list<Given> $given
     */
    public function record(
        string $stream,
        ?string $payload = null,
        ?string $payloadHex = null,
        HasUid|string|null $subject = null,
        ?string $once = null,
        array|\stdClass $context = [],
        array $given = [],
        Legacy|bool|null $legacy = null,
        ?string $request = null,
    ): Answer {
        $texts = ['stream' => $stream, 'payload' => $payload, 'payload_hex' => $payloadHex, 'once' => $once, 'request' => $request];

        return $this->bound->answer('record', $texts, ['context' => $context], $given, $legacy, ['subject' => $subject]);
    }

    /**
     * Takes in a row that exists already, as it is.
     *
     * @param array<string, mixed>|\stdClass|\Closure $facts
     * @param array<string, mixed>|\stdClass $context
     * @param list<Given> $given
     */
    public function adopt(
        string $contract,
        string $id,
        string $state,
        array|\stdClass|\Closure $facts = [],
        ?string $once = null,
        array|\stdClass $context = [],
        array $given = [],
        Legacy|bool|null $legacy = null,
        ?string $request = null,
    ): Answer {
        $texts = ['contract' => $contract, 'id' => $id, 'state' => $state, 'once' => $once, 'request' => $request];

        return $this->bound->answer('adopt', $texts, ['facts' => $facts, 'context' => $context], $given, $legacy);
    }

    /**
     * Tells what an older log says of an instance that is there: nothing of it is judged, and the instance stays as it is.
     *
     * @param list<array{at: string, to: string, from?: string, event?: string, actor?: string, detail?: string, key?: string}> $entries
     *   the log's rows, the oldest first, at most 64; `at` as in `2024-03-01T10:00:00Z`
     * @param array<string, mixed>|\stdClass $context
     * @param list<Given> $given
     */
    public function legacy(
        string $contract,
        string $id,
        array $entries,
        ?string $once = null,
        array|\stdClass $context = [],
        array $given = [],
        Legacy|bool|null $legacy = null,
        ?string $request = null,
    ): Answer {
        $texts = ['contract' => $contract, 'id' => $id, 'once' => $once, 'request' => $request];

        return $this->bound->answer('legacy', $texts, ['context' => $context], $given, $legacy, rows: ['entries' => $entries]);
    }

    /**
     * Several calls in your transaction, judged in their order as one: all of it is written, or nothing; in the exchanges of one.
     *
     * @param list<Call> $calls 1 to 16; no two about the same instance, or under the same once-key: each is judged on what was there
     *   before the first
     * @param array<string, mixed>|\stdClass $context of all that say nothing themselves
     * @param list<Given> $given likewise
     * @return list<Answer> as many as calls, all of them yes; or those up to the first no, which is the last
     */
    public function all(array $calls, array|\stdClass $context = [], array $given = [], ?string $request = null): array
    {
        return $this->bound->all($calls, $context, $given, $request);
    }

    /**
     * What can be done to an instance now.
     *
     * @param array<string, mixed>|\stdClass $context
     * @param list<Given> $given
     * @return list<Available>
     */
    public function available(
        string $contract,
        string $id,
        array|\stdClass $context = [],
        array $given = [],
        Legacy|bool|null $legacy = null,
        ?string $request = null,
    ): array {
        $texts = ['contract' => $contract, 'id' => $id, 'request' => $request];
        $json = $this->bound->told('available', $texts, ['context' => $context], $given, $legacy, [], $status);

        return Decoder::typed(static fn (): array => array_map(Available::fromWire(...), Decoder::object($json)['available']));
    }

    /**
     * An instance's records, oldest first; see {@see Tenant::history}.
     *
     * @return list<Entry>
     */
    public function history(string $contract, string $id, int $from = 0, ?int $limit = null): array
    {
        return $this->tenant->history($contract, $id, $from, $limit);
    }

    /**
     * An event that the world's own code carries out, while the law watches.
     *
     *     $r = $pazar->shadow('order', 'o-17', 'pay', legacy: fn () => $old->pay($order));
     *
     * `legacy` runs first and once. What it gives is given back, what it throws goes through, whatever becomes of the law; unless a
     * deadlock or the like ends your transaction while the law is asked, and what `legacy` did is undone: that is thrown. Then the
     * law judges with what the world came to: `false` and an exception are a no, a {@see Legacy} (or an array with a boolean
     * `allowed`) says it by itself, anything else is a yes. Arguments are read when `legacy` has ended.
     *
     * @param callable(): mixed $legacy
     * @param array<string, mixed>|\stdClass|\Closure $args
     * @param array<string, mixed>|\stdClass $context
     * @param list<Given> $given
     * @param ?callable(mixed): (Legacy|bool|null) $outcome what the world came to, of what `legacy` gave or threw; null: as above
     * @param ?callable(Answer|\Throwable): mixed $seen gets the law's answer, or why there is none; what it throws is swallowed
     * @param mixed ...$strange what the call does not have: then the law is not asked
     */
    public function shadow(
        mixed $contract,
        mixed $id,
        mixed $event,
        callable $legacy,
        mixed $args = [],
        mixed $once = null,
        mixed $reason = null,
        mixed $context = [],
        mixed $given = [],
        mixed $outcome = null,
        mixed $seen = null,
        mixed $request = null,
        mixed ...$strange,
    ): mixed {
        // Ids of a database are numbers; by `mixed` PHP no longer makes texts of them.
        $words = [$contract, is_int($id) ? "$id" : $id, $event, $args, $once, $reason, $context, $given];
        $judge = fn ($world): Answer => $this->transition(...$words, ...$strange, legacy: $world, request: $request);

        return Shadow::run($legacy, $judge, $outcome, $seen, $this->bound->guard(...));
    }

    /**
     * As {@see shadow}, of a birth ({@see begin}).
     *
     * @param callable(): mixed $legacy
     * @param array<string, mixed>|\stdClass|\Closure $facts
     * @param array<string, mixed>|\stdClass|\Closure $args
     * @param array<string, mixed>|\stdClass $context
     * @param list<Given> $given
     * @param ?callable(mixed): (Legacy|bool|null) $outcome
     * @param ?callable(Answer|\Throwable): mixed $seen
     */
    public function shadowBegin(
        mixed $contract,
        mixed $id,
        mixed $event,
        callable $legacy,
        mixed $facts = [],
        mixed $args = [],
        mixed $once = null,
        mixed $context = [],
        mixed $given = [],
        mixed $outcome = null,
        mixed $seen = null,
        mixed $request = null,
        mixed ...$strange,
    ): mixed {
        $words = [$contract, is_int($id) ? "$id" : $id, $event, $facts, $args, $once, $context, $given];
        $judge = fn ($world): Answer => $this->begin(...$words, ...$strange, legacy: $world, request: $request);

        return Shadow::run($legacy, $judge, $outcome, $seen, $this->bound->guard(...));
    }

    /**
     * As {@see shadow}, of a question ({@see can}).
     *
     *     $may = $pazar->shadowCan('order.view', $order, legacy: fn () => $old->mayView($order));
     *
     * @param callable(): mixed $legacy
     * @param array<string, mixed>|\stdClass $context
     * @param list<Given> $given
     * @param ?callable(mixed): (Legacy|bool|null) $outcome
     * @param ?callable(Answer|\Throwable): mixed $seen
     */
    public function shadowCan(
        mixed $action,
        mixed $resource,
        callable $legacy,
        mixed $context = [],
        mixed $given = [],
        mixed $outcome = null,
        mixed $seen = null,
        mixed $request = null,
        mixed ...$strange,
    ): mixed {
        $words = [$action, $resource, $context, $given];
        $judge = fn ($world): Answer => $this->can(...$words, ...$strange, legacy: $world, request: $request);

        return Shadow::run($legacy, $judge, $outcome, $seen, $this->bound->guard(...));
    }

    /**
     * Makes evidence of a refusal: of a call that was refused in a transaction of yours (`store: $pdo`), when you have rolled it back, in
     * another one. The engine keeps the last 64 for it, in the process that refused.
     *
     * @return Answer the refusal once more, with its receipt
     * @throws HosError
     */
    public function refused(Answer $refusal): Answer
    {
        $kept = $refusal->kept();

        return $kept === null
            ? throw HosError::call('hos.call_malformed', 'there is nothing to keep of this answer: it is a yes, or its evidence is stored')
            : $this->bound->refused($kept);
    }

    private static function yes(Answer $answer): Answer
    {
        return $answer->allowed ? $answer : throw new Denied($answer);
    }
}
