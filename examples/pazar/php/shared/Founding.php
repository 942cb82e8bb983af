<?php

declare(strict_types=1);

namespace Shop;

/**
 * How the law comes into the shop's database, and what runs beside the shop: by the program `hos`, never by the shop itself.
 *
 * `HOS_BIN` names the program, `HOS_LIBRARY` the library, `PAZAR_KEYS` a folder for seal keys, which the shop has no need to read.
 */
final class Founding
{
    private const LAW = __DIR__ . '/../../law';
    private const WORLD = __DIR__ . '/world.toml';
    private const ROOT = ['--tenant', 'pazar-tr', '--as', 'Account::root'];
    /** What takes in who and what is there. */
    public const ADOPT = ['adopt', '--rows', self::WORLD, ...self::ROOT];

    /**
     * Founds a store in the shop's database if there is none, takes in who and what is there already, and sets the mode.
     *
     * @param string $mode `shadow` or `enforce`
     */
    public static function found(Db $db, string $mode): void
    {
        try {
            $db->row('SELECT 1 FROM hos_store LIMIT 1');
            // What an older stage left in shadow is judged first: nothing else can be done with these orders before.
            self::work($db);
        } catch (\PDOException) {
            self::store($db);
        }
        // What the law cannot take in (a status that is none) is named, and is left to people.
        [$exit, $said] = self::hos($db, self::ADOPT);
        $exit === 0 || fwrite(STDERR, $said);
        $exit <= 1 || throw new \RuntimeException("hos adopt: $said");
        self::must($db, ['law', 'activate', self::LAW, '--mode', "pazar-tr:=$mode", ...self::ROOT]);
    }

    /** Founds a store in the shop's database, which nothing is taken into yet. */
    public static function store(Db $db): void
    {
        self::must($db, ['init', '--law', self::LAW, '--founder', 'Account::root', '--role', 'Role::operator', '--attr', 'active=true', '--tenant', 'pazar-tr']);
        self::must($db, ['directory', 'put', 'Provider::psp', ...self::ROOT]);
    }

    /** One round of what runs beside the shop: records are sealed, calls in shadow are judged, deadlines fire. */
    public static function work(Db $db): string
    {
        return self::must($db, ['work']);
    }

    /** @param list<string> $words @return array{int, string} exit code, and all that was said */
    public static function hos(Db $db, array $words): array
    {
        $process = self::start($db, $words, $pipe);
        $said = (string) stream_get_contents($pipe);

        return [proc_close($process), $said];
    }

    /**
     * The same, and it runs on.
     *
     * @param list<string> $words
     * @param resource|null $pipe what it says
     * @return resource
     */
    public static function start(Db $db, array $words, mixed &$pipe)
    {
        $store = $db->kind === 'sqlite' ? str_replace('sqlite:', 'sqlite://', $db->url) : (string) preg_replace('/^pgsql:/', 'postgres:', $db->url);
        $keys = getenv('PAZAR_KEYS') ?: throw new \LogicException('PAZAR_KEYS is not set');
        $command = [getenv('HOS_BIN') ?: 'hos', ...$words, '--key-file', "$keys/" . substr(hash('sha256', $store), 0, 16) . '.key'];
        // The URL has a password in it: a list of processes shows words, but not what stands in the environment.
        $process = proc_open($command, [['file', '/dev/null', 'r'], ['pipe', 'w'], ['redirect', 1]], $pipes, null, ['HOS_STORE' => $store, 'LANG' => 'C'] + getenv());
        $pipe = $pipes[1];

        return $process ?: throw new \RuntimeException("cannot start $command[0]");
    }

    /** @param list<string> $words */
    private static function must(Db $db, array $words): string
    {
        [$exit, $said] = self::hos($db, $words);

        return $exit === 0 ? $said : throw new \RuntimeException("hos $words[0]: $said");
    }

    /**
     * Settings of PHP for who asks the law. php-fpm lets only preloaded code near FFI; PHP's own server, which is for demonstrations, lets
     * everybody.
     *
     * @return array<string, string>
     */
    public static function settings(string $dir, bool $fpm): array
    {
        if (!$fpm) {
            return ['ffi.enable' => '1'];
        }
        $binding = __DIR__ . '/../../../../bindings/php';
        $header = (string) file_get_contents("$binding/preload/hos.ffi.h");
        $library = getenv('HOS_LIBRARY');
        file_put_contents("$dir/hos.ffi.h", $library ? preg_replace('/^#define FFI_LIB ".*"$/m', "#define FFI_LIB \"$library\"", $header) : $header);

        return ['opcache.enable' => '1', 'opcache.preload' => "$binding/preload/hos.php", 'ffi.preload' => "$dir/hos.ffi.h"]
            + (posix_geteuid() === 0 ? ['opcache.preload_user' => 'nobody'] : []);
    }
}
