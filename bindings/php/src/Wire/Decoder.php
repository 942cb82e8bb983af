<?php

declare(strict_types=1);

namespace Hos\Wire;

use Hos\Ext;
use Hos\HosError;
use Hos\Uid;

/**
 * JSON of the wire -> PHP's values.
 *
 * @internal
 */
final class Decoder
{
    // An integer that PHP cannot hold becomes a text, which no typed field takes: never a float that is nearly it.
    private const FLAGS = JSON_BIGINT_AS_STRING | JSON_THROW_ON_ERROR;

    /** @return array<string, mixed> */
    public static function object(string $json): array
    {
        return self::read($json, true);
    }

    /** As `object`, but objects stay objects, so that `{}` and `[]` differ. */
    public static function tree(string $json): \stdClass
    {
        return self::read($json, false);
    }

    private static function read(string $json, bool $arrays): array|\stdClass
    {
        try {
            $read = json_decode($json, $arrays, 512, self::FLAGS);
        } catch (\JsonException $error) {
            throw HosError::internal('the library wrote what is no JSON', $error);
        }

        $fits = $arrays ? is_array($read) : $read instanceof \stdClass;

        return $fits ? $read : throw HosError::internal('the library wrote no object');
    }

    /**
     * Makes typed objects. What does not fit their types is a fault inside, and never a yes.
     *
     * @template T
     * @param \Closure(): T $make
     * @return T
     */
    public static function typed(\Closure $make): mixed
    {
        try {
            return $make();
        } catch (\TypeError|\ValueError|\ErrorException $error) {
            throw HosError::internal('the library answered what this binding does not know; are they of one version?', $error);
        }
    }

    /** A value of a record. */
    public static function value(mixed $value): mixed
    {
        if (is_array($value)) {
            return array_map(self::value(...), $value);
        }
        if (!$value instanceof \stdClass) {
            return $value;
        }
        if (isset($value->__entity)) {
            return new Uid($value->__entity->type, $value->__entity->id);
        }
        if (isset($value->__extn)) {
            return new Ext($value->__extn->fn, $value->__extn->arg);
        }
        $fields = array_map(self::value(...), (array) $value);

        return array_is_list($fields) ? (object) $fields : $fields;
    }
}
