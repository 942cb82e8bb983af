<?php

declare(strict_types=1);

namespace Hos\Tests\Support;

/** Small libraries of the tests' own. */
final class Compiler
{
    /** Compiles `tests/c/<name>.c` and gives the library's path. */
    public static function library(string $name): string
    {
        $path = Place::directory() . "/$name.so";
        $source = dirname(__DIR__) . "/c/$name.c";
        [$exit, $said] = Place::command(['cc', '-Wall', '-Werror', '-shared', '-fPIC', '-pthread', '-o', $path, $source, '-ldl']);
        if ($exit !== 0) {
            throw new \RuntimeException("cc: $said");
        }

        return $path;
    }
}
