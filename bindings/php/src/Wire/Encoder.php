<?php

declare(strict_types=1);

namespace Hos\Wire;

use Hos\CallError;
use Hos\Ext;
use Hos\Given;
use Hos\HasUid;
use Hos\HosError;
use Hos\Legacy;
use Hos\Question;
use Hos\Uid;

/**
 * PHP's values -> JSON of the wire. It refuses what JSON has no honest form for, and says where it stands.
 *
 * The text is put together here, not by one `json_encode` of everything: that would write a float such as `1.0` as an integer
 * and leave out keys of objects that begin with a zero byte.
 *
 * @internal
 */
final class Encoder
{
    /** The largest call, in bytes. */
    public const CALL_BYTES_MAX = 1 << 20;

    /** How deep a call may nest; it also ends a list that contains itself. */
    private const NESTING_MAX = 40;

    // It throws, so that `json_last_error()` stays the application's.
    private const FLAGS = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_LINE_TERMINATORS | JSON_THROW_ON_ERROR;

    /** Bytes that are left. A list that contains itself twice would otherwise grow without end before it nests too deep. */
    private int $room = self::CALL_BYTES_MAX;

    /** A text. */
    public static function text(string $text, string $where): string
    {
        // Only of a long one it is counted: escaped, a byte is six at most.
        if (strlen($text) * 6 > self::CALL_BYTES_MAX) {
            self::bounded(self::escaped($text), $where);
        }
        try {
            return json_encode($text, self::FLAGS);
        } catch (\JsonException) {
            throw HosError::call('hos.call_malformed', "$where is not UTF-8; bytes that are no text go as hexadecimal or base64");
        }
    }

    /** How many bytes a text comes to between its quotes. It is asked before it is written: there may be no memory for six times as much. */
    public static function escaped(string $text): int
    {
        $bytes = strlen($text);
        foreach (count_chars($text, 1) as $byte => $times) {
            $letter = chr($byte);
            $bytes += $times * match (true) {
                in_array($letter, ['"', '\\', "\x08", "\t", "\n", "\f", "\r"], true) => 1,
                $byte < 0x20 => 5,
                default => 0,
            };
        }

        return $bytes;
    }

    /** Refuses what no call can hold. */
    public static function bounded(int $bytes, string $where): void
    {
        if ($bytes > self::CALL_BYTES_MAX) {
            throw self::tooLarge("$where comes to $bytes bytes; a call has at most " . self::CALL_BYTES_MAX);
        }
    }

    /**
     * A list, which ends where it is larger than a call: the same large part may stand in it often.
     *
     * @param array<mixed> $parts
     * @param \Closure(mixed, int|string): string $one
     */
    public static function listed(array $parts, string $where, \Closure $one): string
    {
        $json = '';
        foreach ($parts as $at => $part) {
            $json .= ($json === '' ? '' : ',') . $one($part, $at);
            $bytes = strlen($json);
            self::bounded($bytes, $where);
        }

        return "[$json]";
    }

    /**
     * Fields of a call that hold names and values (`args`, `facts`, `context`, `attrs`): always an object.
     *
     * @param array<mixed>|\stdClass $values
     */
    public function record(array|\stdClass $values, string $where): string
    {
        try {
            $plain = is_array($values) ? self::plain($values) : null;
        } catch (\JsonException) {
            // A text that is none; the slow way says where it stands.
            $plain = null;
        }
        if ($plain !== null) {
            return $plain;
        }
        if (is_array($values) && $values !== [] && array_is_list($values)) {
            throw HosError::call('hos.call_malformed', "$where is a map of names, not a list; a map with the keys 0, 1, .. is written (object) [..]");
        }

        return $this->value($values, $where, 1);
    }

    /**
     * The swift way for what most calls hold: names, and small values that are no collections. Null where anything else stands.
     *
     * @param array<mixed> $values
     */
    private static function plain(array $values): ?string
    {
        $json = '';
        foreach ($values as $name => $value) {
            if (!is_string($name) || $name === '' || $name[0] === '_' || strlen($name) >= 1000) {
                return null;
            }
            if (is_string($value) && strlen($value) < 1000) {
                $value = json_encode($value, self::FLAGS);
            } elseif (is_bool($value)) {
                $value = $value ? 'true' : 'false';
            } elseif (!is_int($value)) {
                return null;
            }
            if (strlen($json) > self::CALL_BYTES_MAX) {
                return null;
            }
            $json .= ($json === '' ? '{' : ',') . json_encode($name, self::FLAGS) . ':' . $value;
        }

        return $json === '' ? '{}' : $json . '}';
    }

    /** @param array<mixed> $list */
    public function records(array $list, string $where): string
    {
        return self::listed($list, $where, fn (mixed $record): string => is_array($record) || $record instanceof \stdClass
            ? $this->record($record, $where)
            : throw HosError::call('hos.call_malformed', "$where is a list of records, not of " . get_debug_type($record)));
    }

    /** What stands where only an entity can. */
    public function entity(HasUid|string $who, string $where): string
    {
        return Uid::of($who)->json($where);
    }

    /** @param array<mixed> $given */
    public function given(array $given): string
    {
        return self::listed($given, 'given', function (mixed $entity, int|string $i): string {
            $where = "given[$i]";
            if (!$entity instanceof Given) {
                throw HosError::call('hos.call_malformed', "$where is a Hos\\Given, not " . get_debug_type($entity));
            }
            $json = '{"uid":' . $this->entity($entity->uid, "$where.uid");
            if ((is_array($entity->attrs) ? $entity->attrs : get_object_vars($entity->attrs)) !== []) {
                $json .= ',"attrs":' . $this->record($entity->attrs, "$where.attrs");
            }
            if ($entity->parents !== []) {
                $parent = fn (HasUid|string $parent): string => $this->entity($parent, "$where.parents");
                $json .= ',"parents":' . self::listed($entity->parents, "$where.parents", $parent);
            }

            return $json . '}';
        });
    }

    /** @param array<mixed> $questions */
    public function questions(array $questions): string
    {
        return self::listed($questions, 'questions', function (mixed $question, int|string $i): string {
            $where = "questions[$i]";
            if (!$question instanceof Question) {
                throw HosError::call('hos.call_malformed', "$where is a Hos\\Question, not " . get_debug_type($question));
            }
            $json = '{"action":' . self::text($question->action, "$where.action") . ',"resource":' . $this->entity($question->resource, "$where.resource");
            if ($question->context !== null) {
                $json .= ',"context":' . $this->record($question->context, "$where.context");
            }
            if ($question->given !== null) {
                $json .= ',"given":' . $this->given($question->given);
            }

            return $json . '}';
        });
    }

    public static function legacy(Legacy|bool $legacy): string
    {
        if (is_bool($legacy)) {
            return $legacy ? '{"allowed":true}' : '{"allowed":false}';
        }
        $state = $legacy->state === null ? '' : ',"state":' . self::text($legacy->state, 'the state of legacy');

        return '{"allowed":' . ($legacy->allowed ? 'true' : 'false') . $state . '}';
    }

    private function value(mixed $value, string $where, int $depth): string
    {
        $json = match (true) {
            is_string($value) => self::text($value, $where),
            is_int($value) => (string) $value,
            is_bool($value) => $value ? 'true' : 'false',
            is_array($value) => array_is_list($value)
                ? $this->items($value, $where, $depth)
                : $this->fields($value, $where, $depth),
            $value instanceof HasUid => '{"__entity":' . $value->hosUid()->json($where) . '}',
            // What a class that extends it keeps to itself is no part of it, as it would be in an array of it.
            $value instanceof \stdClass => $this->fields(get_object_vars($value), $where, $depth),
            $value instanceof Ext => $this->extension($value, $where),
            $value instanceof \DateTimeInterface => $this->extension(Ext::datetime($value), $where),
            $value instanceof \BackedEnum => $this->value($value->value, $where, $depth),
            default => $this->refused($value, $where),
        };
        // With a comma; what a list or a map holds has been counted already. It never comes to more than the call has.
        $holds = is_array($value) || $value instanceof \stdClass && !$value instanceof HasUid;
        $this->room -= $holds ? 2 : strlen($json) + 1;
        if ($this->room < 0) {
            throw self::tooLarge("$where makes the call larger than " . self::CALL_BYTES_MAX . ' bytes');
        }

        return $json;
    }

    /** @param list<mixed> $items */
    private function items(array $items, string $where, int $depth): string
    {
        $this->nested($where, $depth);
        $json = [];
        foreach ($items as $i => $item) {
            $json[] = $this->value($item, $where . '[' . $i . ']', $depth + 1);
        }

        return '[' . implode(',', $json) . ']';
    }

    /** @param array<mixed> $fields */
    private function fields(array $fields, string $where, int $depth): string
    {
        $this->nested($where, $depth);
        $json = [];
        foreach ($fields as $name => $value) {
            $name = (string) $name;
            if (str_starts_with($name, '__')) {
                throw HosError::call('hos.call_malformed', "a name in $where begins with `__`; entities are Hos\\Uid, decimals and the like Hos\\Ext");
            }
            $this->room -= strlen($name);
            // Each level has its place in words.
            $json[] = self::text($name, "a name in $where") . ':' . $this->value($value, "$where." . substr($name, 0, 80), $depth + 1);
        }

        return '{' . implode(',', $json) . '}';
    }

    private function extension(Ext $ext, string $where): string
    {
        return '{"__extn":{"fn":' . self::text($ext->fn, $where) . ',"arg":' . self::text($ext->arg, $where) . '}}';
    }

    private function refused(mixed $value, string $where): string
    {
        $why = match (true) {
            $value === null => 'is null: leave it out',
            is_float($value) && (is_nan($value) || is_infinite($value)) => 'is no number',
            is_float($value) && abs($value) >= 2 ** 63 => 'is a float, as PHP makes of whole numbers beyond 64 bits',
            is_float($value) => 'is a float: give money in its smallest unit, or an Ext::decimal',
            default => 'is of the type ' . get_debug_type($value)
                . '; known are bool, int, string, lists, maps, stdClass, backed enums, dates, Hos\\Uid, Hos\\HasUid and Hos\\Ext',
        };
        throw HosError::call('hos.value_invalid', "$where $why");
    }

    private function nested(string $where, int $depth): void
    {
        if ($depth > self::NESTING_MAX || $this->room < 0) {
            throw self::tooLarge(substr($where, 0, 80) . '.. nests more than ' . self::NESTING_MAX . ' deep, or contains itself');
        }
    }

    private static function tooLarge(string $message): CallError
    {
        return HosError::call('hos.call_too_large', $message);
    }
}
