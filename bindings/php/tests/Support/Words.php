<?php

declare(strict_types=1);

namespace Hos\Tests\Support;

use Hos\Actor;
use Hos\Answer;
use Hos\Available;
use Hos\Blocker;
use Hos\Engine;
use Hos\Entry;
use Hos\Ext;
use Hos\Given;
use Hos\HasUid;
use Hos\Legacy;
use Hos\Question;
use Hos\Receipt;
use Hos\Uid;

/** A call of the vectors in PHP's own words, and its answer put together again from the typed object's fields. */
final class Words
{
    public function __construct(private readonly Engine $engine)
    {
    }

    /** @return array{string, \stdClass} status and answer */
    public function say(string $operation, \stdClass $call): array
    {
        $call = (array) $call;
        $tenant = $this->engine->tenant($call['tenant']);
        if ($operation === 'history') {
            $asked = array_diff_key($call, ['tenant' => 0, 'language' => 0]);

            return ['allowed', (object) ['history' => array_map($this->entry(...), $tenant->history(...$asked))]];
        }
        if ($operation === 'message') {
            return ['allowed', (object) ['message' => $tenant->message($call['code'], $call['language'])]];
        }
        $actor = $tenant->as(self::uid($call['principal']), $call['language'] ?? null, $call['request'] ?? null);
        $said = array_diff_key($call, ['tenant' => 0, 'principal' => 0, 'language' => 0, 'request' => 0]);
        if ($operation === 'can_all') {
            $questions = array_map(fn (\stdClass $one): Question => new Question(...$this->named((array) $one)), $said['evaluations']);
            $answers = $actor->canAll($questions, ...$this->named(array_diff_key($said, ['evaluations' => 0])));
            $allowed = array_filter($answers, static fn (Answer $one): bool => !$one->allowed) === [];

            return [$allowed ? 'allowed' : 'refused', (object) ['allowed' => $allowed, 'evaluations' => array_map($this->answer(...), $answers)]];
        }
        $answer = $operation === 'directory' ? $this->change($actor, $said) : $actor->$operation(...$this->named($said));
        if (is_array($answer)) {
            return ['allowed', (object) ['available' => array_map($this->available(...), $answer)]];
        }

        return [$answer->allowed ? 'allowed' : 'refused', $this->answer($answer)];
    }

    private static function uid(\stdClass $uid): Uid
    {
        $uid = $uid->__entity ?? $uid;

        return new Uid($uid->type, $uid->id);
    }

    /**
     * @param array<string, mixed> $call
     * @return array<string, mixed>
     */
    private function named(array $call): array
    {
        $args = [];
        foreach ($call as $name => $field) {
            $name = $name === 'payload_hex' ? 'payloadHex' : $name;
            $args[$name] = match ($name) {
                'resource', 'subject' => self::uid($field),
                'args', 'facts', 'context' => self::fields($field),
                'given' => array_map($this->given(...), $field),
                'legacy' => new Legacy($field->allowed, $field->state ?? null),
                default => $field,
            };
        }

        return $args;
    }

    /** @param array<string, mixed> $call */
    private function change(Actor $actor, array $call): Answer
    {
        foreach ($call['change'] as $what => $how) {
            $args = [];
            foreach ((array) $how as $name => $field) {
                $args[$name] = match ($name) {
                    'attrs' => self::fields($field),
                    'uid', 'parent', 'principal', 'resource' => self::uid($field),
                    default => $field,
                };
            }

            return $actor->directory->$what(...$args, once: $call['once'] ?? null);
        }
        throw new \LogicException('a change without a kind is no call in words');
    }

    private function given(\stdClass $entity): Given
    {
        $parents = array_map(self::uid(...), $entity->parents ?? []);

        return new Given(self::uid($entity->uid), self::fields($entity->attrs ?? new \stdClass()), $parents);
    }

    /** Half of them as arrays, half as objects: both are a map. */
    private static function fields(\stdClass $fields): array|\stdClass
    {
        $values = array_map(self::value(...), (array) $fields);

        return array_is_list($values) || count($values) % 2 === 0 ? (object) $values : $values;
    }

    private static function value(mixed $value): mixed
    {
        return match (true) {
            is_array($value) => array_map(self::value(...), $value),
            !$value instanceof \stdClass => $value,
            isset($value->__entity->type, $value->__entity->id) && count((array) $value) === 1 => self::uid($value),
            isset($value->__extn->fn, $value->__extn->arg) && count((array) $value) === 1 => new Ext($value->__extn->fn, $value->__extn->arg),
            default => self::fields($value),
        };
    }

    private function answer(Answer $a): \stdClass
    {
        return self::told([
            'allowed' => $a->allowed,
            'code' => $a->code,
            'blockers' => array_map($this->blocker(...), $a->blockers),
            'effect' => $a->effect?->value,
            'policies' => $a->policies,
            'errors' => array_map(static fn ($e) => (object) ['policy' => $e->policy, 'kind' => $e->kind, 'message' => $e->message], $a->errors),
            'mode' => $a->mode->value,
            'divergence' => $a->divergence,
            'candidate' => $a->candidate === null ? null : (object) [
                'law' => $a->candidate->law,
                'allowed' => $a->candidate->allowed,
                'blockers' => array_map($this->blocker(...), $a->candidate->blockers),
            ],
            'law' => $a->law,
            'directory_version' => $a->directoryVersion,
            'from' => $a->from,
            'to' => $a->to,
            'version' => $a->version,
            'fired' => $a->fired,
            'again' => $a->again,
            'receipt' => $this->receipt($a->receipt),
        ]);
    }

    private function blocker(Blocker $b): \stdClass
    {
        return self::told(['code' => $b->code, 'detail' => $b->detail, 'message' => $b->message]);
    }

    private function receipt(?Receipt $r): ?\stdClass
    {
        return $r === null ? null : self::told([
            'tenant' => $r->tenant,
            'thread' => $r->thread,
            'n' => $r->n,
            'record' => $r->record,
            'seal' => $r->seal === null ? null : self::told([
                'seq' => $r->seal->seq,
                'entry' => $r->seal->entry,
                'checkpoint' => $r->seal->checkpoint,
            ]),
        ]);
    }

    private function available(Available $a): \stdClass
    {
        return self::told([
            'event' => $a->event,
            'allowed' => $a->allowed,
            'code' => $a->code,
            'blockers' => array_map($this->blocker(...), $a->blockers),
            'to' => $a->to,
            'needs' => $a->needs,
        ]);
    }

    private function entry(Entry $e): \stdClass
    {
        return self::told([
            'n' => $e->n,
            'kind' => $e->kind->value,
            'time' => $e->time->format(DATE_RFC3339_EXTENDED),
            'event' => $e->event,
            'from' => $e->from,
            'to' => $e->to,
            'decision' => $e->decision->value,
            'code' => $e->code,
            'policies' => $e->policies,
            'mode' => $e->mode->value,
            'law' => $e->law,
            'guard_law' => $e->guardLaw,
            'contract_version' => $e->contractVersion,
            'directory_version' => $e->directoryVersion,
            'durability' => $e->durability->value,
            'request' => $e->request,
            'parts' => (object) array_map(static fn (array $part) => (object) array_map(self::json(...), $part), $e->parts),
            'erased' => $e->erased,
            'receipt' => $this->receipt($e->receipt),
        ]);
    }

    /** A value of a record, as the wire has it. */
    private static function json(mixed $value): mixed
    {
        return match (true) {
            $value instanceof HasUid => (object) ['__entity' => (object) ['type' => $value->hosUid()->type, 'id' => $value->hosUid()->id]],
            $value instanceof Ext => (object) ['__extn' => (object) ['fn' => $value->fn, 'arg' => $value->arg]],
            $value instanceof \stdClass => (object) array_map(self::json(...), (array) $value),
            is_array($value) => array_is_list($value) ? array_map(self::json(...), $value) : (object) array_map(self::json(...), $value),
            default => $value,
        };
    }

    /** @param array<string, mixed> $fields */
    private static function told(array $fields): \stdClass
    {
        return (object) array_filter($fields, static fn (mixed $field): bool => $field !== null);
    }
}
