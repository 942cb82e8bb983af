<?php

declare(strict_types=1);

namespace Hos\Bridge\Symfony;

use Hos\Bridge\Question;
use Symfony\Component\Security\Core\Authentication\Token\TokenInterface;
use Symfony\Component\Security\Core\Authorization\Voter\VoterInterface;

/**
 * A voter that votes on the law's actions, and on nothing else: `is_granted('order.view', order)`.
 *
 * Of several attributes that are actions all must be allowed. Use the strategy `unanimous` where other voters must not outvote
 * the law.
 */
final class HosVoter implements VoterInterface
{
    public function __construct(private readonly Question $question)
    {
    }

    /**
     * @param mixed $subject what {@see Question::decide} understands
     * @param array<mixed> $attributes
     * @param mixed $vote where newer versions of Symfony want the reasons
     */
    public function vote(TokenInterface $token, mixed $subject, array $attributes, mixed $vote = null): int
    {
        $result = self::ACCESS_ABSTAIN;
        foreach ($attributes as $attribute) {
            $verdict = is_string($attribute) ? $this->question->decide($token->getUser(), $attribute, $subject) : null;
            if ($verdict === null) {
                continue;
            }
            if (!$verdict->allowed) {
                if (is_object($vote) && method_exists($vote, 'addReason')) {
                    $vote->addReason($verdict->message ?? (string) $verdict->code);
                }

                return self::ACCESS_DENIED;
            }
            $result = self::ACCESS_GRANTED;
        }

        return $result;
    }
}
