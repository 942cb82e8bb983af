<?php

declare(strict_types=1);

namespace Hos;

/** An entity's type and id: `new Uid('Pazar::Account', 'ayse')`. Whether they are sound is for the engine to say. */
final class Uid implements HasUid, \Stringable
{
    public function __construct(public readonly string $type, public readonly string $id)
    {
    }

    /**
     * Reads Cedar's form, `Pazar::Account::"ayse"`; the escapes are `\"`, `\\`, `\n`, `\r`, `\t`, `\0`.
     *
     * @throws CallError `hos.id_invalid`; `hos.call_too_large`: no call could hold it
     */
    public static function parse(string $text): self
    {
        $bytes = strlen($text);
        Wire\Encoder::bounded($bytes, 'an entity');
        if (preg_match('/\A(.*?)::"((?:[^"\\\\]|\\\\["\\\\nrt0])*)"\z/s', $text, $found) !== 1) {
            $shown = json_encode(substr($text, 0, 80), JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR);
            throw HosError::call('hos.id_invalid', "$shown is no entity: expected Type::\"id\"");
        }
        $escapes = ['\\"' => '"', '\\\\' => '\\', '\\n' => "\n", '\\r' => "\r", '\\t' => "\t", '\\0' => "\0"];

        $id = strtr($found[2], $escapes);

        return new self($found[1], $id);
    }

    /** Of what stands for an entity: itself, its text in Cedar's form, or an object that says its own. */
    public static function of(HasUid|string $who): self
    {
        return match (true) {
            $who instanceof self => $who,
            is_string($who) => self::parse($who),
            default => $who->hosUid(),
        };
    }

    public function hosUid(): self
    {
        return $this;
    }

    public function equals(HasUid $other): bool
    {
        $other = $other->hosUid();

        return $this->type === $other->type && $this->id === $other->id;
    }

    /** Cedar's form, which `parse` reads. */
    public function __toString(): string
    {
        $escapes = ['"' => '\\"', '\\' => '\\\\', "\n" => '\\n', "\r" => '\\r', "\t" => '\\t', "\0" => '\\0'];

        return $this->type . '::"' . strtr($this->id, $escapes) . '"';
    }

    /** `{"type":..,"id":..}`. @internal */
    public function json(string $where): string
    {
        return '{"type":' . Wire\Encoder::text($this->type, "the type of $where")
            . ',"id":' . Wire\Encoder::text($this->id, "the id of $where") . '}';
    }
}
