"""A call beside the world's own outcome, in the host's transaction: nothing that fails is felt there, and the outcome stands in the
law's place, where the law leaves it that. But where the transaction is gone with what failed, so is what the world wrote in it, and
no outcome stands for that."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from hos._kind import Kind, causes
from hos._watch import Watch
from hos.errors import HosError, RetryError, StoreError, _is_undone, _mark

# How much of a failure's words goes with a call that the world's own outcome stands in for.
_SAID_MAX = 1000


def apart(kind: Kind, step: Callable[[Watch], Dict[str, Any]]) -> Dict[str, Any]:
    """A step in a savepoint: what fails in it is undone, and the host's transaction goes on."""
    held = _held(kind)
    watch = kind.watch(kind)
    try:
        told = step(watch)
        watch.end()
        return told
    except BaseException as error:
        goes_on = watch.undo()
        if not isinstance(error, Exception):
            raise
        failure = error if isinstance(error, HosError) else kind.failure(error)
        is_of_the_store = isinstance(failure, (StoreError, RetryError))
        _note(kind, failure, not goes_on and is_of_the_store and _is_lost(kind, held, error))
        if failure is error:
            raise
        raise failure from error


def read(kind: Kind, later: Mapping[str, Callable[[], Any]]) -> Dict[str, Any]:
    """What the functions of a call give."""
    held = _held(kind)
    try:
        with kind.spared():
            return called(later)
    except Exception as error:
        is_lost = _is_lost(kind, held, error)
        retry = next((one for one in causes(error) if kind.is_retry(one)), None)
        if is_lost and retry is not None:
            failure = kind.failure(retry)
            _note(kind, failure, True)
            raise failure from error
        _note(kind, error, is_lost)
        raise


def called(later: Mapping[str, Callable[[], Any]]) -> Dict[str, Any]:
    return {name: function() for name, function in later.items()}


def instead(
    asked: Callable[[bytes], Dict[str, Any]], operation: str, call: bytes, why: Exception, of_args: bool = False
) -> Dict[str, Any]:
    """The world's own outcome, which the call carries, in place of an answer; or raises why there is none. ``asked`` has the engine say
    what stands, which reads the law where none was read yet; ``of_args``: whether it is what a function for arguments has raised."""
    if _is_undone(why):
        raise why
    code, message = _words(why, of_args)
    told = {"code": code, "message": message, "operation": operation, "call": call.decode()}
    # As it was written, for escapes would make some letters three times as long. What the error says may be no Unicode.
    failure = json.dumps(told, ensure_ascii=False).encode(errors="replace")
    try:
        return asked(failure)
    except Exception as error:
        if _is_undone(error):
            raise
    # Outside, so that it keeps the cause that it has.
    raise why


def _held(kind: Kind) -> Optional[bool]:
    try:
        return kind.held()
    except Exception:
        # The step says what is wrong with the connection.
        return False


def _is_lost(kind: Kind, held: Optional[bool], error: Exception) -> bool:
    """Whether the transaction is gone, and with it what the world wrote. One that was none, or had failed before, is not."""
    if held is False:
        return False
    try:
        return not kind.holds(error)
    except Exception:
        return True


def _note(kind: Kind, failure: Exception, is_lost: bool) -> None:
    _mark(failure, is_lost)
    if is_lost:
        kind.spoil()


def _words(why: Exception, of_args: bool) -> Tuple[str, str]:
    """What a failure says, as a code and words. What a caller's own object raised may hold anything."""
    before = "the closure for arguments failed: " if of_args else ""
    code = "hos.call_malformed" if of_args else "hos.internal"
    try:
        if isinstance(why, HosError):
            return f"{why.code}", f"{before}{why.message}"[:_SAID_MAX]
        said = f"{before}{type(why).__name__}: {why}" if of_args else repr(why)
        return code, said[:_SAID_MAX]
    except Exception:
        return code, f"{before}{type(why).__name__}"
