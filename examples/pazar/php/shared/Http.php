<?php

declare(strict_types=1);

namespace Shop;

/**
 * The shop says no: a code that stays, an HTTP status, what fills the gaps of the code's text (or a `message` in its place), and what
 * else said no, to be kept when all is rolled back.
 */
final class Refusal extends \RuntimeException
{
    /** @param array<string, string|int> $words */
    public function __construct(
        public readonly string $reason,
        public readonly int $status,
        public readonly array $words = [],
        public readonly ?object $said = null,
    ) {
        parent::__construct($reason);
    }
}

/** What was asked. */
final class Request
{
    /** @param array<string, mixed> $fields from the query and the body, the body's first */
    private function __construct(
        public readonly string $method,
        public readonly string $path,
        private readonly array $fields,
        public readonly string $body,
    ) {
    }

    public static function fromGlobals(): self
    {
        $body = (string) file_get_contents('php://input');
        $sent = str_starts_with($_SERVER['CONTENT_TYPE'] ?? '', 'application/json') ? json_decode($body, true) : $_POST;
        $path = (string) parse_url($_SERVER['REQUEST_URI'] ?? '/', PHP_URL_PATH);

        return new self($_SERVER['REQUEST_METHOD'] ?? 'GET', $path, (is_array($sent) ? $sent : []) + $_GET, $body);
    }

    public function header(string $name): ?string
    {
        return $_SERVER['HTTP_' . strtoupper(strtr($name, '-', '_'))] ?? null;
    }

    public function text(string $name, ?string $default = null, int $bytesMax = 200): string
    {
        $value = $this->fields[$name] ?? $default;
        if (!is_string($value) || strlen($value) > $bytesMax || !mb_check_encoding($value, 'UTF-8') || str_contains($value, "\0")) {
            throw new Refusal('input_invalid', 400, ['field' => $name]);
        }

        return $value;
    }

    public function whole(string $name, ?int $default = null): int
    {
        $value = filter_var($this->fields[$name] ?? $default, FILTER_VALIDATE_INT);

        return is_int($value) ? $value : throw new Refusal('input_invalid', 400, ['field' => $name]);
    }

    public function language(): string
    {
        return str_starts_with($this->header('Accept-Language') ?? '', 'en') ? 'en' : 'tr';
    }

    public function wantsJson(): bool
    {
        return str_contains($this->header('Accept') ?? '', 'application/json');
    }
}

/** What is answered: data, and the view that makes a page of it for who did not ask for JSON. */
final class Response
{
    /**
     * @param array<string, mixed> $data
     * @param array<string, string> $headers
     */
    public function __construct(
        public readonly array $data,
        public readonly string $view = 'message',
        public readonly int $status = 200,
        public array $headers = [],
    ) {
    }

    public static function refused(Refusal $refusal, string $language): self
    {
        $message = $refusal->words['message'] ?? Texts::say($language, $refusal->reason, $refusal->words);

        return new self(['code' => $refusal->reason, 'message' => $message], status: $refusal->status);
    }

    public function send(Request $in): void
    {
        http_response_code($this->status);
        foreach ($this->headers as $name => $value) {
            header("$name: $value");
        }
        if ($in->wantsJson()) {
            header('Content-Type: application/json');
            echo json_encode($this->data, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR), "\n";

            return;
        }
        header('Content-Type: text/html; charset=utf-8');
        $view = $this->view;
        $data = $this->data;
        $language = $in->language();
        require __DIR__ . '/views/layout.php';
    }
}
