<?php

declare(strict_types=1);

namespace Hos\Pdo;

use Hos\HosError;
use Hos\Native\Door;
use Hos\Native\Handle;
use Hos\Native\Library;
use Hos\Uid;
use Hos\Wire\Decoder;
use Hos\Wire\Encoder;
use Hos\Wire\Instead;

/**
 * An engine in the caller's own transaction (`spec/joined-transaction.md`): it says which statements to run, they are run here on the
 * caller's connection, and their rows handed back, until there is an answer.
 *
 * @internal
 */
final class Joined implements Door
{
    private const ON_ITS_WAY = 2;
    /** What is answered by yes or no. */
    private const ANSWERED = ['can', 'can_all', 'begin', 'transition', 'record', 'directory', 'adopt', 'legacy', 'all'];
    /** What a step is made of: none of them is a call, and a claim says neither yes nor no. */
    private const PARTS = ['claim', 'leave', 'go_on', 'apart', 'refused', 'instead'];
    /** What is asked, and needs no transaction. */
    private const ASKING = ['can', 'can_all', 'message'];
    /** What writes nothing, and needs no transaction. */
    private const READING = ['can', 'can_all', 'instead'];
    private const FLAGS = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR;
    /** How much of a call that failed is told once more. */
    private const TOLD_BYTES_MAX = 31 << 20;

    private readonly Library $native;
    private readonly Connection $connection;
    private int $engine = 0;
    private int $pid = 0;
    /** Whether the engine is nobody else's. */
    private bool $own = false;
    private bool $closed = false;
    /** Whether the connection takes several statements in one text, as far as is known. */
    private bool $together;

    /** @param array<string, mixed> $options */
    public function __construct(\PDO $pdo, private readonly array $options, ?Library $library = null)
    {
        $this->connection = new Connection($pdo);
        $this->together = $this->connection->dialect !== 'sqlite';
        $this->native = $library ?? Handle::library();
    }

    public function call(
        string $operation,
        string $call,
        ?int &$status,
        bool $watched = false,
        ?array &$refusal = null,
    ): string {
        $asked = function () use ($operation, $call): array {
            self::whole($operation);

            // Neither a question nor a word needs a transaction.
            return $this->step($operation, !in_array($operation, self::ASKING, true) && $this->connection->isInside(), $call);
        };
        [$status, $told] = $watched
            ? Connection::unbroken(fn (): array => $this->watched($operation, $call))
            : $this->during($asked);
        $refusal = isset($told->refusal) ? [$this->engine, $this->pid, $told->refusal] : null;

        if (isset($told->answer, $told->earlier)) {
            $told->answer->earlier = $told->earlier;
        }

        if (in_array($operation, self::ANSWERED, true)) {
            return self::answer($told);
        }
        unset($told->settle);

        return json_encode($told, self::FLAGS);
    }

    /**
     * A call that watches: it must not spoil the transaction that there is, whatever it asks.
     *
     * @return array{int, \stdClass}
     */
    private function watched(string $operation, string $call): array
    {
        $inside = $this->during($this->connection->isInside(...));
        try {
            self::whole($operation);

            return $this->apart($operation, $inside, $call);
        } catch (\Throwable $fault) {
            $inside && $this->lost($fault);

            return $this->instead($operation, $call, $inside, $fault);
        }
    }

    /** Refuses what is no call. */
    private static function whole(string $operation): void
    {
        if (in_array($operation, self::PARTS, true)) {
            throw HosError::call('hos.call_malformed', "`$operation` is a part of a call, and none by itself");
        }
    }

    public function can(string $tenant, Uid $principal, string $action, Uid $resource, string $beside, ?int &$status): string
    {
        $call = '{"tenant":' . Encoder::text($tenant, 'tenant') . ',"principal":' . $principal->json('the principal')
            . ',"action":' . Encoder::text($action, 'action') . ',"resource":' . $resource->json('resource')
            . ($beside === '' || $beside === '{}' ? '}' : ',' . substr($beside, 1));

        return $this->call('can', $call, $status);
    }

    public function claim(string $operation, string $call): \Closure
    {
        $call = substr($call, 0, -1) . ',"operation":' . Encoder::text($operation, 'operation') . '}';
        $inside = $this->during($this->connection->isInside(...));
        [, $told] = $this->during(fn (): array => $this->step('claim', $inside, $call));

        return fn () => $this->during(function () use ($told): void {
            // A deadlock has taken the claims with the transaction; what leaves them would commit by itself.
            if (!$this->connection->isInside(asked: true)) {
                return;
            }
            foreach ($told->leave as $said) {
                $this->connection->run($said);
            }
        });
    }

    public function guard(bool $asked = false): \Closure
    {
        $inside = $this->during(fn (): bool => $this->connection->isInside($asked));

        return function (\Throwable $fault) use ($inside): void {
            $inside && $this->lost($fault);
        };
    }

    /** Throws the fault where it has taken the transaction with it. */
    private function lost(\Throwable $fault): void
    {
        if ($this->during($this->connection->isLost(...))) {
            throw $this->connection->passing($fault) ?? $fault;
        }
    }

    public function beside(\Closure $work): mixed
    {
        if (!$this->during($this->connection->isInside(...))) {
            return $work();
        }
        $given = $this->connection->dialect === 'postgres' ? $this->saved($work) : $work();

        // The work may have caught the error that ended it, and gone on.
        return $this->during($this->connection->isInside(...)) ? $given : throw Connection::outside();
    }

    /**
     * In PostgreSQL a statement of the caller's that fails would end the transaction; elsewhere it leaves it as it is, or has ended it.
     *
     * @template T
     * @param \Closure(): T $work
     * @return T
     */
    private function saved(\Closure $work): mixed
    {
        $say = fn (string $sql): int => $this->during(fn (): int => $this->connection->pdo->exec($sql));
        $say('SAVEPOINT hos_saved');
        try {
            $given = $work();
            $say('RELEASE SAVEPOINT hos_saved');

            return $given;
        } catch (\Throwable $fault) {
            try {
                $say('ROLLBACK TO SAVEPOINT hos_saved; RELEASE SAVEPOINT hos_saved');
            } catch (HosError) {
                // The connection is lost, or the work has ended the transaction.
            }

            throw $fault;
        }
    }

    public function refused(array $refusal): string
    {
        [$engine, $pid, $number] = $refusal;
        // It is made evidence of by one step, which is not begun twice.
        $inside = $this->during(fn (): bool => $this->connection->isInside(asked: true));
        $work = function () use ($engine, $pid, $number, $inside): array {
            if ([$this->engine(), $this->pid] !== [$engine, $pid]) {
                throw HosError::call('hos.call_malformed', 'the refusal is another engine\'s, or another process\'s');
            }

            return $this->step('refused', $inside, "{\"refusal\":$number}");
        };

        return self::answer($this->during($work)[1]);
    }

    /**
     * What the world decided by itself, in place of an answer that could not be had: the engine knows whether the law leaves it that, and
     * has it read where nothing was read yet.
     *
     * @return array{int, \stdClass}
     * @throws \Throwable the fault, where it does not
     */
    private function instead(string $operation, string $call, bool $inside, \Throwable $fault): array
    {
        if ($this->engine === 0 || $this->pid !== (int) getmypid()) {
            throw $fault;
        }
        // So large is only JSON of the caller's own. There may be no memory to write it once more, escaped, or with what stands for
        // bytes that are no text.
        if (strlen($call) > Encoder::CALL_BYTES_MAX && (Encoder::escaped($call) > self::TOLD_BYTES_MAX || preg_match('//u', $call) !== 1)) {
            throw $fault;
        }
        $code = $fault instanceof HosError ? $fault->code() : 'hos.internal';
        $words = ['operation' => $operation, 'call' => $call, 'code' => $code, 'message' => Instead::said($fault)];
        $words = json_encode($words, self::FLAGS | JSON_INVALID_UTF8_SUBSTITUTE);
        try {
            return $this->apart('instead', $inside, $words);
        } catch (HosError) {
            throw $fault;
        }
    }

    /**
     * A step that watches, in a savepoint of its own.
     *
     * @return array{int, \stdClass}
     */
    private function apart(string $operation, bool $inside, string $call): array
    {
        $step = fn (): array => $this->step($operation, $inside, $call);

        return $this->during($inside ? fn (): array => $this->connection->apart($step) : $step);
    }

    /** What is settled without an answer is no yes. */
    private static function answer(\stdClass $told): string
    {
        $answer = $told->answer ?? throw HosError::internal('the library settled a step without an answer');

        return json_encode($answer, self::FLAGS);
    }

    /**
     * One step, round by round.
     *
     * @return array{int, \stdClass} status, and what the engine told at the end
     */
    private function step(string $operation, bool $inside, string $call): array
    {
        $engine = $this->engine();
        $status = $this->native->step($engine, $operation, (int) $inside, $call, $json);
        $told = Decoder::tree($json);
        if ($status === self::ON_ITS_WAY) {
            try {
                [$status, $told, $json] = !$inside && in_array($operation, self::READING, true)
                    ? $this->connection->reading(fn (): array => $this->rounds($engine, $operation, $inside, $told))
                    : $this->rounds($engine, $operation, $inside, $told);
            } catch (\Throwable $error) {
                $this->native->step($engine, 'leave', -1, "{\"step\":$told->step}", $left);

                throw $error;
            }
        }
        if (($told->settle ?? []) !== []) {
            $this->connection->settle($told->settle);
        }
        if (isset($told->text)) {
            $this->connection->together($told->text, last: true) ?? throw HosError::internal('the connection took one text, and not the next');
        }

        return $status === 1 || $status === 0 ? [$status, $told] : throw HosError::told($status, $json);
    }

    /**
     * The rounds of a step that is on its way.
     *
     * @return array{int, \stdClass, string} status, and what the engine told at the end, read and as it was
     */
    private function rounds(int $engine, string $operation, bool $inside, \stdClass $told): array
    {
        // Whether it is to be made sure yet that there is a transaction: the first text does it, where there is one.
        $guard = match (true) {
            !$inside || $this->connection->dialect !== 'mysql' || $operation === 'refused' => null,
            $operation === 'instead' => Connection::GUARD,
            default => Connection::GUARD_WRITES,
        };
        do {
            $result = isset($told->text) && $this->together ? $this->connection->together($told->text, guard: $guard) : null;
            if (isset($told->text) && $result === null) {
                $this->together = false;
                $this->native->step($engine, 'apart', -1, "{\"step\":$told->step}", $json);
                $told = Decoder::tree($json);
            }
            if ($guard !== null && $result === null) {
                $this->connection->guard($guard);
            }
            $guard = null;
            $given = $result === null ? ['rows' => array_map($this->connection->run(...), $told->need)] : ['result' => $result];
            $given = json_encode(['step' => $told->step] + $given, self::FLAGS);
            $status = $this->native->step($engine, 'go_on', (int) $inside, $given, $json);
            $told = Decoder::tree($json);
        } while ($status === self::ON_ITS_WAY);

        return [$status, $told, $json];
    }

    /** The engine's number in this process: what is known of a database's law and directory is known to all who are connected to it. */
    private function engine(): int
    {
        if ($this->closed) {
            throw HosError::closed('the engine was closed; open it again');
        }
        $pid = (int) getmypid();
        if ($this->pid !== $pid) {
            $database = $this->options['database'] ?? $this->connection->reading($this->connection->database(...));
            $options = ['database' => $database] + $this->options + ['dialect' => $this->connection->dialect, 'places' => 'question'];
            $options['together'] = true;
            $options = array_filter($options, static fn (mixed $option): bool => $option !== null);
            $status = $this->native->openJoined((new Encoder())->record($options, 'options'), $number, $json);
            if ($status !== 1) {
                throw HosError::told($status, $json);
            }
            [$this->engine, $this->pid, $this->own] = [$number, $pid, $database === null];
        }

        return $this->engine;
    }

    /**
     * @template T
     * @param \Closure(): T $work
     * @return T
     */
    private function during(\Closure $work): mixed
    {
        return $this->connection->during($work);
    }

    /** Runs the caller's work in a transaction of its own, and again where it is in another's way. @see \Hos\Engine::transaction */
    public function transaction(callable $work, int $tries): mixed
    {
        return (new Transaction($this->connection))->run($work, $tries);
    }

    public function close(): void
    {
        if ($this->closed) {
            throw HosError::closed('the engine was closed before');
        }
        $this->closed = true;
        $this->leave();
    }

    public function __destruct()
    {
        $this->closed || $this->leave();
    }

    /** One that others share stays: they are connected to the same database. */
    private function leave(): void
    {
        if ($this->own && $this->pid === (int) getmypid()) {
            $this->native->close($this->engine, $json);
        }
    }

    public function __clone()
    {
        throw HosError::internal('a connection is not copied');
    }
}
