<?php

declare(strict_types=1);

namespace Hos;

use Hos\Wire\Bound;
use Hos\Wire\Encoder;

/** Who is who: changes of a tenant's directory. Each is judged, and answered by yes or no; all throw {@see HosError}. */
final class Directory
{
    /** @internal */
    public function __construct(private readonly Bound $bound)
    {
    }

    /**
     * An entity is there, with these attributes in place of those that it had.
     *
     * @param array<string, mixed>|\stdClass $attrs
     */
    public function put(HasUid|string $uid, array|\stdClass $attrs = [], ?string $once = null, ?string $request = null): Answer
    {
        $attrs = $attrs === [] ? '' : ',"attrs":' . (new Encoder())->record($attrs, 'attrs');

        return $this->bound->change('{"put":{"uid":' . self::uid($uid, 'uid') . $attrs . '}}', $once, $request);
    }

    public function remove(HasUid|string $uid, ?string $once = null, ?string $request = null): Answer
    {
        return $this->bound->change('{"remove":{"uid":' . self::uid($uid, 'uid') . '}}', $once, $request);
    }

    /** A member joins a role, a shop, a group. */
    public function join(HasUid|string $uid, HasUid|string $parent, ?string $once = null, ?string $request = null): Answer
    {
        return $this->membership('join', $uid, $parent, $once, $request);
    }

    public function leave(HasUid|string $uid, HasUid|string $parent, ?string $once = null, ?string $request = null): Answer
    {
        return $this->membership('leave', $uid, $parent, $once, $request);
    }

    /** A policy template is filled in for a principal, a resource, or both; `id` is what `revoke` is told. */
    public function grant(
        string $id,
        string $template,
        HasUid|string|null $principal = null,
        HasUid|string|null $resource = null,
        ?string $once = null,
        ?string $request = null,
    ): Answer {
        $grant = '{"id":' . Encoder::text($id, 'id') . ',"template":' . Encoder::text($template, 'template')
            . ($principal === null ? '' : ',"principal":' . self::uid($principal, 'principal'))
            . ($resource === null ? '' : ',"resource":' . self::uid($resource, 'resource'));

        return $this->bound->change('{"grant":' . $grant . '}}', $once, $request);
    }

    public function revoke(string $id, ?string $once = null, ?string $request = null): Answer
    {
        return $this->bound->change('{"revoke":{"id":' . Encoder::text($id, 'id') . '}}', $once, $request);
    }

    private function membership(string $what, HasUid|string $uid, HasUid|string $parent, ?string $once, ?string $request): Answer
    {
        $pair = '{"uid":' . self::uid($uid, 'uid') . ',"parent":' . self::uid($parent, 'parent') . '}';

        return $this->bound->change("{\"$what\":$pair}", $once, $request);
    }

    private static function uid(HasUid|string $who, string $where): string
    {
        return Uid::of($who)->json($where);
    }
}
