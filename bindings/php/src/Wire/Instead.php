<?php

declare(strict_types=1);

namespace Hos\Wire;

use Hos\CallError;
use Hos\HosError;
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
    /** Longer than any name, and what is told of a failure's words: neither is to cost what was too much before. */
    private const TEXT_BYTES = 1000;

    /**
     * @param array<mixed> $call its words: of them `tenant`, `language`, `action`, `contract` and `event` are heeded
     * @param bool $world the world's own outcome
     * @param \Throwable $fault why the call could not be written; thrown where the world's outcome does not stand
     * @param-out int $status `1` or `0`
     * @param ?string $function which of the caller's functions threw it: the name of what it gives
     */
    public static function told(
        Door $handle,
        string $operation,
        array $call,
        bool $world,
        \Throwable $fault,
        ?int &$status,
        ?string $function = null,
    ): string {
        $json = '';
        foreach (['tenant', 'language', 'action', 'contract', 'event'] as $name) {
            $text = $call[$name] ?? null;
            if (is_string($text) && $text !== '') {
                // Bytes that are no text become U+FFFD, which stands in no name.
                $text = substr($text, 0, self::TEXT_BYTES);
                $json .= "\"$name\":" . json_encode($text, JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR) . ',';
            }
        }
        // What is no fault of ours is a value that could not be had; or the call is incomplete, for a function has failed.
        $code = $fault instanceof HosError ? $fault->code() : ($function === null ? 'hos.value_invalid' : 'hos.call_malformed');
        $refused = $code === 'hos.call_too_large' || isset(self::REFUSED[$code]) ? $code : 'hos.call_malformed';
        $json .= '"legacy":' . Encoder::legacy($world) . ','
            . (self::REFUSED[$refused] ?? '"fault":' . str_repeat('[', self::NESTING) . str_repeat(']', self::NESTING));
        try {
            $json = $handle->call($operation, '{' . $json . '}', $status, true);

            return self::named($json, $refused, $code, self::said($fault, $function));
        } catch (CallError) {
            throw $fault;
        }
    }

    /** What failed, in its own words. Those of a failure of ours do without its code, which stands beside them. */
    public static function said(\Throwable $fault, ?string $function = null): string
    {
        $message = $fault->getMessage();
        $said = match (true) {
            $function !== null => "$function: the function failed: " . get_debug_type($fault) . ": $message",
            $fault instanceof HosError => substr($message, strlen("{$fault->code()}: ")),
            default => get_debug_type($fault) . ": $message",
        };

        return substr($said, 0, self::TEXT_BYTES);
    }

    /** The answer with the fault's own code and words in the blocker: the wire speaks of what stood there instead. */
    private static function named(string $json, string $refused, string $code, string $said): string
    {
        $answer = Decoder::tree($json);
        $blocker = $answer->blockers[0] ?? null;
        if (($blocker->code ?? null) !== $refused) {
            return $json;
        }
        $blocker->detail = $said;
        if ($code !== $refused) {
            $answer->code = $blocker->code = $code;
            unset($blocker->message);
        }

        return json_encode($answer, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR);
    }
}
