<?php

declare(strict_types=1);

namespace Shop\Tests;

use Shop\{Db, Server};

/** Whatever befalls the law that watches, the shop answers in the same bytes. */
final class Faults
{
    /** A few orders, and more that is refused: where each call waits for a lock, no long story is told. */
    private const SHORT = ['Refusals'];
    private readonly string $shadow;
    /** @var array<string, string> what the shop as it was answers, by chapters */
    private array $before = [];

    /**
     * @param \Closure(string, bool, string=): void $check
     * @param \Closure(string, string, bool, callable, array<string, string>=): void $serve
     */
    public function __construct(
        private readonly \Closure $check,
        private readonly \Closure $serve,
        private readonly Databases $databases,
        private readonly string $dir,
    ) {
        $this->shadow = dirname(__DIR__) . '/shadow';
    }

    public function harmNobody(string $on, string $where, bool $fpm, bool $all): void
    {
        $faulty = "$this->dir/faulty";
        @mkdir($faulty);
        file_put_contents("$faulty/law.toml", 'name =');
        $sqlite = $where === Databases::SQLITE;
        // name => what is done to the database, the environment, the stage
        $days = ['the tables are gone' => [$this->drops(...), [], $this->shadow]];
        if ($all || $sqlite) {
            $days += ['the law\'s folder is faulty' => [null, ['PAZAR_LAW' => $faulty], $this->shadow]];
        }
        if ($sqlite) {
            $days += [
                // php-fpm preloads the library, and does not start without it.
                'the library is missing' => [null, ['HOS_LIBRARY' => "$this->dir/nothing.so"], $this->shadow],
                'it panics in each request' => [null, [], $this->planted()],
            ];
        } else {
            // SQLite has one lock for all: who holds it holds the shop up too.
            $days += ['its tables are locked' => [$this->locks(...), [], $this->shadow]];
        }
        $chapters = $all || $sqlite ? Story::CHAPTERS : self::SHORT;
        foreach ($sqlite && $fpm ? [] : $days as $what => [$break, $env, $stage]) {
            $wanted = $this->before($what === 'its tables are locked' ? self::SHORT : $chapters);
            ($this->serve)($stage, $this->databases->fresh($where), $fpm, function (Server $server, Driver $driver, Db $db) use ($on, $what, $break, $chapters, $wanted): void {
                $held = $break === null ? null : $break($db);
                $told = self::told($driver, $what === 'its tables are locked' ? self::SHORT : $chapters);
                ($this->check)("$on: the shop is none the worse where $what", $told === $wanted && $wanted !== '', self::difference($wanted, $told));
                unset($held);
                // The day was as bad as it is said to be: nothing was watched, or the process tells of panics.
                $panics = substr_count($server->printed(), 'planted in a step');
                $asked = $what === 'the tables are gone' ? 0 : (int) $db->row('SELECT COUNT(*) AS n FROM hos_inbox')['n'];
                ($this->check)("$on: where $what, the law is not asked", $what === 'it panics in each request' ? $panics > 50 && $asked < 100 : $asked === 0, "$panics, $asked");
            }, $env);
        }
    }

    /** So the shop as it was answers, on any database. */
    public function isToBe(string $transcript): void
    {
        $this->before[implode(Story::CHAPTERS)] = $transcript;
    }

    /** @param list<string> $chapters */
    private function before(array $chapters): string
    {
        return $this->before[implode($chapters)] ??= (function () use ($chapters): string {
            $told = '';
            ($this->serve)(dirname($this->shadow) . '/before', $this->databases->fresh(Databases::SQLITE), false, function (Server $server, Driver $driver) use ($chapters, &$told): void {
                $told = self::told($driver, $chapters);
            });

            return $told;
        })();
    }

    /** The stage, with a library that has failpoints: what is asked of the law first in each request panics in the middle. */
    private function planted(): string
    {
        @mkdir("$this->dir/planted");
        $first = 'Hos\Engine::open(null, store: new PDO(getenv("PAZAR_DB")))->call("failpoint", \'{"panic":"step"}\');';
        $autoload = dirname($this->shadow, 4) . '/bindings/php/src/autoload.php';
        file_put_contents("$this->dir/planted/index.php", "<?php require '$autoload'; $first require '$this->shadow/index.php';");
        foreach (['setup', 'server'] as $file) {
            copy("$this->shadow/$file.php", "$this->dir/planted/$file.php");
        }

        return "$this->dir/planted";
    }

    /** @param list<string> $chapters */
    private static function told(Driver $driver, array $chapters): string
    {
        $story = new Story($driver);
        $story->tell(...$chapters);

        return $story->transcript;
    }

    private static function difference(string $one, string $other): string
    {
        [$one, $other] = [explode("\n", $one), explode("\n", $other)];
        $at = array_key_first(array_filter($one, fn ($line, $at) => $line !== ($other[$at] ?? null), ARRAY_FILTER_USE_BOTH)) ?? 0;

        return implode("\n", [...array_slice($one, max(0, $at - 2), 4), '--', ...array_slice($other, max(0, $at - 2), 4)]);
    }

    private function drops(Db $db): void
    {
        $sql = match ($db->kind) {
            'sqlite' => "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'hos!_%' ESCAPE '!'",
            'pgsql' => "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'hos!_%' ESCAPE '!'",
            'mysql' => "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name LIKE 'hos!_%' ESCAPE '!'",
        };
        foreach ($db->rows($sql) as ['name' => $name]) {
            $db->pdo->exec("DROP TABLE $name" . ($db->kind === 'pgsql' ? ' CASCADE' : ''));
        }
    }

    /** The lock ends with what is given. */
    private function locks(Db $db): Db
    {
        $other = Db::open($db->url);
        $other->pdo->exec($db->kind === 'mysql' ? 'LOCK TABLES hos_inbox WRITE, hos_queue WRITE' : 'BEGIN; LOCK TABLE hos_inbox, hos_queue IN ACCESS EXCLUSIVE MODE');

        return $other;
    }
}
