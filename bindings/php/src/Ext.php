<?php

declare(strict_types=1);

namespace Hos;

/** A value of Cedar's that PHP has no type for. Whether `arg` is sound is for the engine to say. */
final class Ext
{
    /**
     * @param string $fn `decimal`, `datetime`, `duration` or `ip`
     * @param string $arg the value as Cedar writes it
     */
    public function __construct(public readonly string $fn, public readonly string $arg)
    {
    }

    /** At most four digits after the point: `Ext::decimal('1.50')`. */
    public static function decimal(string $arg): self
    {
        return new self('decimal', $arg);
    }

    /** A moment; of a `DateTimeInterface` what is finer than a millisecond is left off. */
    public static function datetime(\DateTimeInterface|string $arg): self
    {
        if ($arg instanceof \DateTimeInterface) {
            $utc = \DateTimeImmutable::createFromInterface($arg)->setTimezone(new \DateTimeZone('UTC'));
            $arg = $utc->format('Y-m-d\TH:i:s.v\Z');
        }

        return new self('datetime', $arg);
    }

    /** `Ext::duration('1d2h')`. */
    public static function duration(string $arg): self
    {
        return new self('duration', $arg);
    }

    /** An address or a range: `Ext::ip('10.0.0.0/8')`. */
    public static function ip(string $arg): self
    {
        return new self('ip', $arg);
    }
}
