<?php

declare(strict_types=1);

namespace Shop;

/** The shop's one connection: SQLite, PostgreSQL or MariaDB, by the setting `PAZAR_DB`. */
final class Db
{
    private const ATTEMPTS_MAX = 8;
    /** Serialization failure, deadlock; MariaDB's lock wait, deadlock, changed since read; SQLite's busy. */
    private const AGAIN = ['40001', '40P01', 1205, 1213, 1020, 5];

    private function __construct(public readonly \PDO $pdo, public readonly string $kind, #[\SensitiveParameter] public readonly string $url)
    {
    }

    /** `sqlite:/path`, `pgsql://user:pass@host:port/db` (or `postgres://`, `postgresql://`), `mysql://user:pass@host:port/db` */
    public static function open(#[\SensitiveParameter] string $url): self
    {
        if (str_starts_with($url, 'sqlite:')) {
            $db = new self(new \PDO($url, options: [\PDO::ATTR_TIMEOUT => 10]), 'sqlite', $url);
            $db->pdo->exec('PRAGMA journal_mode = WAL');
            $db->pdo->exec('PRAGMA synchronous = FULL');

            return $db;
        }
        $at = parse_url($url) ?: [];
        $scheme = $at['scheme'] ?? '';
        // The scheme alone is said: behind it stands a password.
        $kind = ['pgsql' => 'pgsql', 'postgres' => 'pgsql', 'postgresql' => 'pgsql', 'mysql' => 'mysql'][$scheme]
            ?? throw new \InvalidArgumentException("`$scheme` is no kind of database of the shop");
        $name = ltrim($at['path'] ?? '', '/');
        $dsn = sprintf('%s:host=%s;port=%d%s', $kind, $at['host'], $at['port'] ?? 0, $name === '' ? '' : ";dbname=$name");
        $options = $kind === 'mysql' ? [\PDO::MYSQL_ATTR_FOUND_ROWS => true, \PDO::MYSQL_ATTR_INIT_COMMAND => 'SET NAMES utf8mb4'] : [];

        return new self(new \PDO($dsn, urldecode($at['user'] ?? ''), urldecode($at['pass'] ?? ''), $options), $kind, $url);
    }

    /** How many rows it touched. */
    public function run(string $sql, string|int|null ...$values): int
    {
        $statement = $this->pdo->prepare($sql);
        $statement->execute(array_values($values));

        return $statement->rowCount();
    }

    /** @return list<array<string, mixed>> */
    public function rows(string $sql, string|int|null ...$values): array
    {
        $statement = $this->pdo->prepare($sql);
        $statement->execute(array_values($values));

        return $statement->fetchAll(\PDO::FETCH_ASSOC);
    }

    /** @return array<string, mixed>|null */
    public function row(string $sql, string|int|null ...$values): ?array
    {
        return $this->rows($sql, ...$values)[0] ?? null;
    }

    /**
     * The row with this id, locked until the transaction ends. SQLite has locked the whole file by then.
     *
     * @return array<string, mixed>
     */
    public function lock(string $table, string $id): array
    {
        return $this->row("SELECT * FROM $table WHERE id = ?" . ($this->kind === 'sqlite' ? '' : ' FOR UPDATE'), $id)
            ?? throw new Refusal('not_found', 404);
    }

    /** Is the row new? A second one with the same key waits for the first one's transaction, and is not. */
    public function insertIfNew(string $table, string $columns, string|int ...$values): bool
    {
        $marks = implode(', ', array_fill(0, count($values), '?'));
        $sql = $this->kind === 'mysql'
            ? "INSERT IGNORE INTO $table ($columns) VALUES ($marks)"
            : "INSERT INTO $table ($columns) VALUES ($marks) ON CONFLICT DO NOTHING";

        return $this->run($sql, ...$values) === 1;
    }

    /** A number for an id such as `o-17`: from a table of tickets, so that two requests do not wait for one counter. */
    public function number(): int
    {
        $this->run('INSERT INTO numbers (taken) VALUES (1)');

        return (int) $this->pdo->lastInsertId();
    }

    /**
     * All of it or none of it; again, a few times, when the database says that two got into each other's way.
     *
     * @param class-string<\Throwable> ...$again errors of others that ask for the same
     */
    public function transaction(callable $work, string ...$again): mixed
    {
        for ($attempt = 1; ; $attempt++) {
            $this->pdo->beginTransaction();
            try {
                $result = $work();
                $this->pdo->commit();

                return $result;
            } catch (\Throwable $error) {
                if ($this->pdo->inTransaction()) {
                    $this->pdo->rollBack();
                }
                if (!(self::again($error) || in_array($error::class, $again, true)) || $attempt === self::ATTEMPTS_MAX) {
                    throw $error;
                }
                usleep(random_int(1_000, 5_000 * $attempt));
            }
        }
    }

    private static function again(\Throwable $error): bool
    {
        return $error instanceof \PDOException
            && (in_array($error->errorInfo[0] ?? '', self::AGAIN, true) || in_array($error->errorInfo[1] ?? 0, self::AGAIN, true));
    }

    /**
     * Makes the tables that `schema.sql` names, if they are not there, and puts the fixtures in.
     *
     * @param string $stage its folder; a `setup.php` in it returns a function that does the rest, on old tables too
     */
    public function setUp(string $stage): void
    {
        try {
            $this->row('SELECT id FROM users LIMIT 1');
        } catch (\PDOException) {
            $words = [
                'sqlite' => ['AUTO' => 'INTEGER PRIMARY KEY AUTOINCREMENT', 'TIME' => 'TEXT', 'TAIL' => ''],
                'pgsql' => ['AUTO' => 'BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY', 'TIME' => 'TIMESTAMP', 'TAIL' => ''],
                'mysql' => ['AUTO' => 'BIGINT AUTO_INCREMENT PRIMARY KEY', 'TIME' => 'DATETIME', 'TAIL' => 'ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin'],
            ][$this->kind];
            $schema = preg_replace_callback('/\{(\w+)\}/', fn ($m) => $words[$m[1]], (string) file_get_contents(__DIR__ . '/schema.sql'));
            $schema = (string) preg_replace('/--.*/', '', (string) $schema);
            foreach (array_filter(array_map(trim(...), explode(';', $schema))) as $statement) {
                $this->pdo->exec($statement);
            }
            (require __DIR__ . '/fixtures.php')($this);
        }
        if (is_file("$stage/setup.php")) {
            (require "$stage/setup.php")($this);
        }
    }
}
