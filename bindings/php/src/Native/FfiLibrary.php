<?php

declare(strict_types=1);

namespace Hos\Native;

use Hos\HosError;
use Hos\Uid;

/**
 * The library by way of ext-ffi. No other file touches `\FFI`.
 *
 * On the command line the library is loaded when it is first wanted. In a server with `ffi.enable=preload` (Debian's default) PHP
 * lets only preloaded code near FFI: `preload/hos.php` compiles this class and loads the header under the scope `HOS`.
 *
 * What a call is given is worked out before the call begins: where a signal's handler throws among a call's arguments, PHP before 8.4
 * frees one that was not there yet.
 *
 * @internal
 */
final class FfiLibrary implements Library
{
    /** The version of the C ABI that this binding was written for. */
    public const ABI = 1;

    private const SCOPE = 'HOS';

    /** What a call needed beyond so many bytes goes when it has ended: a worker does not live with its largest question. */
    private const ROOM_MAX = 1 << 20;

    /** The one buffer for answers; null while a call has it. */
    private ?\FFI\CData $spare = null;
    /** The one question for `can`; null while a call has it. */
    private ?FfiQuestion $question = null;

    private function __construct(private readonly \FFI $ffi)
    {
    }

    /**
     * Finds the library, and refuses one of another version.
     *
     * @throws \Hos\InternalError
     */
    public static function load(): self
    {
        if (in_array(PHP_SAPI, ['cli', 'phpdbg', 'embed'], true) || filter_var(ini_get('ffi.enable'), FILTER_VALIDATE_BOOL)) {
            return self::named(self::path());
        }
        try {
            return new self(self::checked(\FFI::scope(self::SCOPE), 'the preloaded library'));
        } catch (\FFI\Exception $error) {
            $help = 'set opcache.preload to preload/hos.php of this package (see its README), or ffi.enable=1';
            throw HosError::internal("FFI is not open to this code: $help", $error);
        }
    }

    /** @throws \Hos\InternalError */
    public static function named(string $path): self
    {
        try {
            // The version by itself first: another version may lack functions of this header.
            self::checked(\FFI::cdef('uint32_t hos_abi_version(void);', $path), $path);
            $header = (string) file_get_contents(__DIR__ . '/../../preload/hos.ffi.h');

            return new self(\FFI::cdef((string) preg_replace('/^#.*\n/m', '', $header), $path));
        } catch (\FFI\Exception $error) {
            $help = 'install libhos, or say in HOS_LIBRARY where it is';
            throw HosError::internal("$path cannot be loaded ({$error->getMessage()}): $help", $error);
        }
    }

    /** `HOS_LIBRARY`, else the library that came with the package, else the system's. */
    private static function path(): string
    {
        $named = getenv('HOS_LIBRARY', true);
        if (is_string($named) && $named !== '') {
            return $named;
        }
        $packaged = __DIR__ . '/../../lib/libhos.so';

        return is_file($packaged) ? $packaged : 'libhos.so.' . self::ABI;
    }

    private static function checked(\FFI $ffi, string $what): \FFI
    {
        $found = $ffi->hos_abi_version();
        if ($found !== self::ABI) {
            $help = 'install the library and this package in one version';
            throw HosError::internal("$what speaks version $found of the C ABI, this binding " . self::ABI . ": $help");
        }

        return $ffi;
    }

    public function version(): string
    {
        return $this->ffi->hos_version();
    }

    public function open(string $options, ?int &$engine, ?string &$json): int
    {
        return $this->opened('hos_open', $options, $engine, $json);
    }

    public function openShared(string $options, ?int &$engine, ?string &$json): int
    {
        return $this->opened('hos_open_shared', $options, $engine, $json);
    }

    public function openJoined(string $options, ?int &$engine, ?string &$json): int
    {
        return $this->opened('hos_open_joined', $options, $engine, $json);
    }

    private function opened(string $function, string $options, ?int &$engine, ?string &$json): int
    {
        $number = $this->ffi->new('uint64_t');
        $out = $this->take();
        try {
            [$length, $first, $second] = [strlen($options), \FFI::addr($number), \FFI::addr($out)];
            $status = $this->ffi->$function($options, $length, $first, $second);
            $json = \FFI::string($out->data, $out->len);
        } finally {
            $this->put($out);
        }
        $engine = $number->cdata;

        return $status;
    }

    public function close(int $engine, ?string &$json): int
    {
        $out = $this->take();
        try {
            $address = \FFI::addr($out);
            $status = $this->ffi->hos_close($engine, $address);
            $json = \FFI::string($out->data, $out->len);
        } finally {
            $this->put($out);
        }

        return $status;
    }

    public function call(int $engine, string $operation, string $call, ?string &$json): int
    {
        $out = $this->take();
        try {
            [$length, $bytes, $address] = [strlen($operation), strlen($call), \FFI::addr($out)];
            $status = $this->ffi->hos_call($engine, $operation, $length, $call, $bytes, $address);
            $json = \FFI::string($out->data, $out->len);
        } finally {
            $this->put($out);
        }

        return $status;
    }

    public function step(int $engine, string $operation, int $inside, string $call, ?string &$json): int
    {
        $out = $this->take();
        try {
            [$length, $bytes, $address] = [strlen($operation), strlen($call), \FFI::addr($out)];
            $status = $this->ffi->hos_step($engine, $operation, $length, $inside, $call, $bytes, $address);
            $json = \FFI::string($out->data, $out->len);
        } finally {
            $this->put($out);
        }

        return $status;
    }

    public function can(
        int $engine,
        string $tenant,
        Uid $principal,
        string $action,
        Uid $resource,
        string $beside,
        ?string &$json,
    ): int {
        if (($question = $this->question) === null) {
            $room = $this->ffi->new('hos_question');
            $question = new FfiQuestion($room);
        }
        $this->question = null;
        $out = $this->take();
        try {
            if ($question->tenant !== $tenant || $question->principal !== $principal) {
                $question->begin($this->ffi, $tenant, $principal);
            }
            $question->ask($this->ffi, $action, $resource, $beside);
            $address = \FFI::addr($out);
            $status = $this->ffi->hos_can($engine, $question->address, $address);
            $json = \FFI::string($out->data, $out->len);
        } finally {
            $this->put($out);
            $this->question = $question->room() > self::ROOM_MAX ? null : $question;
        }

        return $status;
    }

    /**
     * Buffer and question are taken, not looked at: a signal's handler that runs between the writing of a question and the
     * reading of its answer, and makes a call itself, must not write over either.
     */
    private function take(): \FFI\CData
    {
        $out = $this->spare;
        $this->spare = null;

        return $out ?? $this->ffi->new('hos_buffer');
    }

    private function put(\FFI\CData $out): void
    {
        if ($this->spare === null && $out->room <= self::ROOM_MAX) {
            $this->spare = $out;
        } else {
            $address = \FFI::addr($out);
            $this->ffi->hos_free($address);
        }
    }

    public function __destruct()
    {
        if ($this->spare !== null) {
            $this->ffi->hos_free(\FFI::addr($this->spare));
            $this->spare = null;
        }
    }
}

/**
 * A question of `hos_can`, and the memory that its texts are in: who asks stays there from call to call.
 *
 * @internal
 */
final class FfiQuestion
{
    public ?string $tenant = null;
    public ?Uid $principal = null;
    public readonly \FFI\CData $address;

    private ?\FFI\CData $memory = null;
    private ?\FFI\CData $start = null;
    private int $room = 0;
    private string $head = '';
    /** @var array<string, \FFI\CData> its parts, which cost more to find than to write */
    private readonly array $texts;

    public function __construct(private readonly \FFI\CData $question)
    {
        $this->address = \FFI::addr($question);
        $this->texts = [
            $question->action, $question->resource_type, $question->resource_id, $question->beside,
            $question->tenant, $question->principal_type, $question->principal_id,
        ];
    }

    public function begin(\FFI $ffi, string $tenant, Uid $principal): void
    {
        $this->tenant = null;
        $this->head = $tenant . $principal->type . $principal->id;
        $this->make($ffi, strlen($this->head) + 1024);
        $length = strlen($this->head);
        \FFI::memcpy($this->memory, $this->head, $length);
        [, , , , $first, $second, $third] = $this->texts;
        [$first->len, $second->len, $third->len] = [strlen($tenant), strlen($principal->type), strlen($principal->id)];
        $first->data = $this->start;
        $second->data = $this->start + strlen($tenant);
        $third->data = $this->start + (strlen($tenant) + strlen($principal->type));
        [$this->tenant, $this->principal] = [$tenant, $principal];
    }

    public function ask(\FFI $ffi, string $action, Uid $resource, string $beside): void
    {
        $words = $action . $resource->type . $resource->id . $beside;
        $at = strlen($this->head);
        if ($at + strlen($words) > $this->room) {
            // Until it is written again nobody stands there: a signal's handler may throw in between.
            [$tenant, $this->tenant] = [(string) $this->tenant, null];
            $this->make($ffi, 2 * ($at + strlen($words)));
            $this->begin($ffi, $tenant, $this->principal);
        }
        $place = $this->start + $at;
        $length = strlen($words);
        \FFI::memcpy($place, $words, $length);
        [$first, $second, $third, $fourth] = $this->texts;
        $first->data = $place;
        $first->len = $at = strlen($action);
        $second->data = $place + $at;
        $second->len = $length = strlen($resource->type);
        $third->data = $place + ($at += $length);
        $third->len = $length = strlen($resource->id);
        $fourth->data = $place + ($at + $length);
        $fourth->len = strlen($beside);
    }

    /** How much memory its texts have, in bytes. */
    public function room(): int
    {
        return $this->room;
    }

    private function make(\FFI $ffi, int $room): void
    {
        if ($room > $this->room) {
            $this->memory = $ffi->new("char[$room]");
            $this->start = \FFI::addr($this->memory[0]);
            $this->room = $room;
        }
    }
}
