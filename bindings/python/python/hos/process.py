"""One engine for each process: the pattern of servers that fork their workers."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any, Callable, Generic, List, Optional, Tuple, TypeVar

from hos._engine import Engine
from hos.joined import JoinedEngine

_E = TypeVar("_E", Engine, JoinedEngine)


class _PerProcess(Generic[_E]):
    __slots__ = ("__weakref__", "_left", "_lock", "_of", "_open")

    def __init__(self, open: Callable[[], _E]) -> None:
        self._open: Callable[[], _E] = open
        self._of: Optional[Tuple[int, _E]] = None
        self._left: List[_E] = []
        self._lock = threading.Lock()
        _ALL.add(self)

    def __call__(self) -> _E:
        here = self._here()
        if here is not None:
            return here
        with self._lock:
            here = self._here()
            if here is None:
                here = self._open()
                if self._of is not None and self._of[0] != os.getpid():
                    # With the parent's engine its connection would go, and end in the parent too.
                    self._left.append(self._of[1])
                self._of = (os.getpid(), here)
            return here

    def _here(self) -> Optional[_E]:
        of = self._of
        return of[1] if of is not None and of[0] == os.getpid() and not of[1].closed else None


_ALL: weakref.WeakSet[_PerProcess[Any]] = weakref.WeakSet()


def _in_child() -> None:
    # A thread of the parent may have held a lock at the fork, and is not here to let go of it.
    for one in list(_ALL):
        one._lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


def per_process(open: Callable[[], _E]) -> Callable[[], _E]:
    """Makes a function that opens an engine when it is first called in a process, and gives the same one afterwards::

        @hos.per_process
        def engine() -> hos.Engine:
            return hos.Engine.open("law", store="hos.db")

    A worker that was forked from a process in which it was called opens its own. Safe among threads."""
    return _PerProcess(open)
