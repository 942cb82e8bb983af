<?php

declare(strict_types=1);

namespace Hos;

use Hos\Native\Door;
use Hos\Native\Handle;
use Hos\Native\Path;
use Hos\Pdo\Joined;
use Hos\Wire\Encoder;
use Hos\Wire\Instead;

/**
 * An open store.
 *
 *     $pazar = Hos\Engine::open('/srv/pazar/law', store: '/srv/pazar/hos.db')->tenant('pazar-tr')->as($user);
 *
 * Or a store in your own database, whose calls run in the transaction of your own connection (`\PDO` to PostgreSQL, MySQL, MariaDB or
 * SQLite): your rows and the evidence are one commit.
 *
 *     $engine = Hos\Engine::open('/srv/pazar/law', store: $pdo);
 *
 * A process that opens a store again by the same options gets the engine that it has: under PHP-FPM it stays open from request to
 * request of a worker. After a fork a child opens its own at its first call.
 */
final class Engine
{
    /** Which options are paths. A relative one is meant from the present directory, which differs from request to request. */
    private const PATHS = ['store', 'law', 'key_file', 'signer_socket', 'mark'];
    /** The URL of a database, or what PDO calls one. */
    private const URL = '~://|^\s*(pgsql|postgres|mysql|mariadb|sqlite)[\w+]*:~i';

    /** @param ?\Throwable $absent why it could not be opened, of an engine that {@see openForShadow} gave; else null */
    private function __construct(private readonly Door $handle, public readonly ?\Throwable $absent = null)
    {
    }

    /**
     * Opens a store that exists (`hos init` makes one).
     *
     * @param ?string $law the law's directory, which must be the active law; null: the active one, whatever it is
     * @param string|\PDO $store the store's file; or a connection to the database that the store is in. Then nobody signs here, and of
     *                           the options below only `directoryAgeMaxMs` and `database` are some
     * @param ?string $keyFile, $signerSocket, $signerCommand who signs, at most one; `<store>.key` if none
     * @param ?string $mark the file outside the store that keeps the newest checkpoints
     * @param ?int $busyTimeoutMs how long to wait for another process; 10000 if not said
     * @param ?int $directoryAgeMaxMs within which time `can` sees what other processes changed in the directory; 500 if not said, 0: it
     *                                asks the store each time
     * @param ?string $database by what name this process knows the database that `$store` is connected to; not said: the database is
     *                          asked who it is, which is one question more for each connection
     * @throws HosError
     */
    public static function open(
        ?string $law,
        #[\SensitiveParameter] string|\PDO $store,
        ?string $keyFile = null,
        ?string $signerSocket = null,
        #[\SensitiveParameter] ?string $signerCommand = null,
        ?string $mark = null,
        ?Sealing $seal = null,
        ?int $busyTimeoutMs = null,
        ?int $directoryAgeMaxMs = null,
        ?string $database = null,
    ): self {
        $said = static fn (mixed $option): bool => $option !== null;
        $ours = array_filter([
            'key_file' => $keyFile,
            'signer_socket' => $signerSocket,
            'signer_command' => $signerCommand,
            'mark' => $mark,
            'seal' => $seal,
            'busy_timeout_ms' => $busyTimeoutMs,
        ], $said);
        $any = array_filter(['law' => $law, 'directory_age_max_ms' => $directoryAgeMaxMs], $said);
        if (is_string($store)) {
            if ($database !== null) {
                throw HosError::call('hos.call_malformed', 'database: a file is its own name; it is said of a connection');
            }

            return self::openWith(['store' => $store] + $any + $ours);
        }
        if ($ours !== []) {
            $names = implode(', ', array_keys($ours));
            throw HosError::call('hos.call_malformed', "$names: a connection of yours is joined without them; `hos work` has the key");
        }

        return new self(new Joined($store, self::whole($any + ($database === null ? [] : ['database' => $database]))));
    }

    /**
     * Opens by options as the C ABI names them (`spec/c-abi.md`).
     *
     * @param array<string, mixed> $options
     * @param bool $shared false: an engine of one's own, which nobody else in the process is given, or closes; it is closed when nothing
     *                     that came of it is held any more
     * @throws HosError
     */
    public static function openWith(#[\SensitiveParameter] array $options, bool $shared = true): self
    {
        // A path would be made of it, and told in an error: with the password that stands in it.
        if (is_string($options['store'] ?? null) && preg_match(self::URL, $options['store']) === 1) {
            throw HosError::call('hos.call_malformed', '`store` is a file\'s name: where it lies in a database, give the connection (a \PDO), not its URL');
        }

        return new self(Handle::open((new Encoder())->record(self::whole($options), 'options'), $shared));
    }

    /**
     * @param array<string, mixed> $options
     * @return array<string, mixed> with whole paths, and in one order, so that the same options are the same bytes
     */
    private static function whole(#[\SensitiveParameter] array $options): array
    {
        foreach (self::PATHS as $name) {
            $path = $options[$name] ?? null;
            if (is_string($path) && $path !== '') {
                $options[$name] = Path::whole($name, $path);
            }
        }
        ksort($options);

        return $options;
    }

    /**
     * Opens as {@see open} does, for code whose own answers stand (`shadow` of {@see Actor}): it never throws. Where nothing can be
     * opened it gives an engine that stands in: its `shadow` calls run the world's code and no more, every other call throws what
     * {@see $absent} says.
     *
     * The parameters are those of {@see open}, and have to be said as there; here no type stops them.
     *
     * @param mixed ...$strange what `open` does not have: then nothing is opened
     */
    public static function openForShadow(
        mixed $law = false,
        #[\SensitiveParameter] mixed $store = null,
        mixed $keyFile = null,
        mixed $signerSocket = null,
        #[\SensitiveParameter] mixed $signerCommand = null,
        mixed $mark = null,
        mixed $seal = null,
        mixed $busyTimeoutMs = null,
        mixed $directoryAgeMaxMs = null,
        mixed $database = null,
        #[\SensitiveParameter] mixed ...$strange,
    ): self {
        set_error_handler(static fn (): bool => true);
        try {
            return self::open(
                $law,
                $store,
                $keyFile,
                $signerSocket,
                $signerCommand,
                $mark,
                $seal,
                $busyTimeoutMs,
                $directoryAgeMaxMs,
                $database,
                ...$strange,
            );
        } catch (\Throwable $why) {
            $strange === [] || self::hide($why);

            return new self(Handle::absent($why), $why);
        } finally {
            restore_error_handler();
        }
    }

    /**
     * Takes what the two were given out of a trace: PHP hides no argument that a variadic collects by name, nor one too many, and the
     * password may stand under a misspelt `store`.
     */
    private static function hide(\Throwable $why): void
    {
        $ours = ['open', 'openForShadow'];
        $shown = static fn (array $frame): array => array_diff_key($frame, in_array($frame['function'], $ours, true) ? ['args' => null] : []);
        $trace = new \ReflectionProperty($why instanceof \Error ? \Error::class : \Exception::class, 'trace');
        $trace->setValue($why, array_map($shown, $why->getTrace()));
    }

    /** The library's version. */
    public static function version(): string
    {
        return Handle::library()->version();
    }

    /** The tenant, of this or any name: whether it is there is found at the first call. */
    public function tenant(string $name): Tenant
    {
        return new Tenant($this->handle, $name);
    }

    /**
     * Runs work in a transaction of your connection (`store: $pdo`), and all of it again where it was in another's way: a deadlock, a
     * lock that took too long, a row that changed meanwhile, be it in a call or in a statement of yours. Between two tries it pauses for
     * some milliseconds, by chance.
     *
     *     $paid = $engine->transaction(function (\PDO $pdo) use ($pazar): Hos\Answer { ...; return $pazar->transition(..); });
     *
     * It commits when the work returns, and gives what it returned; it rolls back where that is an {@see Answer} that is no, or the
     * list of {@see Actor::all} that ends in one, and where the work throws, which goes through.
     *
     * @param callable(\PDO): mixed $work may run several times: it does nothing outside of the transaction
     * @param int $tries how often it runs at most, 1 at least
     * @throws RetryError it was in another's way each time
     * @throws OutcomeUnknownError the connection was lost in the commit
     */
    public function transaction(callable $work, int $tries = 5): mixed
    {
        return $this->handle instanceof Joined
            ? $this->handle->transaction($work, $tries)
            : throw HosError::call('hos.call_malformed', 'the engine has a store of its own: a transaction is joined by `store: $pdo`');
    }

    /**
     * Any operation of `spec/answer.md`, in its own words.
     *
     * @param array<string, mixed>|string $call an array of values, or JSON, which is handed on as it is
     * @throws HosError
     */
    public function call(string $operation, array|string $call): Reply
    {
        try {
            $json = is_string($call) ? $call : (new Encoder())->record($call, 'call');
        } catch (\Throwable $fault) {
            $world = ((array) ($call['legacy'] ?? []))['allowed'] ?? null;
            $json = is_bool($world) ? Instead::told($this->handle, $operation, $call, $world, $fault, $status) : throw $fault;

            return new Reply(Status::from($status), $json);
        }
        $json = $this->handle->call($operation, $json, $status, is_array($call) ? isset($call['legacy']) : str_contains($call, '"legacy"'));

        return new Reply(Status::from($status), $json);
    }

    /**
     * Closes the engine for everybody in this process who opened it by the same options. One over a PDO is closed by itself: others over
     * the same database go on. There is seldom a need: the process's end is enough.
     *
     * @throws HosError `hos.engine_closed`: it was closed before
     */
    public function close(): void
    {
        // Where nothing was opened there is nothing to close.
        if ($this->absent === null) {
            $this->handle->close();
        }
    }
}
