<?php

declare(strict_types=1);

namespace Shop;

/** A command line: `STAGE --name value --flag`. */
final class Options
{
    public readonly string $stage;
    /** @var array<string, string> */
    private array $given = [];

    /**
     * @param list<string> $argv
     * @param array<string, bool> $known name => does a value follow
     */
    public function __construct(array $argv, array $known, string $usage)
    {
        $stage = 'before';
        for ($i = 1; $i < count($argv); $i++) {
            $name = substr($argv[$i], 2);
            if (!str_starts_with($argv[$i], '--')) {
                $stage = $argv[$i];
            } elseif (!isset($known[$name]) || ($known[$name] && !isset($argv[$i + 1]))) {
                self::end($usage);
            } else {
                $this->given[$name] = $known[$name] ? $argv[++$i] : '1';
            }
        }
        $this->stage = realpath(__DIR__ . "/../$stage") ?: self::end($usage);
        if (!is_file("$this->stage/index.php")) {
            self::end($usage);
        }
    }

    public function text(string $name, ?string $default = null): ?string
    {
        return $this->given[$name] ?? $default;
    }

    public function flag(string $name): bool
    {
        return isset($this->given[$name]);
    }

    private static function end(string $usage): never
    {
        fwrite(STDERR, "usage: $usage\n");
        exit(2);
    }
}
