<?php

declare(strict_types=1);

namespace Shop\Tests;

use Shop\Actor;

/** Asks a stage that is being served, as a browser, the payment provider or the cron would. */
final class Driver
{
    public function __construct(private readonly string $url)
    {
    }

    /**
     * @param string $who a user, `psp`, `cron` or `nobody`
     * @param string $what `POST /orders/o-1/ship`
     * @param array<string, string> $fields
     * @param array<string, string> $headers
     * @return array{status: int, headers: array<string, string>, body: string}
     */
    public function ask(string $who, string $what, array $fields = [], array $headers = []): array
    {
        [$method, $path] = explode(' ', $what, 2);
        if ($who === 'psp') {
            $fields['signature'] ??= Actor::sign('psp', implode('|', [$fields['event'], $fields['kind'], $fields['about'], $fields['amount']]));
        } elseif ($who === 'cron') {
            $headers['X-Cron-Key'] = Actor::sign('cron', $path);
        } elseif ($who !== 'nobody') {
            $headers['X-Pazar-Token'] = Actor::token($who);
        }
        $headers += ['Accept' => 'application/json', 'Connection' => 'close'];
        $sent = http_build_query($fields);
        if ($method === 'GET') {
            $path .= $sent === '' ? '' : "?$sent";
            $sent = '';
        } else {
            $headers['Content-Type'] = 'application/x-www-form-urlencoded';
        }
        $lines = array_map(fn ($name, $value) => "$name: $value", array_keys($headers), $headers);
        $http = ['method' => $method, 'header' => $lines, 'content' => $sent, 'ignore_errors' => true, 'follow_location' => 0, 'timeout' => 60, 'protocol_version' => 1.1];
        $body = @file_get_contents($this->url . $path, false, stream_context_create(['http' => $http]));
        if ($body === false) {
            throw new \RuntimeException("no answer to $what");
        }
        $told = [];
        foreach (array_slice($http_response_header, 1) as $line) {
            [$name, $value] = explode(':', $line, 2) + ['', ''];
            $told[strtolower($name)] = trim($value);
        }

        return ['status' => (int) explode(' ', $http_response_header[0])[1], 'headers' => $told, 'body' => $body];
    }

    /**
     * Does all of it at once, in a process each.
     *
     * @param list<callable(): mixed> $tasks
     * @return list<mixed> what each of them gave back
     */
    public static function together(array $tasks): array
    {
        $pipes = [];
        foreach ($tasks as $task) {
            [$ours, $theirs] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, STREAM_IPPROTO_IP) ?: throw new \RuntimeException('no pipe');
            $pid = pcntl_fork();
            if ($pid === 0) {
                try {
                    $said = ['gave', $task()];
                } catch (\Throwable $error) {
                    $said = ['threw', (string) $error];
                }
                fwrite($theirs, serialize($said));
                posix_kill(posix_getpid(), SIGKILL);        // nothing of the parent's is to be ended here
            }
            fclose($theirs);
            // As long as the task takes: a socket would give up after a minute.
            stream_set_timeout($ours, 86400);
            $pipes[$pid] = $ours;
        }
        $results = [];
        foreach ($pipes as $pid => $pipe) {
            [$how, $what] = unserialize((string) stream_get_contents($pipe)) ?: ['threw', 'a task ended without a word'];
            pcntl_waitpid($pid, $status);
            $results[] = $how === 'gave' ? $what : throw new \RuntimeException($what);
        }

        return $results;
    }
}
