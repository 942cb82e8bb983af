<?php

declare(strict_types=1);

namespace Hos\Wire;

use Hos\CallError;
use Hos\Native\Door;

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
        Door $handle,
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
                $json .= "\"$name\":" . json_encode($text, JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR) . ',';
            }
        }
        // What is no fault of ours is a value that could not be had.
        $code = $fault instanceof CallError ? $fault->code() : 'hos.value_invalid';
        $json .= '"legacy":' . Encoder::legacy($world) . ',' . match ($code) {
            'hos.call_too_large' => '"fault":' . str_repeat('[', self::NESTING) . str_repeat(']', self::NESTING),
            default => self::REFUSED[$code] ?? self::REFUSED['hos.call_malformed'],
        };
        try {
            return self::named($handle->call($operation, '{' . $json . '}', $status, true), $code, $fault);
        } catch (CallError) {
            throw $fault;
        }
    }

    /** The answer with the fault's own words in the blocker: the wire speaks of what stood there instead. */
    private static function named(string $json, string $code, \Throwable $fault): string
    {
        $answer = Decoder::tree($json);
        $blocker = $answer->blockers[0] ?? null;
        if (($blocker->code ?? null) !== $code) {
            return $json;
        }
        $message = $fault->getMessage();
        $ours = $fault instanceof CallError;
        $blocker->detail = $ours ? substr($message, strlen("$code: ")) : get_class($fault) . ": $message";

        return json_encode($answer, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR);
    }
}
