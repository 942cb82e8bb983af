<?php

declare(strict_types=1);

namespace Hos\Wire;

use Hos\CallError;
use Hos\Native\Handle;

/**
 * What is asked in place of a call that could not be written, where the caller said what the world decided by itself (`legacy`):
 * only where the law watches does the world's own outcome stand, and the library knows whether it does.
 *
 * Nothing of what could not be written goes along, in no form: it might be read as something else than it is. What goes along is
 * the little that says which mode is in force, and something that is refused for sure, with the code of what was wrong.
 *
 * @internal
 */
final class Instead
{
    /** What the wire refuses whatever stands beside it. The call has no principal either, so none of these is ever judged. */
    private const REFUSED = [
        'hos.id_invalid' => '"principal":{"type":"","id":""}',
        'hos.value_invalid' => '"fault":null',
        'hos.call_malformed' => '"fault":true',
    ];
    /** Deeper than the wire reads. */
    private const NESTING = 65;

    /**
     * @param array<mixed> $call its words: of them `tenant`, `language`, `action`, `contract` and `event` are heeded
     * @param bool $world the world's own outcome
     * @param \Throwable $fault why the call could not be written; thrown where the world's outcome does not stand
     * @param-out int $status `1` or `0`
     */
    public static function told(
        Handle $handle,
        string $operation,
        array $call,
        bool $world,
        \Throwable $fault,
        ?int &$status,
    ): string {
        $json = '';
        foreach (['tenant', 'language', 'action', 'contract', 'event'] as $name) {
            $text = $call[$name] ?? null;
            if (is_string($text) && $text !== '') {
                // Bytes that are no text become U+FFFD, which stands in no name.
                $json .= "\"$name\":" . json_encode($text, JSON_INVALID_UTF8_SUBSTITUTE) . ',';
            }
        }
        $json .= '"legacy":' . Encoder::legacy($world) . ',' . self::refused($fault);
        try {
            return $handle->call($operation, '{' . $json . '}', $status);
        } catch (CallError) {
            throw $fault;
        }
    }

    /** Something that is refused with the fault's own code; what is no fault of ours is a value that could not be had. */
    private static function refused(\Throwable $fault): string
    {
        $code = $fault instanceof CallError ? $fault->code() : 'hos.value_invalid';

        return match ($code) {
            'hos.call_too_large' => '"fault":' . str_repeat('[', self::NESTING) . str_repeat(']', self::NESTING),
            default => self::REFUSED[$code] ?? self::REFUSED['hos.call_malformed'],
        };
    }
}
