<?php

declare(strict_types=1);

namespace Hos\Tests\Support;

/** A PHP-FPM of our own on a unix socket, with `ffi.enable=preload` and the preload file. */
final class Fpm
{
    public readonly string $dir;
    public readonly string $socket;
    /** @var resource */
    private $process;
    private bool $running = true;

    /**
     * @param array<string, string> $pool settings of the pool
     * @param array<string, string> $ini settings of PHP
     * @param bool $plain without root even where the tests have it: then the preload file loads the header by itself
     */
    public function __construct(array $pool = [], array $ini = [], bool $plain = false)
    {
        $this->dir = Place::directory();
        $this->socket = $this->dir . '/fpm.sock';
        [$exit, $header] = Place::command([PHP_BINARY, dirname(__DIR__, 2) . '/bin/hos-header.php', Place::library()]);
        if ($exit !== 0) {
            throw new \RuntimeException($header);
        }
        file_put_contents($this->header(), $header);
        $root = posix_geteuid() === 0 && !$plain;
        $ini += [
            'ffi.enable' => 'preload',
            'opcache.enable' => '1',
            'opcache.preload' => dirname(__DIR__, 2) . '/preload/hos.php',
        ];
        if ($root) {
            // As servers that start as root have it: PHP preloads as another user, and wants the header apart.
            $ini += ['opcache.preload_user' => 'nobody', 'ffi.preload' => $this->header()];
        }
        $pool += ['pm' => 'static', 'pm.max_children' => '2', 'catch_workers_output' => 'yes', 'clear_env' => 'no'];
        $config = "[global]\nerror_log = {$this->dir}/fpm.log\ndaemonize = no\n[www]\nlisten = {$this->socket}\n";
        if ($root) {
            $config .= "user = root\ngroup = root\n";
        }
        foreach ($pool as $name => $value) {
            $config .= "$name = $value\n";
        }
        file_put_contents($this->dir . '/fpm.conf', $config);
        $command = [self::program(), '-y', $this->dir . '/fpm.conf', '-F', ...($root ? ['-R'] : [])];
        foreach ($ini as $name => $value) {
            array_push($command, '-d', "$name=$value");
        }
        if (posix_geteuid() === 0 && $plain) {
            array_unshift($command, 'setpriv', '--reuid=65534', '--regid=65534', '--clear-groups');
            chown($this->dir, 65534);
        }
        $out = [['file', '/dev/null', 'r'], ['file', $this->dir . '/out', 'a'], ['file', $this->dir . '/out', 'a']];
        $this->process = proc_open($command, $out, $pipes, $this->dir, ['HOS_HEADER' => $this->header()] + getenv());
        for ($i = 0; $i < 500 && !file_exists($this->socket); $i++) {
            if (!proc_get_status($this->process)['running']) {
                break;
            }
            usleep(20_000);
        }
        if (!file_exists($this->socket)) {
            throw new \RuntimeException('php-fpm did not start: ' . $this->log());
        }
    }

    public static function program(): string
    {
        foreach (['/usr/sbin/php-fpm' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION, '/usr/sbin/php-fpm'] as $path) {
            if (is_executable($path)) {
                return $path;
            }
        }
        throw new \RuntimeException('php-fpm is missing: apt install php-fpm');
    }

    public function header(): string
    {
        return $this->dir . '/hos.ffi.h';
    }

    /** @param array<string, string|int> $query */
    public function ask(string $script, array $query = []): FastCgi
    {
        return new FastCgi($this->socket, dirname(__DIR__) . "/fpm/$script", array_map(strval(...), $query));
    }

    /**
     * @param array<string, string|int> $query
     * @return array<string, mixed>
     */
    public function told(string $script, array $query = []): array
    {
        $answer = $this->ask($script, $query)->answer();
        $told = json_decode((string) $answer, true);

        return is_array($told) ? $told : throw new \RuntimeException("$script: $answer\n" . $this->log());
    }

    public function log(): string
    {
        return (string) @file_get_contents($this->dir . '/fpm.log') . (string) @file_get_contents($this->dir . '/out');
    }

    public function stop(): void
    {
        if ($this->running) {
            $this->running = false;
            proc_terminate($this->process);
            proc_close($this->process);
        }
    }

    public function __destruct()
    {
        $this->stop();
    }
}
