<?php

declare(strict_types=1);

namespace Hos\Wire;

use Hos\Answer;
use Hos\CallError;
use Hos\HasUid;
use Hos\HosError;
use Hos\Legacy;
use Hos\Native\Handle;
use Hos\Tenant;
use Hos\Uid;

/**
 * A tenant and who acts in it: what every call begins with, written once.
 *
 * @internal
 */
final class Bound
{
    private readonly string $head;
    /** The begin of what stands beside the words of `can`; empty where nothing does. */
    private readonly string $beside;

    public function __construct(
        private readonly Handle $handle,
        public readonly Tenant $tenant,
        public readonly Uid $principal,
        public readonly ?string $language,
        ?string $request,
    ) {
        $about = ($language === null ? '' : ',"language":' . Encoder::text($language, 'language'))
            . ($request === null ? '' : ',"request":' . Encoder::text($request, 'request'));
        $who = '{"tenant":' . Encoder::text($tenant->name, 'tenant') . ',"principal":' . $principal->json('the principal');
        $this->head = $who . $about;
        $this->beside = $about === '' ? '' : '{' . substr($about, 1);
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
    ): Answer {
        if ($given !== [] || $legacy !== null) {
            return $this->answer('can', ['action' => $action], ['context' => $context], $given, $legacy, ['resource' => $resource]);
        }
        $beside = $this->beside;
        if ($context !== []) {
            $beside .= ($beside === '' ? '{' : ',') . '"context":' . (new Encoder())->record($context, 'context');
        }
        $beside .= $beside === '' ? '' : '}';
        $json = $this->handle->can($this->tenant->name, $this->principal, $action, Uid::of($resource), $beside, $status);

        return new Answer($this, $status === 1, $json);
    }

    /**
     * Makes a call that is answered by yes or no.
     *
     * @param array<string, ?string> $texts
     * @param array<string, array<mixed>|\stdClass> $records
     * @param array<mixed> $given
     * @param array<string, HasUid|string|null> $entities
     */
    public function answer(
        string $operation,
        array $texts,
        array $records = [],
        array $given = [],
        Legacy|bool|null $legacy = null,
        array $entities = [],
    ): Answer {
        $json = $this->told($operation, $texts, $records, $given, $legacy, $entities, $status);

        return new Answer($this, $status === 1, $json);
    }

    /**
     * Makes a call and gives what was told.
     *
     * @param array<string, ?string> $texts
     * @param array<string, array<mixed>|\stdClass> $records
     * @param array<mixed> $given
     * @param array<string, HasUid|string|null> $entities
     */
    public function told(
        string $operation,
        array $texts,
        array $records,
        array $given,
        Legacy|bool|null $legacy,
        array $entities,
        ?int &$status,
    ): string {
        try {
            $call = $this->written(new Encoder(), $texts, $records, $given, $legacy, $entities);
        } catch (CallError $error) {
            if ($legacy === null) {
                throw $error;
            }
            // Where the law only watches, the world's own outcome is the answer whatever the call holds; the wire knows if it does.
            $call = $this->written(new Encoder(lenient: true), $texts, $records, $given, $legacy, $entities);
            try {
                return $this->handle->call($operation, $call, $status);
            } catch (CallError) {
                throw $error;
            }
        }

        return $this->handle->call($operation, $call, $status);
    }

    /** A change of the directory. */
    public function change(string $change, ?string $once): Answer
    {
        $call = $this->head . ',"change":' . $change . ($once === null ? '' : ',"once":' . Encoder::text($once, 'once')) . '}';
        $json = $this->handle->call('directory', $call, $status);

        return new Answer($this, $status === 1, $json);
    }

    private function written(
        Encoder $encoder,
        array $texts,
        array $records,
        array $given,
        Legacy|bool|null $legacy,
        array $entities,
    ): string {
        $call = $this->head;
        foreach ($texts as $name => $text) {
            if ($text !== null) {
                $call .= ",\"$name\":" . Encoder::text($text, $name);
            }
        }
        foreach ($entities as $name => $who) {
            if ($who !== null) {
                $call .= ",\"$name\":" . $encoder->entity($who, $name);
            }
        }
        foreach ($records as $name => $record) {
            if ($record !== []) {
                $call .= ",\"$name\":" . $encoder->record($record, $name);
            }
        }
        if ($given !== []) {
            $call .= ',"given":' . $encoder->given($given);
        }
        if ($legacy !== null) {
            $call .= ',"legacy":' . Encoder::legacy($legacy);
        }

        return $call . '}';
    }
}
