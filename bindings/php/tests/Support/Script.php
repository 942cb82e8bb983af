<?php

declare(strict_types=1);

namespace Hos\Tests\Support;

/** A script of `tests/scripts` that runs beside the test. */
final class Script
{
    /** @var resource */
    private $process;
    /** @var resource */
    private $said;

    /** @param list<string> $args */
    public function __construct(string $name, array $args)
    {
        $this->said = tmpfile();
        $command = [PHP_BINARY, dirname(__DIR__) . "/scripts/$name.php", ...$args];
        $this->process = proc_open($command, [['file', '/dev/null', 'r'], $this->said, $this->said], $pipes);
    }

    /**
     * What it ended with, and all that it said; null while it runs. It is told once.
     *
     * @return ?array{int, string} an exit code, or a signal below zero
     */
    public function ended(): ?array
    {
        $status = proc_get_status($this->process);
        if ($status['running']) {
            return null;
        }
        proc_close($this->process);
        rewind($this->said);

        return [$status['signaled'] ? -$status['termsig'] : $status['exitcode'], (string) stream_get_contents($this->said)];
    }

    /** @return array{int, string} */
    public function wait(): array
    {
        while (($ended = $this->ended()) === null) {
            usleep(2000);
        }

        return $ended;
    }
}
