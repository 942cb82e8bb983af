<?php

declare(strict_types=1);

namespace Shop;

/** Who asks: a user with a token, the payment provider with its signature, or the clock with the cron's key. */
final class Actor
{
    /** @param list<string> $roles @param list<string> $shops the shops whose seller it is */
    private function __construct(
        public readonly string $kind,
        public readonly string $id,
        public readonly array $roles = [],
        public readonly array $shops = [],
    ) {
    }

    public static function of(Request $in, Db $db): self
    {
        if (str_starts_with($in->path, '/payments/')) {
            $signed = self::sign('psp', implode('|', array_map($in->text(...), ['event', 'kind', 'about', 'amount'])));

            return hash_equals($signed, $in->text('signature')) ? new self('provider', 'psp') : throw new Refusal('signature_invalid', 403);
        }
        if (str_starts_with($in->path, '/cron/')) {
            $known = hash_equals(self::sign('cron', $in->path), $in->header('X-Cron-Key') ?? '');

            return $known ? new self('clock', 'clock') : throw new Refusal('signature_invalid', 403);
        }
        $token = $in->header('X-Pazar-Token') ?? $_COOKIE['pazar'] ?? '';
        [$id, $signed] = explode('.', $token, 2) + ['', ''];
        if ($token === '' || !hash_equals(self::sign('user', $id), $signed)) {
            return new self('nobody', '');
        }
        $roles = $db->rows('SELECT ur.role, ur.shop FROM users u LEFT JOIN user_roles ur ON ur.user_id = u.id WHERE u.id = ? AND u.active = 1 ORDER BY ur.role', $id);
        if ($roles === []) {
            return new self('nobody', '');
        }

        return new self('user', $id, array_values(array_filter(array_column($roles, 'role'))), array_values(array_filter(array_column($roles, 'shop'))));
    }

    /** The token of a user, the provider's signature, the cron's key: one secret, one word before for each of them. */
    public static function sign(string $word, string $text): string
    {
        $secret = getenv('PAZAR_SECRET');

        return $secret ? hash_hmac('sha256', "$word|$text", $secret) : throw new \LogicException('PAZAR_SECRET is not set');
    }

    public static function token(string $user): string
    {
        return $user . '.' . self::sign('user', $user);
    }
}
