<?php

declare(strict_types=1);

namespace Hos\Bridge\Laravel;

use Hos\Bridge\Question;
use Illuminate\Auth\Access\Response;
use Illuminate\Contracts\Auth\Access\Gate;

/**
 * Has Laravel's gate ask the law about the law's actions, before anything else; other abilities go their way.
 *
 *     HosGate::register($gate, new Question(fn () => Engine::open(..)->tenant('pazar-tr'), language: 'tr'));
 *     Gate::allows('order.view', $order);
 *     Gate::authorize('order.refund', [$order, ['amount' => 4200]]);
 */
final class HosGate
{
    public static function register(Gate $gate, Question $question): void
    {
        // The user may be null, said so by its type: guests are asked about too, and refused.
        $gate->before(static function (?object $user, mixed $ability, mixed $arguments = []) use ($question): ?Response {
            $arguments = is_array($arguments) ? array_values($arguments) : [$arguments];
            $verdict = $question->decide($user, (string) $ability, [$arguments[0] ?? null, $arguments[1] ?? []]);

            return match ($verdict?->allowed) {
                null => null,
                true => Response::allow(),
                false => Response::deny($verdict->message ?? 'This action is unauthorized.', $verdict->code),
            };
        });
    }
}
