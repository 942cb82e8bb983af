<?php

declare(strict_types=1);

namespace Hos\Tests\Support;

/** Where things are, and stores that are made for a test. */
final class Place
{
    public static function root(): string
    {
        return dirname(__DIR__, 4);
    }

    /** The library that is tested: a build with failpoints. */
    public static function library(): string
    {
        return getenv('HOS_LIBRARY') ?: self::root() . '/target/debug/libhos.so';
    }

    public static function hos(): string
    {
        return getenv('HOS_BIN') ?: self::root() . '/target/debug/hos';
    }

    /** A new directory, gone with the process that made it. */
    public static function directory(): string
    {
        $path = sys_get_temp_dir() . '/hos-php-' . bin2hex(random_bytes(8));
        mkdir($path, 0o700);
        $maker = getmypid();
        register_shutdown_function(static function () use ($path, $maker): void {
            if (getmypid() === $maker) {
                self::remove($path);
            }
        });

        return $path;
    }

    private static function remove(string $path): void
    {
        foreach (scandir($path) ?: [] as $name) {
            if ($name !== '.' && $name !== '..') {
                is_dir("$path/$name") && !is_link("$path/$name") ? self::remove("$path/$name") : @unlink("$path/$name");
            }
        }
        @rmdir($path);
    }

    /**
     * Runs `hos`.
     *
     * @param list<string> $args
     * @param array<string, string> $env
     * @return array{int, string} exit code, and what it said
     */
    public static function run(array $args, array $env = []): array
    {
        return self::command([self::hos(), ...$args], $env);
    }

    /**
     * Runs any program.
     *
     * @param list<string> $command
     * @param array<string, string> $env
     * @return array{int, string}
     */
    public static function command(array $command, array $env = []): array
    {
        $file = tmpfile();
        $process = proc_open($command, [['file', '/dev/null', 'r'], $file, $file], $pipes, null, $env + getenv());
        $exit = proc_close($process);
        rewind($file);

        return [$exit, (string) stream_get_contents($file)];
    }

    /**
     * Makes a store of Pazar's law, with ayse and mert as accounts and a shop, and gives its path.
     */
    public static function pazar(): string
    {
        $store = self::directory() . '/hos.db';
        $as = ['--as', 'Account::root', '--store', $store];
        foreach ([
            ['init', '--law', self::law(), '--store', $store, '--founder', 'Account::root', '--role', 'Role::operator', '--attr', 'active=true', '--tenant', 'pazar-tr'],
            ['directory', 'put', 'Account::ayse', '--attr', 'active=true', '--tenant', 'universe', ...$as],
            ['directory', 'put', 'Account::mert', '--attr', 'active=true', '--tenant', 'universe', ...$as],
            ['directory', 'put', 'Shop::s1', '--attr', 'active=true', '--tenant', 'pazar-tr', ...$as],
        ] as $command) {
            [$exit, $said] = self::run($command);
            if ($exit !== 0) {
                throw new \RuntimeException("hos $command[0]: $said");
            }
        }

        return $store;
    }

    public static function law(): string
    {
        return self::root() . '/examples/pazar/law';
    }

    /** Whether the store's evidence is whole. */
    public static function intact(string $store): bool
    {
        [$exit, $said] = self::run(['verify', '--replay', '--store', $store, '--json']);

        $verdict = json_decode($said, true);

        return $exit === 0 && ($verdict['level'] ?? null) === 'replayed' && $verdict['findings'] === [];
    }
}
