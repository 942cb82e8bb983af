"""The parts of answers. All are read only; what is absent is ``None``."""

from __future__ import annotations

import datetime
import json
import re
from dataclasses import dataclass, fields as _fields
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Tuple, Union

from hos._values import read_back
from hos.errors import ClosedError

if TYPE_CHECKING:
    from typing_extensions import Never

    from hos._hos import Answer, Core, JoinedCore


class _Part:
    __slots__ = ()

    # Frozen and slotted: pickling goes by the constructor.
    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), tuple(getattr(self, one.name) for one in _fields(self))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Blocker(_Part):
    """A reason against a call: of the engine's (``hos.…``), or of a contract's (``order.amount_short``)."""

    __slots__ = ("code", "detail", "message")
    code: str
    detail: str
    message: Optional[str]
    """For an end user; where the actor has a language."""


@dataclass(frozen=True)
class EvaluationError(_Part):
    """A policy that could not be evaluated."""

    __slots__ = ("policy", "kind", "message")
    policy: str
    kind: str
    message: str


@dataclass(frozen=True)
class Seal(_Part):
    """Where a record lies in the tenant's log, and the signed note that covers it."""

    __slots__ = ("seq", "entry", "checkpoint")
    seq: int
    entry: str
    checkpoint: Optional[str]


@dataclass(frozen=True)
class Receipt(_Part):
    """Where the evidence of a call lies. Without ``seal`` it is pending. ``n`` is its number in its thread; a record of a named
    stream that was written in a host's transaction gets it when it is sealed, and has none until then."""

    __slots__ = ("tenant", "thread", "n", "record", "seal")
    tenant: str
    thread: str
    n: Optional[int]
    record: str
    seal: Optional[Seal]


@dataclass(frozen=True)
class Candidate(_Part):
    """What a candidate law says, where it says something else."""

    __slots__ = ("law", "allowed", "blockers")
    law: str
    allowed: bool
    blockers: Tuple[Blocker, ...]

    def __bool__(self) -> Never:
        raise TypeError("a candidate's answer is neither true nor false: ask for its `.allowed`")


@dataclass(frozen=True)
class Available(_Part):
    """An event that could be asked for now; ``needs`` are arguments without which it cannot be judged."""

    __slots__ = ("event", "allowed", "code", "blockers", "to", "needs")
    event: str
    allowed: bool
    code: Optional[str]
    blockers: Tuple[Blocker, ...]
    to: Optional[str]
    needs: Tuple[str, ...]

    def __bool__(self) -> Never:
        raise TypeError("an event is neither true nor false: ask for its `.allowed`")


@dataclass(frozen=True)
class Entry(_Part):
    """A record of an instance. ``parts`` holds what the keys at hand open, ``erased`` the names of those whose key is gone."""

    __slots__ = (
        "n",
        "kind",
        "time",
        "event",
        "from_",
        "to",
        "decision",
        "code",
        "policies",
        "mode",
        "law",
        "guard_law",
        "contract_version",
        "directory_version",
        "durability",
        "request",
        "parts",
        "erased",
        "receipt",
    )
    n: int
    kind: str
    time: datetime.datetime
    event: Optional[str]
    from_: Optional[str]
    to: Optional[str]
    decision: str
    code: Optional[str]
    policies: Tuple[str, ...]
    mode: str
    law: Optional[str]
    guard_law: Optional[str]
    contract_version: Optional[int]
    directory_version: int
    durability: str
    request: Optional[str]
    parts: Mapping[str, Mapping[str, Any]]
    erased: Tuple[str, ...]
    receipt: Receipt


def fields(text: str) -> Tuple[Any, ...]:
    """An answer's fields, in the order in which the answer asks for them."""
    said = json.loads(text)
    candidate = said.get("candidate")
    receipt = said.get("receipt")
    return (
        said.get("code"),
        _blockers(said["blockers"]),
        said.get("effect"),
        tuple(said["policies"]),
        tuple(EvaluationError(**one) for one in said["errors"]),
        said["mode"],
        said["divergence"],
        candidate and Candidate(candidate["law"], candidate["allowed"], _blockers(candidate["blockers"])),
        said["law"],
        said["directory_version"],
        said.get("from"),
        said.get("to"),
        said.get("version"),
        tuple(said["fired"]),
        said["again"],
        receipt and _receipt(receipt),
    )


def restore(text: str, tenant: str, language: Optional[str]) -> Answer:
    """An answer from its JSON, as it was pickled. It has no engine, so no messages but those it carries."""
    from hos._hos import _answer

    return _answer(json.loads(text)["allowed"] is True, text, tenant, language)


def message(
    core: Union[Core, JoinedCore, None],
    tenant: str,
    code: Optional[str],
    language: Optional[str],
    bound: Optional[str] = None,
    blockers: Tuple[Blocker, ...] = (),
) -> Optional[str]:
    """What the law says of a code to an end user: in this language, in English without one; ``None`` without a code. In the language
    that is ``bound`` the first blocker may carry it, and nobody is asked."""
    if code is None:
        return None
    if language == bound and blockers and blockers[0].message is not None:
        return blockers[0].message
    if core is None:
        why = "an answer that was pickled has no engine, and carries no message in this language: ask `tenant.message(code, language)`"
        raise ClosedError("hos.engine_closed", why)
    call = json.dumps({"tenant": tenant, "code": code, "language": language or "en"})
    said = json.loads(core._serve("message", call.encode())[1])["message"]
    assert isinstance(said, str)
    return said


def available(text: str) -> List[Available]:
    return [
        Available(
            one["event"], one["allowed"], one.get("code"), _blockers(one["blockers"]), one.get("to"), tuple(one["needs"])
        )
        for one in json.loads(text)["available"]
    ]


def history(text: str) -> List[Entry]:
    return [_entry(one) for one in json.loads(text)["history"]]


def _entry(one: Dict[str, Any]) -> Entry:
    return Entry(
        n=one["n"],
        kind=one["kind"],
        time=_time(one["time"]),
        event=one.get("event"),
        from_=one.get("from"),
        to=one.get("to"),
        decision=one["decision"],
        code=one.get("code"),
        policies=tuple(one["policies"]),
        mode=one["mode"],
        law=one.get("law"),
        guard_law=one.get("guard_law"),
        contract_version=one.get("contract_version"),
        directory_version=one["directory_version"],
        durability=one["durability"],
        request=one.get("request"),
        parts={name: read_back(part) for name, part in one["parts"].items()},
        erased=tuple(one["erased"]),
        receipt=_receipt(one["receipt"]),
    )


def _blockers(said: List[Dict[str, str]]) -> Tuple[Blocker, ...]:
    return tuple(Blocker(one["code"], one["detail"], one.get("message")) for one in said)


def _receipt(said: Dict[str, Any]) -> Receipt:
    seal = said.get("seal")
    sealed = seal and Seal(seal["seq"], seal["entry"], seal.get("checkpoint"))
    return Receipt(said["tenant"], said["thread"], said.get("n"), said["record"], sealed)


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def _time(text: str) -> datetime.datetime:
    # `2026-01-31T12:00:00.000Z`; a time that no calendar here holds is told in milliseconds, and becomes the nearest one.
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text):
        return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
    late = not text.startswith("-")
    return (datetime.datetime.max if late else datetime.datetime.min).replace(tzinfo=datetime.timezone.utc)
