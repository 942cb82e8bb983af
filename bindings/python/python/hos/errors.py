"""What is raised where there is no answer; and :class:`Denied`, by which a no travels where it is asked for so.

One class for each stable class of failure, so that a caller can act without knowing every code::

    HosError
        CallError             the call is not of its form: mend the caller
        ClosedError           the engine is not open in this process: open it
        LawError              the law does not load, is not the active one, or lacks the world's outcome
        StoreError            the store, the key or the machine failed; nothing was stored
        RetryError            nothing was stored; the same call may be made again
        OutcomeUnknownError   the commit's outcome is unknown: the same call under the same once-key resolves it
        AbsentError           what the call names is not there
        InternalError         a fault inside
    Denied                    `authorize` and `apply` only; carries the answer
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Dict, Optional, Tuple, Type

if TYPE_CHECKING:
    from hos._hos import Answer


@dataclass(frozen=True)
class Fault:
    """A fault of a law's file; lines and columns count from 1, and 0 is the whole file."""

    code: str
    severity: str
    file: str
    line: int
    column: int
    message: str
    hint: Optional[str] = None


class HosError(Exception):
    """There is no answer. Nothing of the call was stored, unless it is an :class:`OutcomeUnknownError`.

    ``code`` is stable (``hos.store_full``), ``status`` the class in one word (``store``), ``faults`` those of a law.
    """

    status: str = "internal"

    def __init__(self, code: str, message: str, faults: Tuple[Fault, ...] = ()) -> None:
        super().__init__(code, message, faults)
        self.code = code
        self.message = message
        self.faults = faults

    def __str__(self) -> str:
        told = [f"{self.code}: {self.message}" if self.message else self.code]
        told += [f"{fault.file}:{fault.line}:{fault.column}: {fault.code}: {fault.message}" for fault in self.faults]
        return "\n".join(told)


class CallError(HosError):
    """The call is not of its form. Mend the caller."""

    status = "call"


class ClosedError(HosError):
    """The engine was closed, or opened before a fork in another process. Open it again, here."""

    status = "closed"


class LawError(HosError):
    """The law does not load, is not the active one, or asks for the world's own outcome."""

    status = "law"


class StoreError(HosError):
    """The store, the key or the machine failed; nothing was stored."""

    status = "store"


class RetryError(HosError):
    """Nothing was stored, and the same call may be made again."""

    status = "retry"


class OutcomeUnknownError(HosError):
    """The commit ended in a way that leaves its outcome unknown. The same call under the same once-key resolves it."""

    status = "unknown"


class AbsentError(HosError):
    """What the call names is not there."""

    status = "absent"


class InternalError(HosError):
    """A fault inside. It is never a yes; report it with its message."""

    status = "internal"


class Denied(Exception):
    """The answer of ``authorize`` or ``apply`` was no. ``answer`` says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer

    @property
    def code(self) -> Optional[str]:
        """The first reason's code; none where the world itself said no."""
        return self.answer.code

    def __str__(self) -> str:
        reasons = [f"{blocker.code}: {blocker.detail}" if blocker.detail else blocker.code for blocker in self.answer.blockers]
        return "; ".join(reasons) or "denied"


def _mark(error: Exception, is_undone: bool) -> None:
    """Notes of a failure whether the host's transaction went with it, and what the world did in that. The same exception may have
    been raised before."""
    if is_undone:
        error.__dict__["_hos_undone"] = True
    else:
        error.__dict__.pop("_hos_undone", None)


def _is_undone(error: Exception) -> bool:
    return "_hos_undone" in error.__dict__


_CLASSES: Dict[str, Type[HosError]] = {
    one.status: one
    for one in (CallError, ClosedError, LawError, StoreError, RetryError, OutcomeUnknownError, AbsentError, InternalError)
}


def _from_wire(status: str, text: str) -> HosError:
    error = json.loads(text)["error"]
    faults = tuple(Fault(**fault) for fault in error["faults"])
    return _CLASSES.get(status, InternalError)(error["code"], error["message"], faults)
