"""H-OS in ``async`` code: what writes, or reads the store, runs in a thread of the loop's executor and is awaited.

``can`` takes microseconds and is called as ever. A call whose task is cancelled while it runs ends as it would have: under a
once-key the same call tells later what came of it.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Awaitable, Callable, List, Mapping, Optional, TypeVar, Union

from hos._answers import Available, Entry
from hos._engine import Actor, Engine
from hos._hos import Answer, Uid
from hos._values import HasUid

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from hos._words import Besides, Birth, Change, Move, Note, Row, Slots

__all__ = ["AsyncActor", "AsyncDirectory", "open"]

_T = TypeVar("_T")
_Named = Union[Uid, str, HasUid]


def _threaded(call: Callable[..., _T], *args: Any, **words: Any) -> Awaitable[_T]:
    return asyncio.to_thread(partial(call, *args, **words))


async def open(*args: Any, **options: Any) -> Engine:
    """As :meth:`hos.Engine.open`."""
    return await _threaded(Engine.open, *args, **options)


class AsyncActor:
    """An actor whose writing calls are awaited. They take the words of :class:`hos.Actor`'s."""

    __slots__ = ("actor", "directory")

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.directory = AsyncDirectory(actor)

    def can(self, action: str, resource: _Named, **words: Unpack[Besides]) -> Answer:
        """At once, without waiting."""
        return self.actor.can(action, resource, **words)

    def authorize(self, action: str, resource: _Named, **words: Unpack[Besides]) -> Answer:
        """At once, without waiting; a no is raised."""
        return self.actor.authorize(action, resource, **words)

    async def begin(self, contract: str, id: str, event: str, **words: Unpack[Birth]) -> Answer:
        return await _threaded(self.actor.begin, contract, id, event, **words)

    async def transition(self, contract: str, id: str, event: str, **words: Unpack[Move]) -> Answer:
        return await _threaded(self.actor.transition, contract, id, event, **words)

    async def apply(self, contract: str, id: str, event: str, **words: Unpack[Move]) -> Answer:
        return await _threaded(self.actor.apply, contract, id, event, **words)

    async def record(self, stream: str, payload: Union[str, bytes], **words: Unpack[Note]) -> Answer:
        return await _threaded(self.actor.record, stream, payload, **words)

    async def adopt(self, contract: str, id: str, state: str, **words: Unpack[Row]) -> Answer:
        return await _threaded(self.actor.adopt, contract, id, state, **words)

    async def available(self, contract: str, id: str, **words: Unpack[Besides]) -> List[Available]:
        return await _threaded(self.actor.available, contract, id, **words)

    async def history(
        self, contract: str, id: str, *, from_: Optional[int] = None, limit: Optional[int] = None
    ) -> List[Entry]:
        return await _threaded(self.actor.history, contract, id, from_=from_, limit=limit)


class AsyncDirectory:
    """Changes of who is who, awaited."""

    __slots__ = ("_actor",)

    def __init__(self, actor: Actor) -> None:
        self._actor = actor

    async def put(self, uid: _Named, attrs: Optional[Mapping[str, Any]] = None, **besides: Unpack[Change]) -> Answer:
        return await _threaded(self._actor.directory.put, uid, attrs, **besides)

    async def remove(self, uid: _Named, **besides: Unpack[Change]) -> Answer:
        return await _threaded(self._actor.directory.remove, uid, **besides)

    async def join(self, uid: _Named, parent: _Named, **besides: Unpack[Change]) -> Answer:
        return await _threaded(self._actor.directory.join, uid, parent, **besides)

    async def leave(self, uid: _Named, parent: _Named, **besides: Unpack[Change]) -> Answer:
        return await _threaded(self._actor.directory.leave, uid, parent, **besides)

    async def grant(self, id: str, template: str, **words: Unpack[Slots]) -> Answer:
        return await _threaded(self._actor.directory.grant, id, template, **words)

    async def revoke(self, id: str, **besides: Unpack[Change]) -> Answer:
        return await _threaded(self._actor.directory.revoke, id, **besides)
