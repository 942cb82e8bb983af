<?php

declare(strict_types=1);

namespace Hos\Tests\Support;

/** One request to a FastCGI server over a unix socket, as a web server makes it. */
final class FastCgi
{
    private const BEGIN = 1;
    private const END = 3;
    private const PARAMS = 4;
    private const STDIN = 5;
    private const STDOUT = 6;

    /** @var resource */
    private $stream;
    private string $body = '';

    /** @param array<string, string> $query */
    public function __construct(string $socket, string $script, array $query)
    {
        $stream = @stream_socket_client("unix://$socket", $code, $message, 10);
        if ($stream === false) {
            throw new \RuntimeException("$socket: $message");
        }
        $this->stream = $stream;
        stream_set_timeout($stream, 60);
        $params = [
            'GATEWAY_INTERFACE' => 'CGI/1.1',
            'REQUEST_METHOD' => 'GET',
            'SCRIPT_FILENAME' => $script,
            'SCRIPT_NAME' => '/' . basename($script),
            'QUERY_STRING' => http_build_query($query),
            'SERVER_PROTOCOL' => 'HTTP/1.1',
        ];
        $packed = '';
        foreach ($params as $name => $value) {
            $packed .= self::length($name) . self::length($value) . $name . $value;
        }
        // A responder, without keeping the connection.
        fwrite($stream, self::record(self::BEGIN, pack('nCx5', 1, 0))
            . self::record(self::PARAMS, $packed) . self::record(self::PARAMS, '') . self::record(self::STDIN, ''));
    }

    /** What the script printed; null if the worker was gone before it had ended. */
    public function answer(): ?string
    {
        while (true) {
            $head = $this->read(8);
            if ($head === null) {
                return null;
            }
            $record = unpack('Cversion/Ctype/nid/nlength/Cpadding', $head);
            $content = $this->read($record['length'] + $record['padding']);
            if ($content === null) {
                return null;
            }
            if ($record['type'] === self::STDOUT) {
                $this->body .= substr($content, 0, $record['length']);
            }
            if ($record['type'] === self::END) {
                return explode("\r\n\r\n", $this->body, 2)[1] ?? '';
            }
        }
    }

    private function read(int $length): ?string
    {
        $bytes = $length === 0 ? '' : (string) stream_get_contents($this->stream, $length);

        return strlen($bytes) === $length ? $bytes : null;
    }

    private static function record(int $type, string $content): string
    {
        return pack('CCnnxx', 1, $type, 1, strlen($content)) . $content;
    }

    private static function length(string $text): string
    {
        return strlen($text) < 128 ? chr(strlen($text)) : pack('N', strlen($text) | 0x80000000);
    }
}
