<?php

declare(strict_types=1);

namespace Shop;

/** A stage that is being served, by `php -S` or by nginx and php-fpm, until `stop`. */
final class Server
{
    public readonly string $url;
    /** @var list<resource> */
    private array $processes = [];

    /**
     * @param string $stage a folder with an `index.php`; a `server.php` in it may return more settings of PHP: name => value
     * @param string $dir for sockets and logs
     * @param array<string, string> $env
     */
    public function __construct(
        string $stage,
        public readonly string $dir,
        array $env,
        bool $fpm = false,
        private readonly int $port = 8080,
        int $workers = 4,
    ) {
        $index = realpath("$stage/index.php") ?: throw new \InvalidArgumentException("`$stage` is no stage: it has no index.php");
        $this->url = "http://127.0.0.1:$port";
        // Else it would be somebody else who answers, and the stage would seem to have started.
        $free = @stream_socket_server("tcp://127.0.0.1:$port", $number, $why) ?: throw new \RuntimeException("port $port cannot be had: $why");
        fclose($free);
        if (!is_dir($dir)) {
            mkdir($dir, 0700, true);
        }
        $more = is_file("$stage/server.php") ? require "$stage/server.php" : [];
        $settings = [];
        foreach ($more + ['error_log' => "$dir/php.log", 'log_errors' => '1', 'display_errors' => '0', 'expose_php' => '0'] as $name => $value) {
            array_push($settings, '-d', "$name=$value");
        }
        if ($fpm) {
            $root = posix_geteuid() === 0;
            $words = ['{dir}' => $dir, '{port}' => $port, '{index}' => $index, '{workers}' => $workers];
            foreach (['nginx' => 'user root;', 'fpm' => "user = root\ngroup = root"] as $name => $user) {
                $text = strtr((string) file_get_contents(__DIR__ . "/$name.conf"), $words + ['{user}' => $root ? $user : '']);
                file_put_contents("$dir/$name.conf", $text);
            }
            $program = '/usr/sbin/php-fpm' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION;
            $this->start([is_executable($program) ? $program : 'php-fpm', '-F', '-y', "$dir/fpm.conf", ...($root ? ['-R'] : []), ...$settings], $env);
            for ($i = 0; $i < 500 && $this->alive() && !file_exists("$dir/fpm.sock"); $i++) {
                usleep(10_000);
            }
            $this->start(['nginx', '-c', "$dir/nginx.conf", '-e', "$dir/nginx.log", '-g', 'daemon off;'], $env);
        } else {
            $this->start([PHP_BINARY, ...$settings, '-S', "127.0.0.1:$port", $index], $env + ['PHP_CLI_SERVER_WORKERS' => (string) $workers]);
        }
        $this->awaitStart();
    }

    /** @param list<string> $command @param array<string, string> $env */
    private function start(array $command, array $env): void
    {
        $out = ['file', "$this->dir/out.log", 'a'];
        // A session of its own, so that `stop` reaches the workers too.
        $process = proc_open(['setsid', ...$command], [['file', '/dev/null', 'r'], $out, $out], $pipes, null, $env + getenv());
        $this->processes[] = $process ?: throw new \RuntimeException("cannot start $command[0]");
    }

    private function awaitStart(): void
    {
        for ($i = 0; $i < 500; $i++) {
            if (!$this->alive()) {
                break;
            }
            if ($socket = @fsockopen('127.0.0.1', $this->port)) {
                fclose($socket);

                return;
            }
            usleep(20_000);
        }
        $this->stop();
        throw new \RuntimeException("the server did not start; see $this->dir/out.log\n" . @file_get_contents("$this->dir/out.log"));
    }

    public function alive(): bool
    {
        foreach ($this->processes as $process) {
            if (!proc_get_status($process)['running']) {
                return false;
            }
        }

        return true;
    }

    /** What the processes printed. */
    public function printed(): string
    {
        return (string) @file_get_contents("$this->dir/out.log");
    }

    /** What PHP wrote with `error_log`. */
    public function log(): string
    {
        return (string) @file_get_contents("$this->dir/php.log");
    }

    public function stop(): void
    {
        foreach (array_reverse($this->processes) as $process) {
            $pid = proc_get_status($process)['pid'];
            for ($i = 0; $i < 500; $i++) {
                // The group; and the process itself, which has none of its own for a moment after it began.
                $gone = !@posix_kill(-$pid, $i < 300 ? SIGTERM : SIGKILL);
                if (!proc_get_status($process)['running'] && $gone) {
                    break;
                }
                $gone && posix_kill($pid, SIGTERM);
                usleep(10_000);
            }
            proc_close($process);
        }
        $this->processes = [];
    }

    public static function freePort(): int
    {
        $socket = stream_socket_server('tcp://127.0.0.1:0') ?: throw new \RuntimeException('no free port');

        return (int) substr((string) strrchr((string) stream_socket_get_name($socket, false), ':'), 1);
    }
}
