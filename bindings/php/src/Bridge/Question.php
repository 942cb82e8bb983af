<?php

declare(strict_types=1);

namespace Hos\Bridge;

use Hos\Answer;
use Hos\CallError;
use Hos\Given;
use Hos\HasUid;
use Hos\HosError;
use Hos\Mode;
use Hos\Tenant;
use Hos\Uid;

/**
 * What a framework asks, put to the law. One rule for all adapters:
 *
 * - what is no action of the law is none of its business, and neither is anything while the law is `off` or only watches
 *   (`shadow`; to be watched, a call says what the world decided: `can(.., legacy: ..)`): no vote;
 * - whatever else stands in the way of an answer is a no: nobody signed in, a subject that says no `Uid`, a store that fails.
 */
final class Question
{
    /** Stand-ins for what is missing: with them the law is asked whether it knows the action, and the answer is never a yes. */
    private const NOBODY = ['Hos::Nobody', 'nobody'];
    private const NOTHING = ['Hos::Nothing', 'nothing'];

    /**
     * @param Tenant|\Closure(): Tenant $tenant a closure opens the engine only when something is asked
     * @param ?\Closure(object): (HasUid|string|null) $principal who a user is; of a {@see HasUid} himself if not said
     * @param ?\Closure(mixed): list<Given> $given rows of your own that come with a subject
     */
    public function __construct(
        private readonly Tenant|\Closure $tenant,
        private readonly ?\Closure $principal = null,
        private readonly ?\Closure $given = null,
        private readonly ?string $language = null,
    ) {
    }

    /**
     * @param mixed $subject the resource (a `Uid`, its text, or an object that says its own), or `[resource, context]`
     * @return ?Verdict null: no vote
     */
    public function decide(?object $user, string $action, mixed $subject): ?Verdict
    {
        try {
            return $this->asked($user, $action, $subject);
        } catch (HosError $error) {
            return new Verdict(false, $error->code(), null);
        } catch (\Throwable) {
            // A closure of the application's that fails, a `hosUid` that throws: no reason to say yes, or to know nothing of it.
            return new Verdict(false, 'hos.internal', null);
        }
    }

    private function asked(?object $user, string $action, mixed $subject): ?Verdict
    {
        $tenant = $this->tenant instanceof Tenant ? $this->tenant : ($this->tenant)();
        [$resource, $context] = is_array($subject) ? [$subject[0] ?? null, $subject[1] ?? []] : [$subject, []];
        $principal = self::uid(fn (): mixed => $user === null || $this->principal === null ? $user : ($this->principal)($user));
        $thing = self::uid(static fn (): mixed => $resource);
        $whole = $principal !== null && $thing !== null && (is_array($context) || $context instanceof \stdClass);

        try {
            $answer = $tenant->as($principal ?? new Uid(...self::NOBODY), $this->language)->can(
                $action,
                $thing ?? new Uid(...self::NOTHING),
                context: $whole ? $context : [],
                given: $whole && $this->given !== null ? ($this->given)($resource) : [],
            );
        } catch (CallError $fault) {
            // What comes with the question has no form for the law, and need have none where it is not the law's to answer.
            $bare = $tenant->as(new Uid(...self::NOBODY))->can($action, new Uid(...self::NOTHING));

            return self::isOthers($bare) ? null : throw $fault;
        }
        if ($answer->allowed) {
            return new Verdict($whole, $whole ? null : 'hos.principal_unknown', null);
        }
        if (self::isOthers($answer)) {
            return null;
        }

        return new Verdict(false, $answer->code, $this->language === null ? null : $answer->message());
    }

    /** Whether a no is none of the law's: of an action that it does not know, or does not enforce. */
    private static function isOthers(Answer $answer): bool
    {
        return !$answer->allowed && ($answer->code === 'hos.action_unknown' || $answer->mode !== Mode::Enforce);
    }

    /**
     * Null where nobody is named, or the naming fails: then it is the law's actions that are refused, not all that is asked.
     *
     * @param \Closure(): mixed $named
     */
    private static function uid(\Closure $named): ?Uid
    {
        try {
            $who = $named();

            return $who instanceof HasUid || is_string($who) ? Uid::of($who) : null;
        } catch (\Throwable) {
            return null;
        }
    }
}
