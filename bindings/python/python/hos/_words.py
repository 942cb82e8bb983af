"""The words that a call may have besides its own. For checkers; nothing of it is needed to make a call."""

from __future__ import annotations

from typing import Any, Callable, Iterable, Mapping, TypedDict, Union

from hos._hos import Answer, Uid
from hos._values import Entity, HasUid, Legacy


Seen = Callable[[Union[Answer, Exception]], object]
"""Who is told what came of the law beside the world's own answer."""


class Beside(TypedDict, total=False):
    """Of every call of an actor's, in shadow too."""

    context: Mapping[str, Any]
    given: Iterable[Entity]
    request: str


class Besides(Beside, total=False):
    """Of every call of an actor's."""

    legacy: Union[Legacy, bool]


class Watched(Beside, total=False):
    """Of an event in shadow."""

    args: Mapping[str, Any]
    once: str
    reason: str


class WatchedBirth(Beside, total=False):
    """Of a birth in shadow."""

    facts: Mapping[str, Any]
    args: Mapping[str, Any]
    once: str


class Change(Besides, total=False):
    """Of a change of the directory."""

    once: str


class Birth(Besides, total=False):
    facts: Mapping[str, Any]
    args: Mapping[str, Any]
    once: str


class Move(Besides, total=False):
    args: Mapping[str, Any]
    once: str
    reason: str


class Note(Besides, total=False):
    subject: Union[Uid, str, HasUid]
    once: str


class Row(Besides, total=False):
    facts: Mapping[str, Any]
    once: str


class Slots(Change, total=False):
    principal: Union[Uid, str, HasUid]
    resource: Union[Uid, str, HasUid]
