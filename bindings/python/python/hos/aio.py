"""H-OS in ``async`` code: what writes, or reads the store, runs in a thread of the loop's executor and is awaited.

So does a ``can`` that would look at the store (each ``directory_age_max_ms``; each time where that is 0) or write; any other is
answered from memory, in microseconds, where it is awaited. :meth:`hos.Actor.can`, called in a loop, keeps it waiting for all that.

A call whose task is cancelled while it runs ends as it would have: under a once-key the same call tells later what came of it.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Awaitable, Callable, Generator, Iterable, List, Mapping, Optional, TypeVar, Union

from hos import _shadow
from hos._answers import Available, Entry
from hos._engine import Actor, Engine
from hos._hos import Answer, Uid
from hos._values import HasUid, Question

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from hos._words import Beside, Besides, Birth, Change, Move, Note, Row, Seen, Slots, Watched, WatchedBirth

__all__ = ["Asked", "AsyncActor", "AsyncDirectory", "open", "open_for_shadow"]

_T = TypeVar("_T")
_Named = Union[Uid, str, HasUid]


def _threaded(call: Callable[..., _T], *args: Any, **words: Any) -> Awaitable[_T]:
    return asyncio.to_thread(partial(call, *args, **words))


async def open(*args: Any, **options: Any) -> Engine:
    """As :meth:`hos.Engine.open`."""
    return await _threaded(Engine.open, *args, **options)


async def open_for_shadow(*args: Any, **options: Any) -> Engine:
    """As :meth:`hos.Engine.open_for_shadow`."""
    return await _threaded(Engine.open_for_shadow, *args, **options)


class Asked(Awaitable[Answer]):
    """A ``can`` that is asked when it is awaited. Not a condition: one whose ``await`` was forgotten is no yes."""

    __slots__ = ("_ask",)

    def __init__(self, ask: Callable[[], Awaitable[Answer]]) -> None:
        self._ask = ask

    def __await__(self) -> Generator[Any, None, Answer]:
        return (yield from self._ask().__await__())

    def __bool__(self) -> bool:
        raise TypeError("it was not asked yet: await it, and ask for the answer's `.allowed`")


class AsyncActor:
    """An actor whose calls are awaited. They take the words of :class:`hos.Actor`'s."""

    __slots__ = ("actor", "directory")

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.directory = AsyncDirectory(actor)

    def can(self, action: str, resource: _Named, **words: Unpack[Besides]) -> Asked:
        """From memory where it is awaited; in a thread where it would look at the store, or write the world's outcome."""
        return Asked(lambda: self._ask(self.actor.can, action, resource, **words))

    async def can_all(self, questions: Iterable[Question], **words: Unpack[Beside]) -> List[Answer]:
        return await _threaded(self.actor.can_all, questions, **words)

    def authorize(self, action: str, resource: _Named, **words: Unpack[Besides]) -> Asked:
        """As ``can``, but a no is raised."""
        return Asked(lambda: self._ask(self.actor.authorize, action, resource, **words))

    async def _ask(self, call: Callable[..., Answer], action: str, resource: _Named, **words: Unpack[Besides]) -> Answer:
        if words.get("legacy") is None and self.actor._is_at_hand():
            return call(action, resource, **words)
        return await _threaded(call, action, resource, **words)

    async def begin(self, contract: str, id: str, event: str, **words: Unpack[Birth]) -> Answer:
        return await _threaded(self.actor.begin, contract, id, event, **words)

    async def transition(self, contract: str, id: str, event: str, **words: Unpack[Move]) -> Answer:
        return await _threaded(self.actor.transition, contract, id, event, **words)

    async def apply(self, contract: str, id: str, event: str, **words: Unpack[Move]) -> Answer:
        return await _threaded(self.actor.apply, contract, id, event, **words)

    async def shadow(
        self,
        contract: str,
        id: str,
        event: str,
        *,
        legacy: Callable[[], Awaitable[_T]],
        outcome: Optional[_shadow.Outcome] = None,
        seen: Optional[Seen] = None,
        **words: Unpack[Watched],
    ) -> _T:
        """As :meth:`hos.Actor.shadow`, of a coroutine: it is awaited, then the law is judged in a thread. ``seen`` may be ``async``."""
        judge = _shadow.judge(self.actor, "transition", (contract, id, event), words)
        return await _shadow.run_async(legacy, judge, outcome, seen)

    async def shadow_begin(
        self,
        contract: str,
        id: str,
        event: str,
        *,
        legacy: Callable[[], Awaitable[_T]],
        outcome: Optional[_shadow.Outcome] = None,
        seen: Optional[Seen] = None,
        **words: Unpack[WatchedBirth],
    ) -> _T:
        judge = _shadow.judge(self.actor, "begin", (contract, id, event), words)
        return await _shadow.run_async(legacy, judge, outcome, seen)

    async def shadow_can(
        self,
        action: str,
        resource: _Named,
        *,
        legacy: Callable[[], Awaitable[_T]],
        outcome: Optional[_shadow.Outcome] = None,
        seen: Optional[Seen] = None,
        **words: Unpack[Beside],
    ) -> _T:
        judge = _shadow.judge(self.actor, "can", (action, resource), words)
        return await _shadow.run_async(legacy, judge, outcome, seen)

    async def record(self, stream: str, payload: Union[str, bytes], **words: Unpack[Note]) -> Answer:
        return await _threaded(self.actor.record, stream, payload, **words)

    async def adopt(self, contract: str, id: str, state: str, **words: Unpack[Row]) -> Answer:
        return await _threaded(self.actor.adopt, contract, id, state, **words)

    async def legacy(self, contract: str, id: str, entries: Iterable[Mapping[str, str]], **words: Unpack[Change]) -> Answer:
        return await _threaded(self.actor.legacy, contract, id, entries, **words)

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
