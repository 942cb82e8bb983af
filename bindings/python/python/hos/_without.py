"""What stands in for the extension module where it cannot be loaded, so that a program whose own answers stand (`shadow`) still
runs: names are there, identities can be made, and whatever would open an engine says why it cannot."""

from __future__ import annotations

import sys
from typing import Any, NoReturn, Optional, Tuple

from hos.errors import CallError, InternalError

VERSION = "none"

_why: Optional[ImportError] = None


def stand_in(why: ImportError) -> None:
    """Becomes `hos._hos`."""
    global _why
    _why = why
    sys.modules["hos._hos"] = sys.modules[__name__]


class _Unmade:
    def __new__(cls, *words: Any, **options: Any) -> NoReturn:
        raise InternalError("hos.internal", f"the extension module cannot be loaded: {_why}") from _why


class Core(_Unmade):
    pass


class JoinedCore(_Unmade):
    pass


class Asker(_Unmade):
    pass


class Answer(_Unmade):
    pass


class _Pair:
    __slots__ = ("_first", "_second")

    def __init__(self, first: str, second: str, /) -> None:
        if not isinstance(first, str) or not isinstance(second, str):
            raise TypeError(f"{type(self).__name__} is made of two texts")
        self._first = first
        self._second = second

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._both() == self._both()

    def __hash__(self) -> int:
        return hash(self._both())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._first!r}, {self._second!r})"

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), self._both()

    def _both(self) -> Tuple[str, str]:
        return self._first, self._second


class Uid(_Pair):
    """An entity's type and id."""

    __slots__ = ()

    @staticmethod
    def parse(text: str, /) -> Uid:
        type_name, mark, id = text.partition('::"')
        if not mark or not id.endswith('"') or "\\" in id or '"' in id[:-1]:
            raise CallError("hos.id_invalid", "without the extension module only plain texts are read")
        return Uid(type_name, id[:-1])

    @property
    def type(self) -> str:
        return self._first

    @property
    def id(self) -> str:
        return self._second

    def __str__(self) -> str:
        return f'{self._first}::"{self._second}"'


class Ext(_Pair):
    """A value of one of Cedar's extension types."""

    __slots__ = ()

    @property
    def function(self) -> str:
        return self._first

    @property
    def text(self) -> str:
        return self._second


def _answer(*words: Any) -> Answer:
    return Answer(*words)


def _before_fork() -> None:
    """Nobody is inside an engine."""


_after_fork_in_parent = _after_fork_in_child = _before_fork
