<?php

declare(strict_types=1);

namespace Hos\Native;

use Hos\HosError;

/**
 * One spelling for each path, so that who names a store in other words has the same options, and with them the same engine.
 *
 * @internal
 */
final class Path
{
    /**
     * From the root, with its directory as it really is: no `.`, no `..`, no link, no slash twice. The last name stays as it was
     * said, for what belongs to a store lies beside that name.
     *
     * @param string $what what the path is of, for the error
     * @throws \Hos\CallError where there is no present directory to start from
     */
    public static function whole(string $what, string $path): string
    {
        if ($path[0] !== '/') {
            $here = getcwd();
            if ($here === false) {
                throw HosError::call('hos.call_malformed', "$what is a relative path, and the present directory is gone or closed to us");
            }
            $path = "$here/$path";
        }
        // What holds a zero byte is no path at all: the library says so.
        if (str_contains($path, "\0")) {
            return $path;
        }
        $path = rtrim($path, '/');
        $last = (int) strrpos($path, '/') + 1;
        $name = substr($path, $last);
        if ($path === '' || $name === '.' || $name === '..') {
            return self::real("$path/") ?? $path;
        }
        $directory = self::real(substr($path, 0, $last));

        return match ($directory) {
            null => $path,
            '/' => "/$name",
            default => "$directory/$name",
        };
    }

    /** Null where it does not exist, or may not be looked at. */
    private static function real(string $directory): ?string
    {
        // PHP remembers for minutes where a link led; a new release of an application is often no more than another link.
        for ($part = rtrim($directory, '/'); $part !== ''; $part = substr($part, 0, (int) strrpos($part, '/'))) {
            clearstatcache(true, $part);
        }
        $real = @realpath($directory);

        return $real === false ? null : $real;
    }
}
