<?php

declare(strict_types=1);

namespace Hos\Tests\Support;

use Hos\Actor;
use Hos\Answer;
use Hos\Engine;
use Hos\HosError;

/**
 * A host's own database with the store in it: PostgreSQL and MariaDB where `HOS_TEST_POSTGRES` and `HOS_TEST_MARIADB` name one, a
 * file of SQLite everywhere.
 */
final class Host
{
    public const SHOP = 'Pazar::Shop::"s1"';
    private const SERVERS = ['PostgreSQL' => 'HOS_TEST_POSTGRES', 'MariaDB' => 'HOS_TEST_MARIADB'];
    /** How connections may be set: what each says first. */
    private const ISOLATIONS = [
        'PostgreSQL' => [
            'as it comes' => [],
            'repeatable read' => ['SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ'],
            'serializable' => ['SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE'],
        ],
        'MariaDB' => [
            'as it comes' => [],
            'snapshot isolation' => ['SET SESSION innodb_snapshot_isolation = ON'],
            'read committed' => ['SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED'],
        ],
        'SQLite' => ['as it comes' => []],
    ];

    /** @var array<string, self> */
    private static array $shared = [];

    /** Its folder goes with who made it; a script that has no use of one, and is killed, leaves none. */
    private ?string $key = null;
    private readonly int $maker;

    /** @param string $name of the database; the file of SQLite's */
    public function __construct(public readonly string $kind, public readonly string $store, public readonly string $name)
    {
        $this->maker = (int) getmypid();
    }

    /** @return array<string, array{string}> the databases that there are */
    public static function kinds(): array
    {
        $there = array_keys(array_filter(self::SERVERS, static fn (string $name): bool => (string) getenv($name) !== ''));

        return array_map(static fn (string $kind): array => [$kind], array_combine($all = [...$there, 'SQLite'], $all));
    }

    /** @return array<string, array{string, list<string>}> with each way to isolate transactions */
    public static function isolations(): array
    {
        $all = [];
        foreach (array_keys(self::kinds()) as $kind) {
            foreach (self::ISOLATIONS[$kind] as $how => $said) {
                $all["$kind, $how"] = [$kind, $said];
            }
        }

        return $all;
    }

    /** One for all tests that leave the store as they may. */
    public static function shared(string $kind): self
    {
        return self::$shared[$kind] ??= self::fresh($kind);
    }

    /** @param string $law its directory */
    public static function fresh(string $kind, ?string $law = null): self
    {
        if ($kind === 'SQLite') {
            $file = Place::directory() . '/app.db';
            $host = new self($kind, "sqlite://$file", $file);
            $host->pdo()->exec('PRAGMA journal_mode = WAL');
        } else {
            $url = (string) getenv(self::SERVERS[$kind]);
            $host = new self($kind, dirname($url) . '/' . $name = 'hos_php_' . bin2hex(random_bytes(6)), $name);
            $host->server()->exec("CREATE DATABASE $name");
            register_shutdown_function($host->drop(...));
        }
        $host->hos('init', '--law', $law ?? Place::law(), '--founder', 'Account::root', '--role', 'Role::operator', '--attr', 'active=true', '--tenant', 'pazar-tr');
        $host->hos('directory', 'put', 'Account::ayse', '--attr', 'active=true', '--tenant', 'universe', '--as', 'Account::root');
        $host->hos('directory', 'put', 'Shop::s1', '--attr', 'active=true', '--tenant', 'pazar-tr', '--as', 'Account::root');
        $pdo = $host->pdo();
        $pdo->exec('CREATE TABLE orders (id VARCHAR(64) PRIMARY KEY, status VARCHAR(16) NOT NULL, total BIGINT NOT NULL)');
        $pdo->exec('CREATE TABLE pays (id VARCHAR(64) NOT NULL, evt VARCHAR(64) PRIMARY KEY)');

        return $host;
    }

    /** Runs `hos` on the store, and gives what it said. */
    public function hos(string ...$args): string
    {
        $this->key ??= Place::directory() . '/seal.key';
        [$exit, $said] = Place::run([...$args, '--store', $this->store, '--key-file', $this->key]);

        return $exit === 0 ? $said : throw new \RuntimeException("hos $args[0]: $said");
    }

    /**
     * A connection of its own.
     *
     * @param array<int, mixed> $options
     * @param list<string> $said
     * @param class-string<\PDO> $class
     */
    public function pdo(array $options = [], array $said = [], string $class = \PDO::class): \PDO
    {
        $pdo = $this->connected($this->name, $options, $class);
        foreach ($said as $sql) {
            $pdo->exec($sql);
        }

        return $pdo;
    }

    private function server(): \PDO
    {
        return $this->connected(basename((string) parse_url((string) getenv(self::SERVERS[$this->kind]), PHP_URL_PATH)), []);
    }

    private function connected(string $name, array $options, string $class = \PDO::class): \PDO
    {
        $options += [\PDO::ATTR_ERRMODE => \PDO::ERRMODE_EXCEPTION];
        if ($this->kind === 'SQLite') {
            return new $class("sqlite:$name", null, null, $options + [\PDO::ATTR_TIMEOUT => 20]);
        }
        ['host' => $host, 'port' => $port, 'user' => $user, 'pass' => $pass] = parse_url($this->store);
        $dsn = $this->kind === 'PostgreSQL' ? "pgsql:host=$host;port=$port;dbname=$name" : "mysql:host=$host;port=$port;dbname=$name;charset=utf8mb4";

        return new $class($dsn, $user, $pass, $options);
    }

    public static function engine(\PDO $pdo): Engine
    {
        return Engine::open(null, store: $pdo);
    }

    public static function ayse(\PDO $pdo): Actor
    {
        return self::engine($pdo)->tenant('pazar-tr')->as('Pazar::Account::"ayse"');
    }

    /** An order is placed, in the transaction that the connection is in. */
    public static function place(Actor $by, string $id, ?string $once = null): Answer
    {
        return $by->begin('order', $id, 'place', facts: ['buyer' => $by->principal, 'shop' => \Hos\Uid::parse(self::SHOP), 'total' => 4200], once: $once);
    }

    public static function pay(Actor $by, string $id, ?string $once = null): Answer
    {
        return $by->transition('order', $id, 'pay', args: ['amount' => 4200, 'psp_ref' => 'x'], once: $once);
    }

    /** @return list<string> orders that are placed, and the shop's rows of them */
    public function placed(int $many): array
    {
        $pdo = $this->pdo();
        $ids = [];
        for ($i = 0; $i < $many; $i++) {
            $ids[] = $id = 'day-' . bin2hex(random_bytes(4));
            $pdo->beginTransaction();
            $pdo->exec("INSERT INTO orders VALUES ('$id', 'new', 4200)");
            self::place(self::ayse($pdo), $id)->allowed || throw new \LogicException("$id is not placed");
            $pdo->commit();
        }

        return $ids;
    }

    /** How many rows a query counts. */
    public function count(string $sql): int
    {
        return (int) $this->pdo()->query("SELECT count(*) FROM $sql")->fetchColumn();
    }

    /** Says of a column of a table of ours that holds bytes what it is as text, where it is ASCII. */
    public function text(string $column): string
    {
        return match ($this->kind) {
            'PostgreSQL' => "encode($column, 'escape')",
            'MariaDB' => "CONVERT($column USING utf8mb4)",
            'SQLite' => "CAST($column AS TEXT)",
        };
    }

    /** Seals what is there; the evidence is whole, and judged again it comes to the same. How many records there are. */
    public function intact(): int
    {
        $this->hos('work');
        $verdict = json_decode($this->hos('verify', '--replay', '--json'), true);
        if ($verdict['level'] !== 'replayed' || $verdict['findings'] !== []) {
            throw new \RuntimeException((string) json_encode($verdict));
        }

        return $this->count('hos_record');
    }

    private function drop(): void
    {
        if ($this->maker === (int) getmypid()) {
            $this->server()->exec("DROP DATABASE $this->name" . ($this->kind === 'PostgreSQL' ? ' WITH (FORCE)' : ''));
        }
    }

    /** The code of the error that work throws; `none` where it throws none. */
    public static function code(\Closure $work): string
    {
        try {
            $work();
        } catch (HosError $error) {
            return $error->code();
        }

        return 'none';
    }
}
