<?php

declare(strict_types=1);

namespace Hos\Pdo;

use Hos\HosError;
use Hos\RetryError;
use Hos\Status;
use Hos\StoreError;

/**
 * The caller's connection, as statements are run on it. Its settings are the caller's: what is set here is set back before a call
 * returns, and by PDO alone, never in the session.
 *
 * @internal
 */
final class Connection
{
    /** So that nothing depends on how the caller likes errors and nulls. */
    private const STEADY = [\PDO::ATTR_ERRMODE => \PDO::ERRMODE_EXCEPTION, \PDO::ATTR_ORACLE_NULLS => \PDO::NULL_NATURAL];
    /** MySQL's number of a syntax error. */
    private const SYNTAX = 1064;
    /** What a text fails of where there is no transaction: by this number of a signal's, and these words. */
    public const GUARD = "IF @@in_transaction = 0 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '" . self::OUTSIDE . "'; END IF";
    /** The same, for a step that writes: nothing is claimed where MariaDB would not understand what is written then. */
    public const GUARD_WRITES = self::GUARD . ";\nIF " . self::IS_ORACLE
        . " THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '" . self::OTHER_WORDS . "'; END IF";
    private const IS_ORACLE = "FIND_IN_SET('ORACLE', @@sql_mode)";
    private const SIGNAL = 1644;
    private const OUTSIDE = 'hos.no_transaction';
    private const OTHER_WORDS = 'hos.sql_mode';
    /** The savepoint behind the beginning of a transaction of ours, and MySQL's number and SQLite's words of one that is not there. */
    private const MARK = 'hos_begun';
    private const NO_SAVEPOINT = 1305;
    private const NO_SUCH_SAVEPOINT = 'no such savepoint';
    /** PostgreSQL's mark: a savepoint would make all that is written that of a transaction below it. */
    private const POSTGRES_MARK = "SET LOCAL hos.begun = 'on'";
    private const POSTGRES_MARKED = "SELECT 1 WHERE current_setting('hos.begun', true) = 'on'";
    /** How many statements are kept at most: a move has some fifteen. */
    private const KEPT_MAX = 64;
    /** How many bytes may be bound to one that is kept: they go when it is run again. */
    private const KEPT_BYTES_MAX = 1 << 16;
    /** PostgreSQL's state of a statement in a transaction in which one has failed. */
    public const ABORTED = '25P02';

    public readonly string $dialect;
    /** @var array<int, mixed> options of each statement */
    private readonly array $options;
    /** @var array<int, mixed> options of a text of several */
    private readonly array $emulated;
    /**
     * SQLite's statements that were run, by their texts: to read a text costs SQLite more than to run it. Reset as they are they hold
     * no lock; one that a change of the tables has made stale SQLite reads again by itself.
     *
     * @var array<string, \PDOStatement>
     */
    private array $kept = [];
    /** What is around the statements of a call that only watches. */
    private ?Watch $watch = null;

    public function __construct(public readonly \PDO $pdo)
    {
        $driver = $pdo->getAttribute(\PDO::ATTR_DRIVER_NAME);
        $this->dialect = match ($driver) {
            'pgsql' => 'postgres',
            'mysql', 'sqlite' => $driver,
            default => throw HosError::call('hos.call_malformed', "a PDO of $driver cannot be joined: pgsql, mysql and sqlite can"),
        };
        $options = [\PDO::ATTR_STATEMENT_CLASS => [\PDOStatement::class]];
        $this->emulated = $options + [\PDO::ATTR_EMULATE_PREPARES => true];
        if ($driver === 'mysql') {
            // Its statements stand whole in their text (`whole`), and need no preparing on the server.
            $options = $this->emulated;
        } elseif ($driver === 'pgsql') {
            // Parameters apart from the text, in one message: `PREPARE` and `DEALLOCATE` would be two more. The name is another since
            // PHP 8.4.
            $new = 'Pdo\Pgsql::ATTR_DISABLE_PREPARES';
            $apart = defined($new) ? constant($new) : \PDO::PGSQL_ATTR_DISABLE_PREPARES;
            $options += [\PDO::ATTR_EMULATE_PREPARES => false, $apart => true];
        }
        $this->options = $options;
    }

    /**
     * Runs work that no signal's handler of the host's breaks off: it runs when the work has ended. What it throws between two statements
     * would leave half of them, and PHP before 8.4 frees what was never there where it throws while a call's arguments are read.
     *
     * @template T
     * @param \Closure(): T $work
     * @return T
     */
    public static function unbroken(\Closure $work): mixed
    {
        if (!\function_exists('pcntl_async_signals') || !\pcntl_async_signals(false)) {
            return $work();
        }
        $given = $failed = null;
        try {
            $given = $work();
        } catch (\Throwable $failed) {
            // Thrown below: not by `finally`, which would chain it behind what a handler throws.
        }
        \pcntl_async_signals(true);
        \pcntl_signal_dispatch();

        return $failed === null ? $given : throw $failed;
    }

    /**
     * Runs statements. What the database says of them is thrown in our words, with its own exception behind.
     *
     * @template T
     * @param \Closure(): T $work
     * @return T
     * @throws HosError
     */
    public function during(\Closure $work): mixed
    {
        return self::unbroken(fn (): mixed => $this->steadily($work));
    }

    /**
     * @template T
     * @param \Closure(): T $work
     * @return T
     */
    private function steadily(\Closure $work): mixed
    {
        $kept = [];
        try {
            foreach (self::STEADY as $attribute => $value) {
                $found = $this->pdo->getAttribute($attribute);
                if ($found !== $value) {
                    $kept[$attribute] = $found;
                    $this->pdo->setAttribute($attribute, $value);
                }
            }

            return $work();
        } catch (\PDOException $error) {
            throw $this->told($error);
        } catch (\ErrorException $error) {
            // A warning of PDO's, of a connection that is lost, which the application's handler throws.
            throw new StoreError($error->getMessage(), 'hos.store_unavailable', Status::Store, [], $error);
        } catch (\TypeError $error) {
            throw HosError::internal('the library told what this binding does not know; are they of one version?', $error);
        } finally {
            foreach ($kept as $attribute => $value) {
                $this->pdo->setAttribute($attribute, $value);
            }
        }
    }

    /**
     * Whether the connection is in a transaction, as the database itself knows it.
     *
     * @param bool $asked whether MySQL is asked: with an error it says nothing of it, and a deadlock has ended it
     */
    public function isInside(bool $asked = false): bool
    {
        if ($this->dialect !== 'sqlite') {
            $asked && $this->dialect === 'mysql' && $this->pdo->inTransaction() && $this->pdo->exec('DO 0');

            return $this->pdo->inTransaction();
        }
        // PDO counts only its own `beginTransaction` here. SQLite refuses to begin a second one, and nothing else comes of it.
        try {
            $this->pdo->exec('BEGIN');
        } catch (\PDOException $error) {
            return str_contains($error->getMessage(), 'within a transaction') ? true : throw $error;
        }
        $this->pdo->exec('COMMIT');

        return false;
    }

    /**
     * Runs what only reads. Where there was no transaction, none is left behind: without autocommit MySQL begins one with whatever is
     * read. Nobody would end it, and until then everything would be read as it was at its beginning.
     *
     * @template T
     * @param \Closure(): T $work
     * @return T
     */
    public function reading(\Closure $work): mixed
    {
        // With an error MySQL has not said whether there is one: it is asked.
        if ($this->dialect !== 'mysql' || $this->pdo->exec('DO 0') === false || $this->pdo->inTransaction()) {
            return $work();
        }
        $failed = true;
        try {
            $given = $work();
            $failed = false;

            return $given;
        } finally {
            try {
                ($failed || $this->pdo->inTransaction()) && $this->pdo->exec('ROLLBACK');
            } catch (\PDOException|\ErrorException) {
                // The connection is lost, and the transaction with it.
            }
        }
    }

    /**
     * Whether the transaction that the connection was in is gone behind an error, or the connection is. One of PostgreSQL's in which a
     * statement has failed is there until it is rolled back.
     */
    public function isLost(): bool
    {
        try {
            $this->answers();

            return !$this->isInside(asked: true);
        } catch (\PDOException|\ErrorException) {
            return true;
        }
    }

    /** Throws where the connection is lost: of such a one PostgreSQL's client says that it is in a transaction. */
    public function answers(): void
    {
        try {
            $this->dialect === 'postgres' && $this->pdo->exec('SELECT 1');
        } catch (\PDOException $error) {
            ($error->errorInfo[0] ?? '') === self::ABORTED || throw $error;
        }
    }

    /** Ends the transaction that PDO takes itself to be in. */
    public function rollBack(): void
    {
        // Of SQLite's PDO knows what was begun and ended through it, and not that SQLite or a statement has ended it. It would refuse to
        // begin another one for ever: so it is given one to end.
        if ($this->dialect === 'sqlite' && !$this->isInside()) {
            $this->pdo->exec('BEGIN');
        }
        $this->pdo->rollBack();
    }

    /** Leaves in a transaction that was begun what `stands` knows it by: it goes when the transaction does. */
    public function mark(): void
    {
        $this->pdo->exec($this->dialect === 'postgres' ? self::POSTGRES_MARK : 'SAVEPOINT ' . self::MARK);
    }

    /**
     * What a guard says, asked by itself: of a text in which it stood nothing was taken, or there is no text.
     *
     * @throws HosError
     */
    public function guard(string $guard): void
    {
        // Whatever MySQL is asked, it tells along with the answer whether there is a transaction.
        $oracle = false;
        if ($this->pdo->inTransaction()) {
            $statement = $this->pdo->prepare('SELECT ' . self::IS_ORACLE, $this->options);
            $statement->execute();
            $oracle = (int) $statement->fetchAll(\PDO::FETCH_NUM)[0][0] > 0;
        }
        if (!$this->pdo->inTransaction()) {
            throw self::outside();
        }
        if ($oracle && $guard === self::GUARD_WRITES) {
            throw self::otherWords();
        }
    }

    /**
     * Whether the transaction that was begun is there still, and not another one: the work may have begun one, and MySQL has ended the
     * first after a deadlock. Throws where a statement has failed in PostgreSQL's, which would take the COMMIT and roll back without a word.
     */
    public function stands(): bool
    {
        if ($this->dialect === 'postgres') {
            return $this->isInside() && $this->run((object) ['sql' => self::POSTGRES_MARKED, 'params' => [], 'reads' => true]) !== [];
        }
        try {
            $this->pdo->exec('RELEASE SAVEPOINT ' . self::MARK);
        } catch (\PDOException $error) {
            $gone = ($error->errorInfo[1] ?? 0) === self::NO_SAVEPOINT || str_contains($error->getMessage(), self::NO_SUCH_SAVEPOINT);

            return $gone ? false : throw $error;
        }

        return true;
    }

    /**
     * Runs a statement of the engine's.
     *
     * @return list<list<int|string|null>> its rows, bytes and texts in base64
     */
    public function run(\stdClass $said): array
    {
        $this->watch?->begin();
        [$sql, $params] = $this->dialect === 'mysql' ? [self::whole($said->sql, $said->params), []] : [$said->sql, $said->params];
        // Taken, not looked at: a signal's handler may run the same meanwhile, and one that fails is not run again. Not by `??`: what it
        // holds meanwhile is lost to PHP when a handler throws there, and would stay open for ever.
        if (isset($this->kept[$sql])) {
            $statement = $this->kept[$sql];
            unset($this->kept[$sql]);
        } else {
            $statement = $this->pdo->prepare($sql, $this->options);
        }
        $bytes = 0;
        $rows = [];
        try {
            foreach ($params as $at => $value) {
                $type = match (true) {
                    $value === null => \PDO::PARAM_NULL,
                    is_int($value) => \PDO::PARAM_INT,
                    is_string($value) => \PDO::PARAM_STR,
                    default => \PDO::PARAM_LOB,
                };
                if ($type === \PDO::PARAM_LOB) {
                    $value = base64_decode($value->b);
                    $bytes += strlen($value);
                }
                $statement->bindValue($at + 1, $value, $type);
            }
            $statement->execute();
            if ($said->reads ?? false) {
                while (($row = $statement->fetch(\PDO::FETCH_NUM)) !== false) {
                    $rows[] = self::cells($row);
                }
            }
        } catch (\Throwable $failed) {
            // What a handler broke off in the middle would hold the file.
            if ($this->dialect === 'sqlite') {
                $statement->closeCursor();
            }
            throw $failed;
        }
        $statement->closeCursor();
        if ($this->dialect === 'sqlite' && $bytes <= self::KEPT_BYTES_MAX && count($this->kept) < self::KEPT_MAX) {
            $this->kept[$sql] = $statement;
        }

        return $rows;
    }

    /**
     * A statement of the engine's with its parameters in it: each `?` there is the place of one. PDO would quote texts by the character
     * set that it was connected with, and the session may have another one by now (`SET NAMES gbk`), in which the backslash before a
     * quote is the second half of a letter. So nothing stands between quotes but letters, digits and `_ .-`, which no character set
     * and no mode reads otherwise; all else is hexadecimal digits.
     *
     * @param list<\stdClass|int|string|null> $params
     */
    private static function whole(string $sql, array $params): string
    {
        $parts = explode('?', $sql);
        $whole = (string) array_shift($parts);
        foreach ($parts as $at => $part) {
            $whole .= self::literal($params[$at] ?? null) . $part;
        }

        return $whole;
    }

    private static function literal(\stdClass|int|string|null $value): string
    {
        return match (true) {
            $value === null => 'NULL',
            is_int($value) => (string) $value,
            $value instanceof \stdClass => "X'" . bin2hex(base64_decode($value->b)) . "'",
            // Not `\w`, which is more in some locales.
            preg_match('/\A[A-Za-z0-9_ .-]*\z/', $value) === 1 => "'$value'",
            default => "_utf8mb4 X'" . bin2hex($value) . "'",
        };
    }

    /**
     * Runs what a step writes: all of it, or nothing is left of it, whatever the caller does after an error.
     *
     * @param list<\stdClass> $statements
     */
    public function settle(array $statements): void
    {
        // PostgreSQL's transaction ends by an error as a whole.
        $guarded = $this->dialect !== 'postgres' && count($statements) > 1;
        $guarded && $this->pdo->exec('SAVEPOINT hos_settle');
        try {
            array_map($this->run(...), $statements);
        } catch (\PDOException $error) {
            try {
                $guarded && $this->pdo->exec('ROLLBACK TO SAVEPOINT hos_settle');
            } catch (\PDOException) {
                // The whole transaction is gone, or the connection.
            }

            throw $error;
        }
        $guarded && $this->pdo->exec('RELEASE SAVEPOINT hos_settle');
    }

    /**
     * Runs statements that stand in one text, in one exchange; null where this database takes no such text, and nothing was run then.
     *
     * @param bool $last whether it is what a step writes, and ends with
     * @param ?string $guard what stands before it: where that fails nothing of it is run
     * @return list<list<int|string|null>>|null the rows of its last result
     */
    public function together(string $text, bool $last = false, ?string $guard = null): ?array
    {
        if ($guard !== null) {
            $text = "BEGIN NOT ATOMIC\n$guard;\n$text;\nEND";
        }
        $text = $this->watch?->around($text, $last) ?? $text;
        $statement = null;
        try {
            if ($last && $this->watch === null) {
                // It brings no rows; and PDO does not look for parameters in what it executes so.
                $this->pdo->exec($text);
            } else {
                $statement = $this->pdo->prepare($text, $this->emulated);
                $statement->execute();
            }
            $this->watch?->ran($last);
        } catch (\PDOException $error) {
            // MySQL has no compound statements.
            return $this->dialect === 'mysql' && ($error->errorInfo[1] ?? 0) === self::SYNTAX ? null : throw $error;
        }
        if ($statement === null) {
            return [];
        }
        $rows = $statement->columnCount() > 0 ? $statement->fetchAll(\PDO::FETCH_NUM) : [];
        // A result without columns ends a compound statement.
        while ($this->dialect === 'mysql' && $statement->nextRowset()) {
            continue;
        }
        $statement->closeCursor();
        foreach ($rows as $at => $row) {
            $rows[$at] = self::cells($row);
        }

        return $rows;
    }

    /**
     * A round has some hundred cells, most of them null: a call or a reference for each would cost more than the rest.
     *
     * @param list<mixed> $row
     * @return list<int|string|null>
     */
    private static function cells(array $row): array
    {
        foreach ($row as $at => $cell) {
            // Named from the root, what asks for a type is no call.
            if ($cell !== null && !\is_int($cell)) {
                $row[$at] = \base64_encode((string) (\is_resource($cell) ? stream_get_contents($cell) : $cell));
            }
        }

        return $row;
    }

    /**
     * What tells this database from every other one that a process may be connected to: its place, and the store in it. Null where
     * nobody else can be connected to it.
     */
    public function database(): ?string
    {
        $store = "(SELECT value FROM hos_store WHERE tenant = 'universe' AND " . ($this->dialect === 'mysql' ? '`key`' : 'key') . " = 'store_id')";
        $place = match ($this->dialect) {
            'postgres' => "current_setting('port'), CAST(inet_server_addr() AS TEXT), current_database(), current_schema()",
            'mysql' => '@@hostname, @@port, @@datadir, DATABASE()',
            'sqlite' => "(SELECT file FROM temp.pragma_database_list WHERE name = 'main')",
        };
        $sql = "SELECT $place, $store";
        // As a text it brings its savepoint with it, where one is wanted.
        $rows = $this->dialect === 'sqlite' ? null : $this->together($sql);
        $said = ($rows ?? $this->run((object) ['sql' => $sql, 'params' => [], 'reads' => true]))[0];

        return $this->dialect === 'sqlite' && $said[0] === '' ? null : implode(' ', [$this->dialect, ...$said]);
    }

    /**
     * Runs work that may fail, and nothing of it is left where it does: the transaction goes on as if it had not been. It waits for
     * nobody for long.
     *
     * @template T
     * @param \Closure(): T $work
     * @return T
     */
    public function apart(\Closure $work): mixed
    {
        $this->watch = new Watch($this->pdo, $this->dialect);
        try {
            $given = $work();
            $this->watch->end();

            return $given;
        } catch (\Throwable $fault) {
            $this->watch->undo();

            throw $fault;
        } finally {
            $this->watch = null;
        }
    }

    /** The database's error in our words. */
    private function told(\PDOException $error): HosError
    {
        [$state, $number] = [(string) ($error->errorInfo[0] ?? ''), (int) ($error->errorInfo[1] ?? 0)];
        $message = $error->getMessage();
        $again = match ($this->dialect) {
            'postgres' => in_array($state, ['40001', '40P01', '55P03'], true),
            'mysql' => in_array($number, [1020, 1205, 1213, 3572], true),
            'sqlite' => ($number & 0xff) === 5,
        };
        if ($again) {
            return new RetryError("$message; roll back, and begin the transaction again", 'hos.retry', Status::Retry, [], $error);
        }
        if ($this->dialect === 'mysql' && $number === self::SIGNAL && str_contains($message, self::OUTSIDE)) {
            return self::outside();
        }
        if ($this->dialect === 'mysql' && $number === self::SIGNAL && str_contains($message, self::OTHER_WORDS)) {
            return self::otherWords();
        }
        $other = match ($this->dialect) {
            'postgres' => in_array($state, ['42P01', '42703'], true),
            'mysql' => in_array($number, [1146, 1054], true),
            'sqlite' => preg_match('/no such (table|column)|has no column named/', $message) === 1,
        };

        $readOnly = match ($this->dialect) {
            'postgres' => $state === '25006',
            'mysql' => in_array($number, [1290, 1792, 1836], true),
            'sqlite' => ($number & 0xff) === 8,
        };

        return match (true) {
            $other => new StoreError("$message; `hos schema` prints the tables of this version", 'hos.store_version', Status::Store, [], $error),
            $readOnly => new StoreError("$message; ask the primary", 'hos.store_read_only', Status::Store, [], $error),
            default => new StoreError($message, 'hos.store_unavailable', Status::Store, [], $error),
        };
    }

    /** There is no transaction any more, though the connection did not say so. */
    public static function outside(): HosError
    {
        return HosError::call(self::OUTSIDE, 'the connection is in no transaction any more: the database has ended it, as after a deadlock; roll back, and begin it again');
    }

    /** MariaDB has another language for compound statements too. */
    private static function otherWords(): HosError
    {
        return HosError::call('hos.call_malformed', 'the connection\'s sql_mode holds ORACLE: MariaDB does not understand what would be written; '
            . 'set it to another one, and back again where other statements of yours need it');
    }

    /**
     * In our words, where the caller's own statement failed only for now: the same transaction may go through when it is begun again.
     * The database's error may stand behind one of a framework's, or of the caller's.
     */
    public function passing(\Throwable $error): ?RetryError
    {
        for ($cause = $error; $cause !== null; $cause = $cause->getPrevious()) {
            $told = $cause instanceof \PDOException ? $this->told($cause) : $cause;
            if ($told instanceof RetryError) {
                return $told;
            }
        }

        return null;
    }
}
