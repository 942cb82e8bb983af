<?php

declare(strict_types=1);

namespace Hos\Pdo;

/**
 * A savepoint around a call that only watches, and little patience within it: whatever befalls the call, the caller's transaction goes
 * on as if it had not been. Where statements go out as one text, both go with them and cost no exchange of their own.
 *
 * @internal
 */
final class Watch
{
    /** How long a call that only watches waits for others, at most: milliseconds; MySQL counts whole seconds. */
    private const PATIENCE_MS = 250;
    private const SAVEPOINT = 'SAVEPOINT hos_watch';
    private const RELEASE = 'RELEASE SAVEPOINT hos_watch';
    private const ROLLBACK = 'ROLLBACK TO SAVEPOINT hos_watch';
    /** PostgreSQL keeps the caller's setting beside ours, until the end of the transaction at most. */
    private const POSTGRES_BEGIN = self::SAVEPOINT . ";\nSELECT set_config('hos.lock_timeout', current_setting('lock_timeout'), true);\n"
        . 'SET LOCAL lock_timeout = ' . self::PATIENCE_MS;
    private const POSTGRES_END = "SELECT set_config('lock_timeout', current_setting('hos.lock_timeout'), true);\n" . self::RELEASE;
    /** MariaDB takes settings for one statement, which a compound one is too. */
    private const MARIADB_PATIENCE = 'SET STATEMENT lock_wait_timeout = 1, innodb_lock_wait_timeout = 1 FOR ';
    private const MYSQL_SETTINGS = 'SELECT @@SESSION.lock_wait_timeout, @@SESSION.innodb_lock_wait_timeout';

    /** Whether something was said to the database, and whether it set the savepoint. */
    private bool $tried = false;
    private bool $set = false;
    private bool $ended = false;
    /** @var list<int|string>|null what the session's patience was, where it was changed by a statement of its own */
    private ?array $patience = null;

    public function __construct(private readonly \PDO $pdo, private readonly string $dialect)
    {
    }

    /** Before a statement that is run by itself. */
    public function begin(): void
    {
        $this->tried = true;
        if ($this->dialect === 'postgres') {
            $this->set || $this->pdo->exec(self::POSTGRES_BEGIN);
            $this->set = true;
        } elseif ($this->patience === null) {
            $this->set || $this->pdo->exec(self::SAVEPOINT);
            $this->set = true;
            $asked = $this->dialect === 'mysql' ? self::MYSQL_SETTINGS : 'PRAGMA busy_timeout';
            $this->patience = $this->pdo->query($asked)->fetch(\PDO::FETCH_NUM);
            $this->patient(...($this->dialect === 'mysql' ? [1, 1] : [self::PATIENCE_MS]));
        }
    }

    /** A text of several statements, with what must be around it. */
    public function around(string $text, bool $last): string
    {
        $this->tried = true;
        if ($this->dialect === 'postgres') {
            return implode(";\n", [...($this->set ? [] : [self::POSTGRES_BEGIN]), $text, ...($last ? [self::POSTGRES_END] : [])]);
        }
        $parts = [...($this->set ? [] : [self::SAVEPOINT]), $text, ...($last ? [self::RELEASE] : [])];
        if (count($parts) > 1) {
            $text = "BEGIN NOT ATOMIC\n" . implode(";\n", $parts) . ";\nEND";
        }

        return $this->patience === null ? self::MARIADB_PATIENCE . $text : $text;
    }

    /** Such a text was run. */
    public function ran(bool $last): void
    {
        [$this->set, $this->ended] = [true, $last];
    }

    /** All went well. */
    public function end(): void
    {
        $this->patience === null || $this->patient(...$this->patience);
        if ($this->set && !$this->ended) {
            $this->pdo->exec($this->dialect === 'postgres' ? self::POSTGRES_END : self::RELEASE);
        }
    }

    /** Something failed: nothing of it is left. */
    public function undo(): void
    {
        $undo = [];
        // PostgreSQL's transaction would end by a rollback to no savepoint. What a step that failed writes at its end takes back what it
        // claimed.
        if ($this->tried && !$this->ended) {
            // Whether a text that failed came as far as its savepoint, the database knows; no other one has its name, for all are
            // released.
            $undo = [fn () => $this->pdo->exec(self::ROLLBACK), fn () => $this->pdo->exec(self::RELEASE)];
        }
        if ($this->patience !== null) {
            $undo[] = fn () => $this->patient(...$this->patience);
        }
        foreach ($undo as $one) {
            try {
                $one();
            } catch (\PDOException) {
                // The connection is lost, or the whole transaction is.
            }
        }
    }

    private function patient(int|string ...$to): void
    {
        $this->pdo->exec($this->dialect === 'mysql'
            ? "SET SESSION lock_wait_timeout = $to[0], SESSION innodb_lock_wait_timeout = $to[1]"
            : "PRAGMA busy_timeout = $to[0]");
    }
}
