<?php

declare(strict_types=1);

namespace Hos;

use Hos\Wire\Bound;
use Hos\Wire\Decoder;

/**
 * What came of a call. Heed `allowed`, and nothing else: an object is always true in PHP, so `if ($actor->can(..))` asks nothing.
 *
 * What the answer does not say is null. All but `allowed` is read from the library's words when it is first asked for.
 */
final class Answer implements \JsonSerializable
{
    /** What you must heed: the law's word in `enforce`, the world's own in `off` and `shadow`. */
    public readonly bool $allowed;
    /** Why the law refuses: the first blocker's code. */
    public readonly ?string $code;
    /** @var list<Blocker> everything that the law has against it, in order of precedence */
    public readonly array $blockers;
    /** What policies came to, where they were asked. */
    public readonly ?Effect $effect;
    /** @var list<string> ids of the policies and grants that decided */
    public readonly array $policies;
    /** @var list<PolicyError> policies that could not be evaluated */
    public readonly array $errors;
    public readonly Mode $mode;
    /** In `shadow`: law and world differ. */
    public readonly bool $divergence;
    public readonly ?Candidate $candidate;
    /** The hash of the law whose policies were asked. */
    public readonly string $law;
    /** The version of the directory that was judged under. */
    public readonly int $directoryVersion;
    /** The state before. */
    public readonly ?string $from;
    /** The state after; of a refused call the present one. */
    public readonly ?string $to;
    /** The instance's version after. */
    public readonly ?int $version;
    /** @var list<string> deadlines that fired before the call was judged */
    public readonly array $fired;
    /** This is the first answer's receipt once more. */
    public readonly bool $again;
    public readonly ?Receipt $receipt;

    private bool $isRead = false;
    private bool $isReading = false;

    /**
     * @internal
     * @param ?array{int, int, int} $refusal what the engine keeps of a refusal that has no evidence yet
     * @param bool $ofAll whether it is one of those that {@see Actor::all} gave
     */
    public function __construct(
        private readonly Bound $bound,
        bool $allowed,
        private readonly string $json,
        private readonly ?array $refusal = null,
        private readonly bool $ofAll = false,
    ) {
        $this->allowed = $allowed;
        // What was unset, not only never set, is asked of `__get`.
        unset(
            $this->code, $this->blockers, $this->effect, $this->policies, $this->errors, $this->mode, $this->divergence,
            $this->candidate, $this->law, $this->directoryVersion, $this->from, $this->to, $this->version, $this->fired,
            $this->again, $this->receipt,
        );
    }

    /** @internal */
    public function isOfAll(): bool
    {
        return $this->ofAll;
    }

    public function __get(string $name): mixed
    {
        if (!property_exists($this, $name)) {
            throw new \Error("an answer has no `$name`");
        }
        // PHP comes here twice for `$answer->code ?? ..`, the second time with all read.
        if (!$this->isRead) {
            $this->isRead = $this->isReading = true;
            try {
                Decoder::typed(fn () => $this->read(Decoder::object($this->json)));
            } finally {
                $this->isReading = false;
            }
        }

        return $this->$name;
    }

    public function __set(string $name, mixed $value): void
    {
        // What was unset comes here too when it is read in.
        if (!$this->isReading) {
            throw new \Error("an answer is read only; `$name` was written");
        }
        $this->$name = $value;
    }

    public function __isset(string $name): bool
    {
        return property_exists($this, $name) && $this->__get($name) !== null;
    }

    /** @param array<string, mixed> $a */
    private function read(array $a): void
    {
        if (($a['allowed'] ?? null) !== $this->allowed) {
            throw new \ValueError('status and answer differ');
        }
        $this->code = $a['code'] ?? null;
        $this->blockers = array_map(Blocker::fromWire(...), $a['blockers']);
        $this->effect = isset($a['effect']) ? Effect::from($a['effect']) : null;
        $this->policies = $a['policies'];
        $this->errors = array_map(PolicyError::fromWire(...), $a['errors']);
        $this->mode = Mode::from($a['mode']);
        $this->divergence = $a['divergence'];
        $this->candidate = isset($a['candidate']) ? Candidate::fromWire($a['candidate']) : null;
        $this->law = $a['law'];
        $this->directoryVersion = $a['directory_version'];
        $this->from = $a['from'] ?? null;
        $this->to = $a['to'] ?? null;
        $this->version = $a['version'] ?? null;
        $this->fired = $a['fired'];
        $this->again = $a['again'];
        $this->receipt = isset($a['receipt']) ? Receipt::fromWire($a['receipt']) : null;
    }

    /**
     * What the law says of the refusal to an end user; null where nothing was refused.
     *
     * @param ?string $language `tr`, `en`, ..; the actor's if null, and English if it has none
     * @throws HosError
     */
    public function message(?string $language = null): ?string
    {
        if ($this->code === null) {
            return null;
        }
        $said = $this->blockers[0]->message ?? null;
        if ($said !== null && ($language === null || $language === $this->bound->language)) {
            return $said;
        }

        return $this->bound->tenant->message($this->code, $language ?? $this->bound->language ?? 'en');
    }

    /** @internal @return ?array{int, int, int} */
    public function kept(): ?array
    {
        return $this->refusal;
    }

    /** The answer as the wire has it. */
    public function jsonSerialize(): mixed
    {
        return Decoder::tree($this->json);
    }

    /** @return array<string, mixed> for `var_dump`: what anybody can read of it, by its own name */
    public function __debugInfo(): array
    {
        $shown = [];
        foreach ((new \ReflectionClass($this))->getProperties(\ReflectionProperty::IS_PUBLIC) as $property) {
            $shown[$property->name] = $this->{$property->name};
        }

        return $shown;
    }
}
