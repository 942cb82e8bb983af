<?php

declare(strict_types=1);

namespace Hos\Tests\Support;

use Hos\Engine;
use Hos\HosError;

/** One file of call vectors. */
final class Scenario
{
    private readonly \stdClass $scenario;

    public function __construct(string $file)
    {
        $this->scenario = json_decode((string) file_get_contents($file), false, 512, JSON_THROW_ON_ERROR);
    }

    /**
     * Runs the cases in order on a new store.
     *
     * @return array<string, list<string>> what is wrong, by case; nothing where it passed
     */
    public function run(bool $typed): array
    {
        $names = array_map(static fn (\stdClass $case): string => $case->name, $this->scenario->cases);
        if (count(array_unique($names)) !== count($names)) {
            return ['names' => ['two cases have one name']];
        }
        try {
            [$engine, $marks] = $this->opened();
        } catch (\Throwable $error) {
            return array_fill_keys($names, ['not founded: ' . $error->getMessage()]);
        }
        $faults = [];
        foreach ($this->scenario->cases as $case) {
            $faults[$case->name] = $this->judged($case, $engine, $marks, $typed);
        }
        try {
            $engine->close();
        } catch (HosError) {
            // A scenario may have closed it.
        }

        return $faults;
    }

    /** @return array{Engine, array<string, string>} */
    private function opened(): array
    {
        $dir = Place::directory();
        $marks = ['{dir}' => $dir, '{store}' => "$dir/hos.db", '{law}' => Place::root() . '/testdata/vectors/call/law'];
        foreach ($this->scenario->found as $command) {
            $command = array_map(static fn (string $word): string => strtr($word, $marks), $command);
            [$exit, $said] = Place::run($command, ['HOS_STORE' => $marks['{store}']]);
            if ($exit !== 0) {
                throw new \RuntimeException(implode(' ', $command) . ": $exit: $said");
            }
        }
        $options = $this->filled($this->scenario->options ?? new \stdClass(), $marks) + ['store' => $marks['{store}']];

        return [Engine::openWith($options), $marks];
    }

    /**
     * @param array<string, string> $marks
     * @return array<string, mixed>
     */
    private function filled(\stdClass $options, array $marks): array
    {
        return array_map(static fn (mixed $v): mixed => is_string($v) ? strtr($v, $marks) : $v, (array) $options);
    }

    /**
     * @param array<string, string> $marks
     * @return list<string>
     */
    private function judged(\stdClass $case, Engine $engine, array $marks, bool $typed): array
    {
        $way = $typed ? 'in words: ' : 'by call: ';
        try {
            [$status, $said] = match (true) {
                isset($case->close) => $this->closed($engine),
                isset($case->open) => $this->tried($case->open, $marks),
                isset($case->text) => $this->called($engine, $case->operation, $this->text($case->text)),
                $typed && $case->operation !== 'failpoint' => (new Words($engine))->say($case->operation, $case->call),
                default => $this->called($engine, $case->operation, json_encode($case->call, Normal::FLAGS)),
            };
            $code = null;
        } catch (HosError $error) {
            [$status, $said, $code] = [strtolower($error->status->name), null, $error->code()];
        } catch (\Throwable $error) {
            return [$way . get_class($error) . ': ' . $error->getMessage()];
        }
        $faults = [];
        if ($status !== $case->expect->status) {
            $faults[] = "{$way}status $status, not {$case->expect->status}" . ($code === null ? '' : " ($code)");
        }
        if ($code !== ($case->expect->code ?? null)) {
            $faults[] = $way . 'code ' . ($code ?? 'none') . ', not ' . ($case->expect->code ?? 'none');
        }
        if (isset($case->expect->answer) || ($said !== null && !isset($case->close) && !isset($case->open))) {
            $wanted = Normal::text($case->expect->answer ?? new \stdClass());
            $found = $said === null ? 'nothing' : Normal::text($said);
            if ($found !== $wanted) {
                $faults[] = "{$way}answered\n    $found\n  not\n    $wanted";
            }
        }

        return $faults;
    }

    /** @return array{string, \stdClass} */
    private function called(Engine $engine, string $operation, string $json): array
    {
        $reply = $engine->call($operation, $json);

        return [strtolower($reply->status->name), json_decode($reply->json, false, 512, JSON_THROW_ON_ERROR)];
    }

    /** @return array{string, null} */
    private function closed(Engine $engine): array
    {
        $engine->close();

        return ['allowed', null];
    }

    /**
     * @param array<string, string> $marks
     * @return array{string, null}
     */
    private function tried(\stdClass $options, array $marks): array
    {
        Engine::openWith($this->filled($options, $marks), shared: false)->close();

        return ['allowed', null];
    }

    private function text(string|\stdClass $text): string
    {
        if (is_string($text)) {
            return $text;
        }

        return ($text->before ?? '') . str_repeat($text->repeat, $text->times) . ($text->after ?? '');
    }
}
