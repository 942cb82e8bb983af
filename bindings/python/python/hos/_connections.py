"""Which kind of driver a host's connection is of; Django's is the one of the driver below it."""

from __future__ import annotations

from typing import Any, Callable, ContextManager, Dict, Optional, Type

from hos._kind import Connection, Joinable, Kind, failed
from hos._mysql import Mysqlclient, Pymysql
from hos._postgres import Psycopg, Psycopg2
from hos._sqlite import Sqlite
from hos.errors import CallError

__all__ = ["Connection", "Joinable", "Kind", "kind_of"]

_KINDS: Dict[str, Type[Kind]] = {one.module: one for one in (Psycopg, Psycopg2, Pymysql, Mysqlclient, Sqlite)}


def kind_of(store: object) -> Kind:
    """The kind of a connection, which is told by the module of its class; of Django's, that of the driver below it."""
    if hasattr(store, "in_atomic_block") and hasattr(store, "ensure_connection"):
        return _of_django(store)
    for one in type(store).__mro__:
        kind = _KINDS.get(one.__module__.partition(".")[0])
        if kind is not None and one.__name__.lower() == "connection":
            return kind(store)
    if any("async" in one.__name__.lower() for one in type(store).__mro__):
        raise TypeError("a connection for `async` code cannot be joined: use one of the driver's that waits")
    where = f"{type(store).__module__}.{type(store).__qualname__}"
    known = ", ".join([*_KINDS, "Django"])
    raise TypeError(f"`store` is a path, a connection ({known}), or a function that gives one; not {where}")


def _of_django(wrapper: Any) -> Kind:
    wrapper.ensure_connection()
    below = type(kind_of(wrapper.connection))
    if below not in _DJANGO:
        _DJANGO[below] = _django(below)
    return _DJANGO[below](wrapper)


_DJANGO: Dict[Type[Kind], Callable[[Any], Kind]] = {}


def _django(below: Type[Kind]) -> Callable[[Any], Kind]:
    class Django(below):  # type: ignore[valid-type, misc]
        """Django's: the driver's own, with the transactions that Django keeps account of."""

        def __init__(self, wrapper: Any) -> None:
            super().__init__(wrapper.connection)
            self.wrapper = wrapper

        def inside(self, begun: bool) -> Optional[bool]:
            # A block is a transaction before its first statement, which is when most drivers begin it.
            if self.wrapper.in_atomic_block:
                self._sound()
                return True
            told: Optional[bool] = super().inside(begun)
            return told

        def is_free_to_ask(self) -> bool:
            return not self.inside(True) if self.wrapper.in_atomic_block else bool(super().is_free_to_ask())

        def known(self, begun: bool) -> Optional[bool]:
            told: Optional[bool] = self.inside(begun) if self.wrapper.in_atomic_block else super().known(begun)
            return told

        def _sound(self) -> None:
            # Django commits nothing of such a block, and says nothing of it either.
            if self.wrapper.needs_rollback:
                raise failed("the block is to be rolled back: `set_rollback` was called, or an error was caught in it")

        def held(self) -> Optional[bool]:
            told: Optional[bool] = False if self.wrapper.needs_rollback else super().held()
            return told

        def holds(self, error: BaseException) -> bool:
            return not self.wrapper.needs_rollback and bool(super().holds(error))

        def spared(self) -> ContextManager[Any]:
            from django.db import transaction

            # Django calls a block off in which one of its own statements has failed; of one in it, that one alone.
            told: ContextManager[Any] = transaction.atomic(using=self.wrapper.alias) if self.wrapper.in_atomic_block else super().spared()
            return told

        def spoil(self) -> None:
            # Whoever catches it inside the block commits nothing of a transaction that the database may have ended.
            if self.wrapper.in_atomic_block:
                self.wrapper.set_rollback(True)

        def is_free(self) -> bool:
            # Whether a block may be the outermost one is Django's to say: in its own tests it may, where there is one around it.
            return bool(self.wrapper.in_atomic_block or self.wrapper.get_autocommit())

        def begin(self) -> None:
            from django.db import transaction

            self.atomic = transaction.atomic(using=self.wrapper.alias, durable=True)
            try:
                self.atomic.__enter__()
            except RuntimeError as error:
                raise CallError("hos.call_malformed", f"the connection is in a transaction already: {error}") from error
            # The first of those that Django runs behind the commit; what any other raises comes out of the block too.
            transaction.on_commit(self._commits, using=self.wrapper.alias)

        def _commits(self) -> None:
            self.committed = True

        def stands(self) -> None:
            self._sound()
            super().stands()

        def commit(self) -> None:
            self.atomic.__exit__(None, None, None)

        def rollback(self) -> None:
            if self.wrapper.in_atomic_block:
                self.wrapper.set_rollback(True)
                self.atomic.__exit__(None, None, None)

    return Django
