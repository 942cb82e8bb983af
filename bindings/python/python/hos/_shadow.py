"""The world decides, the law watches: the world's own code runs first and once, and what it gives or raises is what the caller
gets. The law is judged beside it, and nothing that happens there is felt."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any, Awaitable, Callable, Mapping, Optional, Tuple, TypeVar, Union

from hos._reply import Reply
from hos._values import Legacy
from hos.errors import CallError, _is_undone

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from hos._hos import Answer, Uid
    from hos._values import HasUid
    from hos._words import Beside, Seen, Watched, WatchedBirth

_T = TypeVar("_T")
_World = Union[Legacy, bool]
Outcome = Callable[[Any], Union[Legacy, bool, None]]
Judge = Callable[[_World], "Answer"]


class Watching:
    """The three forms of ``shadow``, of whoever has ``can``, ``begin`` and ``transition``.

    ``legacy`` is the world's own code. It runs first and once; what it gives is given back and what it raises goes through, whatever
    becomes of the law. Then the law judges with what the world came to: ``False`` and an exception are a no, a ``dict`` whose
    ``allowed`` is a bool (:class:`hos.Legacy`) says it by itself, anything else is a yes. ``outcome`` says otherwise: of what was
    given or raised it makes a bool, a ``Legacy``, or ``None`` for this rule. ``seen`` gets the law's answer, or the exception that
    stood in its way; what it raises is swallowed. The other words are those of the call, and are read when ``legacy`` has ended.

    In a transaction of yours (:mod:`hos.joined`) one failure is raised all the same: that with which the database ended the
    transaction, for what ``legacy`` wrote in it is gone. ``seen`` gets it before.

    What orders a program to stop (``KeyboardInterrupt``, ``SystemExit``, a task's cancellation) is no outcome: it goes through
    at once, and the law is not asked."""

    __slots__ = ()

    def shadow(
        self,
        contract: str,
        id: str,
        event: str,
        *,
        legacy: Callable[[], _T],
        outcome: Optional[Outcome] = None,
        seen: Optional[Seen] = None,
        **words: Unpack[Watched],
    ) -> _T:
        """An event (see ``transition``) that the world's own code carries out, while the law watches."""
        return run(legacy, judge(self, "transition", (contract, id, event), words), outcome, seen)

    def shadow_begin(
        self,
        contract: str,
        id: str,
        event: str,
        *,
        legacy: Callable[[], _T],
        outcome: Optional[Outcome] = None,
        seen: Optional[Seen] = None,
        **words: Unpack[WatchedBirth],
    ) -> _T:
        """As ``shadow``, of a birth (see ``begin``)."""
        return run(legacy, judge(self, "begin", (contract, id, event), words), outcome, seen)

    def shadow_can(
        self,
        action: str,
        resource: Union[Uid, str, HasUid],
        *,
        legacy: Callable[[], _T],
        outcome: Optional[Outcome] = None,
        seen: Optional[Seen] = None,
        **words: Unpack[Beside],
    ) -> _T:
        """As ``shadow``, of a question (see ``can``)."""
        return run(legacy, judge(self, "can", (action, resource), words), outcome, seen)


def judge(actor: object, operation: str, own: Tuple[Any, ...], words: Mapping[str, Any]) -> Judge:
    """Asks the law, with what the world came to."""

    def asked(world: _World) -> Answer:
        answer: Answer = getattr(actor, operation)(*own, **words, legacy=world)
        return answer

    return asked


def run(legacy: Callable[[], _T], judge: Judge, outcome: Optional[Outcome], seen: Optional[Seen]) -> _T:
    """The world's own code, watched."""
    try:
        given = legacy()
    except Exception as raised:
        _watch(judge, outcome, seen, raised, True)
        raise
    _watch(judge, outcome, seen, given, False)
    return given


async def run_async(
    legacy: Callable[[], Awaitable[_T]], judge: Judge, outcome: Optional[Outcome], seen: Optional[Seen]
) -> _T:
    """As ``run``, of a coroutine; the law is judged in a thread."""
    try:
        given: Any = legacy()
        if _is_awaitable(given):
            given = await given
    except Exception as raised:
        await _watch_async(judge, outcome, seen, raised, True)
        raise
    await _watch_async(judge, outcome, seen, given, False)
    result: _T = given
    return result


def _watch(judge: Judge, outcome: Optional[Outcome], seen: Optional[Seen], given: object, raised: bool) -> None:
    told: Any = None
    try:
        try:
            if _is_awaitable(given):
                raise CallError("hos.call_malformed", "`legacy` gave an awaitable, which has come to nothing yet: `actor.aio` awaits it")
            told = judge(_world(outcome, given, raised))
        except BaseException as fault:
            told = fault_of(fault)
        if seen is not None:
            _drop(seen(told))
    except BaseException as fault:
        fault_of(fault)
    if isinstance(told, Exception) and _is_undone(told):
        raise told


async def _watch_async(judge: Judge, outcome: Optional[Outcome], seen: Optional[Seen], given: object, raised: bool) -> None:
    try:
        told: Any
        try:
            told = await asyncio.to_thread(judge, _world(outcome, given, raised))
        except BaseException as fault:
            told = fault_of(fault)
        if seen is not None:
            said: Any = seen(told)
            if _is_awaitable(said):
                await said
    except BaseException as fault:
        fault_of(fault)


def _world(outcome: Optional[Outcome], given: object, raised: bool) -> _World:
    """What the world came to."""
    said: object = None
    if outcome is not None:
        try:
            said = outcome(given)
        except Exception:
            # An `outcome` that knows only what is given cannot read what is raised; that is a refusal all the same.
            if not raised:
                raise
    if said is None:
        world = False if raised else _read(given)
        return True if world is None else world
    world = _read(said)
    if world is None:
        _drop(said)
        raise CallError("hos.value_invalid", f"`outcome` gives a bool or a hos.Legacy, not {type(said).__name__}")
    return world


def _read(said: object) -> Optional[_World]:
    """What says by itself that it is allowed or not."""
    if isinstance(said, bool):
        return said
    if isinstance(said, Reply):
        said = dict(said)
    if not isinstance(said, dict):
        return None
    allowed, state = dict.get(said, "allowed"), dict.get(said, "state")
    if not isinstance(allowed, bool):
        return None
    return Legacy(allowed=allowed, state=state) if isinstance(state, str) else Legacy(allowed=allowed)


def fault_of(raised: BaseException) -> BaseException:
    """A fault, to be told and no more. What orders a program to stop is none, and goes on; a panic of the extension's is one."""
    if isinstance(raised, Exception) or type(raised).__module__ == "pyo3_runtime":
        return raised
    raise raised


def _is_awaitable(given: object) -> bool:
    try:
        return inspect.isawaitable(given)
    except Exception:
        return False


def _drop(said: object) -> None:
    # A coroutine that nobody awaits would warn of it when it goes.
    if inspect.iscoroutine(said):
        said.close()
