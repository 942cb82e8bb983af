<?php

declare(strict_types=1);

namespace Shop\Tests;

use Shop\Db;

/** Databases for tests: SQLite files in a folder, and databases of a name of their own on servers. */
final class Databases
{
    public const SQLITE = 'sqlite';
    /** @var list<array{string, string}> server, name */
    private array $made = [];

    public function __construct(private readonly string $dir)
    {
    }

    /** The URL of an empty one: on the server with this URL, or a file. */
    public function fresh(string $server): string
    {
        $name = 'pazar_php_' . getmypid() . '_' . (count($this->made) + 1);
        if ($server === self::SQLITE) {
            $this->made[] = ['', $name];

            return "sqlite:$this->dir/$name.db";
        }
        $db = Db::open($server);
        $db->pdo->exec("CREATE DATABASE $name" . ($db->kind === 'mysql' ? ' CHARACTER SET utf8mb4 COLLATE utf8mb4_bin' : ''));
        $this->made[] = [$server, $name];

        return (string) preg_replace('#^(\w+://[^/]+).*$#', "\$1/$name", $server);
    }

    public function drop(): void
    {
        foreach ($this->made as [$server, $name]) {
            if ($server !== '') {
                $db = Db::open($server);
                $db->pdo->exec("DROP DATABASE $name" . ($db->kind === 'pgsql' ? ' WITH (FORCE)' : ''));
            }
        }
        $this->made = [];
    }
}
