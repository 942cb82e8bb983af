<?php

declare(strict_types=1);

namespace Hos\Tests\Support;

/** The normal form of answers in the call vectors. */
final class Normal
{
    public const FLAGS = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION | JSON_THROW_ON_ERROR;

    public static function text(mixed $value): string
    {
        return json_encode(self::form($value), self::FLAGS);
    }

    private static function form(mixed $value): mixed
    {
        if (is_array($value)) {
            return array_map(self::form(...), $value);
        }
        if (!$value instanceof \stdClass) {
            return $value;
        }
        $fields = [];
        foreach ((array) $value as $name => $field) {
            if (in_array($name, ['law', 'guard_law', 'time'], true)) {
                continue;
            }
            $fields[$name] = match (true) {
                $name === 'receipt' && $field instanceof \stdClass => self::receipt($field),
                $name === 'deadlines' && $field instanceof \stdClass => self::names($field),
                default => self::form($field),
            };
        }
        ksort($fields, SORT_STRING);

        return (object) $fields;
    }

    private static function receipt(\stdClass $receipt): \stdClass
    {
        // One that is in its normal form already says `sealed` itself.
        $sealed = $receipt->sealed ?? isset($receipt->seal);

        return (object) ['n' => $receipt->n, 'sealed' => $sealed, 'tenant' => $receipt->tenant];
    }

    /** @return list<string> */
    private static function names(\stdClass $deadlines): array
    {
        $names = array_map(strval(...), array_keys((array) $deadlines));
        sort($names, SORT_STRING);

        return $names;
    }
}
