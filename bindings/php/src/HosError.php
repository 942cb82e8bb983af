<?php

declare(strict_types=1);

namespace Hos;

/**
 * There is no answer. One class for each stable class of failure ({@see Status}); `code()` says which one exactly
 * (`hos.store_busy`; `spec/refusal-codes.md` has them all). A denial is no error: it is an {@see Answer}.
 */
abstract class HosError extends \RuntimeException
{
    /** How many of a law's faults a message names; {@see $faults} has them all. */
    private const NAMED_MAX = 3;

    /**
     * @param list<Fault> $faults what is wrong with a law, file by file; empty for other failures
     */
    final public function __construct(
        string $message,
        private readonly string $stable,
        public readonly Status $status,
        public readonly array $faults = [],
        ?\Throwable $previous = null,
    ) {
        parent::__construct("$stable: $message" . self::named($faults), $status->value, $previous);
    }

    /**
     * The first faults, each on its line.
     *
     * @param list<Fault> $faults
     */
    private static function named(array $faults): string
    {
        $named = '';
        foreach (array_slice($faults, 0, self::NAMED_MAX) as $fault) {
            $place = $fault->line > 0 ? "$fault->file:$fault->line" : $fault->file;
            $named .= "\n$place $fault->code: $fault->message";
        }
        $more = count($faults) - self::NAMED_MAX;

        return $more > 0 ? "$named\nand $more more" : $named;
    }

    /** The stable code, `hos.…`. `getCode()` is the number of the class ({@see Status}): PHP wants a number there. */
    final public function code(): string
    {
        return $this->stable;
    }

    /** The error that the library told as JSON. What cannot be read is a fault inside. @internal */
    final public static function told(int $status, ?string $json): self
    {
        try {
            $error = json_decode((string) $json, true, flags: JSON_THROW_ON_ERROR)['error'] ?? null;
        } catch (\JsonException) {
            $error = null;
        }
        $class = Status::tryFrom($status);
        if (!is_array($error) || !is_string($error['code'] ?? null) || !is_string($error['message'] ?? null)) {
            return new InternalError("the library answered $status without words", 'hos.internal', Status::Internal);
        }
        $faults = array_map(Fault::fromWire(...), $error['faults'] ?? []);

        return match ($class) {
            Status::Call => new CallError($error['message'], $error['code'], $class, $faults),
            Status::Closed => new ClosedError($error['message'], $error['code'], $class, $faults),
            Status::Law => new LawError($error['message'], $error['code'], $class, $faults),
            Status::Store => new StoreError($error['message'], $error['code'], $class, $faults),
            Status::Retry => new RetryError($error['message'], $error['code'], $class, $faults),
            Status::Unknown => new OutcomeUnknownError($error['message'], $error['code'], $class, $faults),
            Status::Absent => new AbsentError($error['message'], $error['code'], $class, $faults),
            default => new InternalError($error['message'], $error['code'], Status::Internal, $faults),
        };
    }

    /** A call that PHP refuses by itself, with the code that the wire would have given. @internal */
    final public static function call(string $code, string $message): CallError
    {
        return new CallError($message, $code, Status::Call);
    }

    /** @internal */
    final public static function internal(string $message, ?\Throwable $previous = null): InternalError
    {
        return new InternalError($message, 'hos.internal', Status::Internal, [], $previous);
    }

    /** @internal */
    final public static function closed(string $message): ClosedError
    {
        return new ClosedError($message, 'hos.engine_closed', Status::Closed);
    }
}
