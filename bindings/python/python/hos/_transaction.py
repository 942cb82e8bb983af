"""A transaction that runs the host's own work, and again where the database asks for it."""

from __future__ import annotations

import contextlib
import random
import time
from typing import Callable, Iterator, List, Optional, TypeVar

from hos._hos import Answer
from hos._kind import Kind
from hos._reply import Reply
from hos._shadow import _drop, _is_awaitable
from hos.errors import CallError, HosError, OutcomeUnknownError, RetryError

_T = TypeVar("_T")

# The longest pause before a transaction is tried again, in seconds; it doubles each time, up to the second.
_PAUSE, _PAUSE_MAX = 0.02, 0.5


class AsOne(List[Answer]):
    """The answers of calls that were made as one: its last says what came of all."""

    __slots__ = ()


def transacted(alive: Callable[[], Kind], work: Callable[[], _T], tries: int) -> _T:
    """Runs work in a transaction, and again as often as it may. ``alive`` gives the connection."""
    if not callable(work):
        raise CallError("hos.call_malformed", f"`work` is a function, not {type(work).__name__}")
    # A bool is an int to Python.
    if not isinstance(tries, int) or isinstance(tries, bool) or tries < 1:
        raise CallError("hos.call_malformed", "`tries` is a whole number, 1 at least")
    pause = _PAUSE
    while True:
        kind = alive()
        try:
            return _once(kind, work)
        except Exception as error:
            tries -= 1
            if kind.committed or tries <= 0 or not _is_retry(kind, error):
                raise
        time.sleep(random.uniform(0, pause))
        pause = min(pause * 2, _PAUSE_MAX)


def _once(kind: Kind, work: Callable[[], _T]) -> _T:
    with _told(kind):
        if not kind.is_free():
            raise CallError("hos.call_malformed", "the connection is in a transaction already, which cannot be begun again")
        kind.begin()
    try:
        with _told(kind):
            kind.mark()
        given = work()
        if _is_awaitable(given):
            _drop(given)
            why = "`work` gave an awaitable, and the transaction is over before it is awaited: give a function that is not `async`"
            raise CallError("hos.call_malformed", why)
        if _is_refusal(given):
            _roll_back_refused(kind)
            return given
        with _told(kind):
            kind.stands()
    except BaseException:
        _roll_back(kind)
        raise
    try:
        kind.commit()
    except Exception as error:
        if kind.committed:
            raise
        _roll_back(kind)
        for cause in _causes(error):
            if isinstance(cause, kind.driver.Error) and kind.is_lost(cause):
                raise OutcomeUnknownError("hos.outcome_unknown", f"{type(cause).__name__}: {cause}") from error
        with _told(kind):
            raise
    return given


@contextlib.contextmanager
def _told(kind: Kind) -> Iterator[None]:
    """What the database says of the statements that begin and end a transaction, in the words of the package."""
    try:
        yield
    except HosError:
        raise
    except Exception as error:
        cause = _of_the_driver(kind, error)
        if cause is None:
            raise
        raise kind.failure(cause) from error


def _of_the_driver(kind: Kind, error: Exception) -> Optional[BaseException]:
    """The driver's own error, which a framework may have put into one of its own."""
    return next((cause for cause in _causes(error) if isinstance(cause, kind.driver.Error)), None)


def _roll_back_refused(kind: Kind) -> None:
    try:
        kind.rollback()
    except Exception as error:
        # With a connection that is lost the transaction is gone by itself.
        cause = _of_the_driver(kind, error)
        if cause is None or not kind.is_lost(cause):
            with _told(kind):
                raise


def _is_refusal(given: object) -> bool:
    """Whether the work gave a no. One with a receipt is evidence of a refusal, which is to be kept."""
    last = given[-1] if isinstance(given, AsOne) and given else given
    if isinstance(last, Reply):
        # What is no yes or no at all (a message) decides nothing of the transaction.
        return "allowed" in last and last["allowed"] is not True and last.get("receipt") is None
    return isinstance(last, Answer) and not last.allowed and last.receipt is None


def _roll_back(kind: Kind) -> None:
    # What went wrong before says more than that a broken connection cannot roll back.
    with contextlib.suppress(Exception):
        kind.rollback()


def _causes(error: Optional[BaseException]) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _is_retry(kind: Kind, error: BaseException) -> bool:
    return any(isinstance(cause, RetryError) or kind.is_retry(cause) for cause in _causes(error))
