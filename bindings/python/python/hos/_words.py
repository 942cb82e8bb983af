"""The words that a call may have besides its own. For checkers; nothing of it is needed to make a call."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, TypedDict, Union

from hos._hos import Uid
from hos._values import Entity, HasUid, Legacy


class Besides(TypedDict, total=False):
    """Of every call of an actor's."""

    context: Mapping[str, Any]
    given: Iterable[Entity]
    legacy: Union[Legacy, bool]
    request: str


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
