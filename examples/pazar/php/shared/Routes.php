<?php

declare(strict_types=1);

namespace Shop;

/** From `POST /orders/{id}/ship` to the action behind it. */
final class Routes
{
    /** @return array{callable, list<string>} the action, and the words of the path that it asks for */
    public static function find(string $actions, Request $in): array
    {
        foreach ([...(glob("$actions/*.php") ?: []), __DIR__ . '/provider.php'] as $file) {
            foreach (require $file as $route => $action) {
                $pattern = '#^' . preg_replace('/\\\\\{\w+\\\\\}/', '([\w-]{1,64})', preg_quote($route, '#')) . '$#D';
                if (preg_match($pattern, "$in->method $in->path", $words) === 1) {
                    return [$action, array_slice($words, 1)];
                }
            }
        }
        throw new Refusal('not_found', 404);
    }
}
