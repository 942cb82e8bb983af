<?php

declare(strict_types=1);

namespace Hos\Wire;

use Hos\Answer;
use Hos\Call;
use Hos\HasUid;
use Hos\HosError;
use Hos\Legacy;
use Hos\Native\Door;
use Hos\Tenant;
use Hos\Uid;

/**
 * A tenant and who acts in it: what every call begins with, written once.
 *
 * @internal
 */
final class Bound
{
    /** What a principal that could not be read is called. */
    private const UNREAD = ['', ''];
    private const FLAGS = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR;

    public readonly Uid $principal;

    private readonly string $head;
    /** The language as a field, and the request of calls that say none of their own; empty where there is none. */
    private readonly string $spoken;
    private readonly string $request;
    /** What of the above is not of its form. Every call throws it, unless the world's own outcome stands. */
    private readonly ?\Throwable $fault;

    public function __construct(
        private readonly Door $handle,
        public readonly Tenant $tenant,
        mixed $principal,
        public readonly ?string $language,
        ?string $request,
    ) {
        [$who, $head, $spoken, $asked, $fault] = [null, '', '', '', null];
        try {
            if (!$principal instanceof HasUid && !is_string($principal)) {
                throw HosError::call('hos.call_malformed', 'the principal is an entity, not ' . get_debug_type($principal));
            }
            $who = Uid::of($principal);
            $spoken = $language === null ? '' : ',"language":' . Encoder::text($language, 'language');
            $asked = self::asked($request);
            $head = '{"tenant":' . Encoder::text($tenant->name, 'tenant') . ',"principal":' . $who->json('the principal') . $spoken;
        } catch (\Throwable $thrown) {
            // Also what the caller's own `hosUid` throws: here nobody knows yet whether it may stop the world.
            $fault = $thrown;
        }
        $this->principal = $who ?? new Uid(...self::UNREAD);
        $this->head = $head;
        $this->spoken = $spoken;
        $this->request = $asked;
        $this->fault = $fault;
    }

    /** A request as a field. */
    private static function asked(?string $request): string
    {
        return $request === null ? '' : ',"request":' . Encoder::text($request, 'request');
    }

    /**
     * `can`, by the shortest way where nothing comes with it but a context: it is asked much more often than all else.
     *
     * @param array<mixed>|\stdClass $context
     * @param array<mixed> $given
     */
    public function can(
        string $action,
        HasUid|string $resource,
        array|\stdClass $context,
        array $given,
        Legacy|bool|null $legacy,
        ?string $request,
    ): Answer {
        if ($given !== [] || $legacy !== null) {
            return $this->answer('can', ['action' => $action, 'request' => $request], ['context' => $context], $given, $legacy, ['resource' => $resource]);
        }
        if ($this->fault !== null) {
            throw $this->fault;
        }
        $beside = $this->spoken . ($request === null ? $this->request : self::asked($request));
        if ($context !== []) {
            $beside .= ',"context":' . (new Encoder())->record($context, 'context');
        }
        if ($beside !== '') {
            $beside[0] = '{';
            $beside .= '}';
        }
        $json = $this->handle->can($this->tenant->name, $this->principal, $action, Uid::of($resource), $beside, $status);

        return new Answer($this, $status === 1, $json);
    }

    /**
     * Several questions at once.
     *
     * @param array<mixed> $questions
     * @param array<mixed>|\stdClass $context
     * @param array<mixed> $given
     * @return list<Answer>
     */
    public function answers(array $questions, array|\stdClass $context, array $given, ?string $request): array
    {
        $call = $this->written(['request' => $request], ['context' => $context], $given, null, []);
        $call = substr($call, 0, -1) . ',"evaluations":' . (new Encoder())->questions($questions) . '}';
        $json = $this->handle->call('can_all', $call, $status);
        $answer = function (\stdClass $one): Answer {
            $json = json_encode($one, self::FLAGS);

            return new Answer($this, $one->allowed === true, $json);
        };

        return Decoder::typed(static fn (): array => array_map($answer, Decoder::tree($json)->evaluations));
    }

    /**
     * Several calls as one.
     *
     * @param array<mixed> $calls
     * @param array<mixed>|\stdClass $context
     * @param array<mixed> $given
     * @return list<Answer>
     */
    public function all(array $calls, array|\stdClass $context, array $given, ?string $request): array
    {
        $call = substr($this->written(['request' => $request], ['context' => $context], $given, null, []), 0, -1);
        $encoder = new Encoder();
        $one = function (mixed $one) use ($encoder): string {
            if (!$one instanceof Call) {
                throw HosError::call('hos.call_malformed', 'calls: a list of Hos\\Call, not of ' . get_debug_type($one));
            }
            $json = '{"operation":' . Encoder::text($one->operation, 'operation');
            $json .= self::fields($encoder, $one->texts, ['subject' => $one->subject], $one->records, []);

            return $json . ($one->given === null ? '' : ',"given":' . $encoder->given($one->given)) . '}';
        };
        $call .= ',"calls":' . Encoder::listed($calls, 'calls', $one) . '}';
        $json = $this->handle->call('all', $call, $status, false, $refusal);
        $answers = static function () use ($json): array {
            $last = Decoder::tree($json);
            $earlier = $last->earlier ?? [];
            unset($last->earlier);

            return [...$earlier, $last];
        };
        $answer = fn (\stdClass $one): Answer => new Answer(
            $this,
            $one->allowed === true,
            json_encode($one, self::FLAGS),
            $one->allowed === true ? null : $refusal,
            ofAll: true,
        );

        return Decoder::typed(static fn (): array => array_map($answer, $answers()));
    }

    /**
     * Makes a call that is answered by yes or no.
     *
     * @param array<string, ?string> $texts
     * @param array<string, array<mixed>|\stdClass|\Closure> $records
     * @param array<mixed> $given
     * @param array<string, HasUid|string|null> $entities
     * @param array<string, array<mixed>> $rows lists of records
     */
    public function answer(
        string $operation,
        array $texts,
        array $records = [],
        array $given = [],
        Legacy|bool|null $legacy = null,
        array $entities = [],
        array $rows = [],
    ): Answer {
        $json = $this->told($operation, $texts, $records, $given, $legacy, $entities, $status, $refusal, $rows);

        return new Answer($this, $status === 1, $json, $refusal);
    }

    /**
     * Makes a call and gives what was told.
     *
     * @param array<string, ?string> $texts
     * @param array<string, array<mixed>|\stdClass|\Closure> $records
     * @param array<mixed> $given
     * @param array<string, HasUid|string|null> $entities
     * @param array<string, array<mixed>> $rows lists of records
     */
    public function told(
        string $operation,
        array $texts,
        array $records,
        array $given,
        Legacy|bool|null $legacy,
        array $entities,
        ?int &$status,
        ?array &$refusal = null,
        array $rows = [],
    ): string {
        [$refusal, $guard, $running, $leave] = [null, null, null, null];
        $functions = [];
        foreach ($records as $name => $record) {
            if ($record instanceof \Closure) {
                $functions[$name] = $record;
            }
        }
        try {
            if ($functions !== [] && $legacy === null) {
                // What the call is about stands still meanwhile. A call in shadow does without: it holds nobody up.
                $leave = $this->handle->claim($operation, $this->written($texts, [], [], null, []));
                $functions = self::ran($functions);
            } elseif ($functions !== []) {
                $guard = $this->handle->guard();
                $functions = $this->handle->beside(static function () use ($functions, &$running): array {
                    return self::ran($functions, $running);
                });
            }
            $records = array_replace($records, $functions);
            $call = $this->written($texts, $records, $given, $legacy, $entities, $rows);
            if ($leave !== null) {
                // Of what is no call to the engine it leaves no claims: it has not begun.
                return $this->handle->call($operation, $call, $status, false, $refusal);
            }
        } catch (\Throwable $fault) {
            if ($legacy === null) {
                self::left($leave);
                throw $fault;
            }
            $guard === null || $guard($fault);
            $words = ['tenant' => $this->tenant->name, 'language' => $this->language] + $texts;
            $world = $legacy instanceof Legacy ? $legacy->allowed : $legacy;

            return Instead::told($this->handle, $operation, $words, $world, $fault, $status, $running);
        }

        return $this->handle->call($operation, $call, $status, $legacy !== null, $refusal);
    }

    /** Takes back what was claimed for a call that is not made after all. */
    private static function left(?\Closure $leave): void
    {
        try {
            $leave === null || $leave();
        } catch (HosError) {
            // What is claimed and not left holds nothing, and goes with the transaction.
        }
    }

    /**
     * Runs functions that give records.
     *
     * @param array<string, \Closure> $functions
     * @param ?string $running which of them runs, or has failed
     * @return array<string, array<mixed>|\stdClass>
     */
    private static function ran(array $functions, ?string &$running = null): array
    {
        foreach ($functions as $name => $function) {
            $running = $name;
            $record = $function();
            $running = null;
            if (!is_array($record) && !$record instanceof \stdClass) {
                throw HosError::call('hos.value_invalid', "$name: the function gives an array, not " . get_debug_type($record));
            }
            $functions[$name] = $record;
        }

        return $functions;
    }

    /**
     * @see Door::guard()
     * @return \Closure(\Throwable): void
     */
    public function guard(bool $asked): \Closure
    {
        return $this->handle->guard($asked);
    }

    /**
     * Makes evidence of a refusal.
     *
     * @param array{int, int, int} $refusal
     */
    public function refused(array $refusal): Answer
    {
        return new Answer($this, false, $this->handle->refused($refusal));
    }

    /** A change of the directory. */
    public function change(string $change, ?string $once, ?string $request): Answer
    {
        if ($this->fault !== null) {
            throw $this->fault;
        }
        $call = $this->head . ($request === null ? $this->request : self::asked($request))
            . ',"change":' . $change . ($once === null ? '' : ',"once":' . Encoder::text($once, 'once')) . '}';
        $json = $this->handle->call('directory', $call, $status, false, $refusal);

        return new Answer($this, $status === 1, $json, $refusal);
    }

    /**
     * @param array<string, ?string> $texts
     * @param array<string, array<mixed>|\stdClass> $records
     * @param array<mixed> $given
     * @param array<string, HasUid|string|null> $entities
     * @param array<string, array<mixed>> $rows lists of records
     * @throws \Throwable a `CallError`, or what an object of the caller's throws when it is asked who it is
     */
    private function written(array $texts, array $records, array $given, Legacy|bool|null $legacy, array $entities, array $rows = []): string
    {
        if ($this->fault !== null) {
            throw $this->fault;
        }
        $encoder = new Encoder();
        foreach ($records as $name => $record) {
            if ($record === []) {
                unset($records[$name]);
            }
        }
        $call = $this->head . (isset($texts['request']) ? '' : $this->request) . self::fields($encoder, $texts, $entities, $records, $rows);
        if ($given !== []) {
            $call .= ',"given":' . $encoder->given($given);
        }
        if ($legacy !== null) {
            $call .= ',"legacy":' . Encoder::legacy($legacy);
        }
        // The parts that are not too large may be so together.
        Encoder::bounded(strlen($call) + 1, 'the call');

        return $call . '}';
    }

    /**
     * @param array<string, ?string> $texts
     * @param array<string, HasUid|string|null> $entities
     * @param array<string, array<mixed>|\stdClass> $records
     * @param array<string, array<mixed>> $rows lists of records
     */
    private static function fields(Encoder $encoder, array $texts, array $entities, array $records, array $rows): string
    {
        $fields = '';
        foreach ($texts as $name => $text) {
            if ($text !== null) {
                $fields .= ",\"$name\":" . Encoder::text($text, $name);
            }
        }
        foreach ($entities as $name => $who) {
            if ($who !== null) {
                $fields .= ",\"$name\":" . $encoder->entity($who, $name);
            }
        }
        foreach ($records as $name => $record) {
            $fields .= ",\"$name\":" . $encoder->record($record, $name);
        }
        foreach ($rows as $name => $list) {
            $fields .= ",\"$name\":" . $encoder->records($list, $name);
        }

        return $fields;
    }
}
