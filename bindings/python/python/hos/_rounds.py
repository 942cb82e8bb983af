"""A step of an engine that joins transactions: it says which statements to run, a host's connection runs them, and their rows are
handed back, until there is an answer."""

from __future__ import annotations

import contextlib
import json
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple, TypeVar

from hos._hos import JoinedCore
from hos._kind import Cells, Kind
from hos._watch import Watch
from hos.errors import CallError, HosError, InternalError, _from_wire

_T = TypeVar("_T")
# What the engine says: how the step ended, if it did, and its words.
Said = Tuple[Optional[str], bytes]


class Rounds:
    """The steps of an engine, on whichever connection. It remembers whether the database takes texts."""

    __slots__ = ("_core", "_together")

    def __init__(self, core: JoinedCore) -> None:
        self._core = core
        self._together = True

    def step(self, kind: Kind, operation: str, call: bytes, watch: Optional[Watch] = None) -> Dict[str, Any]:
        """A step from its beginning. One with a watch is made in a transaction that has begun, and in no other: one that its own
        statements began would stay behind where the world has ended its own."""

        def said() -> Said:
            begun = watch is not None
            inside = kind.known(begun)
            if inside is None:
                told = self._guarded(kind, operation, call, watch)
                if told is not None:
                    return told
                inside = kind.inside(begun)
            if begun and not inside:
                raise CallError("hos.no_transaction", "the connection is in no transaction: nothing of a call in shadow is kept")
            return self._core._step(operation, inside, call)

        return self.go(kind, _told(kind, said), watch)

    def go(self, kind: Kind, said: Said, watch: Optional[Watch] = None) -> Dict[str, Any]:
        """Runs what the engine asks for, round by round."""

        def gone() -> Said:
            standing, words = said
            while standing is None:
                standing, words = self._round(kind, json.loads(words), watch)
            self._settle(kind, json.loads(words), watch)
            return standing, words

        standing, words = _told(kind, gone)
        return ended(str(standing), words)

    def _guarded(self, kind: Kind, operation: str, call: bytes, watch: Optional[Watch]) -> Optional[Said]:
        """The first round, with the question whether there is a transaction in it; ``None`` where it must be asked by itself."""
        if operation == "refused" or not (self._together and kind.guard and kind.takes_texts()):
            # A refusal is made evidence of by one step, which is not begun twice.
            return None
        standing, words = self._core._step(operation, True, call)
        if standing is not None:
            return standing, words
        told = json.loads(words)
        result = None
        try:
            if "text" in told:
                result = self._text(kind, told["text"], watch, guard=(kind.guard,))
        except BaseException as error:
            self._leave(told)
            if kind.is_outside(error):
                return None
            raise
        if result is None:
            self._leave(told)
            return None
        return self._went_on(told, {"result": result})

    def _round(self, kind: Kind, told: Mapping[str, Any], watch: Optional[Watch]) -> Said:
        try:
            result = self._text(kind, told["text"], watch) if "text" in told else None
            if "text" in told and result is None:
                told = json.loads(self._core._step("apart", None, _step(told))[1])
            given = {"rows": self._asked(kind, told["need"], watch)} if result is None else {"result": result}
        except BaseException:
            self._leave(told)
            raise
        return self._went_on(told, given)

    def _went_on(self, told: Mapping[str, Any], given: Mapping[str, Any]) -> Said:
        return self._core._step("go_on", None, json.dumps({"step": told["step"], **given}).encode())

    def _leave(self, told: Mapping[str, Any]) -> None:
        self._core._step("leave", None, _step(told))

    def _settle(self, kind: Kind, told: Mapping[str, Any], watch: Optional[Watch]) -> None:
        """Runs what the step writes, whatever it came to: all of it, or nothing is left of it, whatever the host does after an error."""
        statements = told.get("settle") or []
        # PostgreSQL's transaction ends by an error as a whole.
        guarded = len(statements) > 1 and kind.dialect != "postgres"
        if watch is not None and statements:
            watch.begin()
        if guarded:
            kind.do("SAVEPOINT hos_settle")
        try:
            if statements:
                self._asked(kind, statements, watch)
        except BaseException:
            if guarded:
                # It may be gone with the whole transaction, or with the connection.
                with contextlib.suppress(Exception):
                    kind.do("ROLLBACK TO SAVEPOINT hos_settle")
            raise
        if guarded:
            kind.do("RELEASE SAVEPOINT hos_settle")
        if "text" in told and self._text(kind, told["text"], watch, last=True) is None:
            raise InternalError("hos.internal", "the connection took one text, and not the next")

    def _asked(self, kind: Kind, statements: List[Mapping[str, Any]], watch: Optional[Watch]) -> List[Cells]:
        if watch is not None:
            watch.begin()
        return kind.asked(statements)

    def _text(
        self, kind: Kind, text: str, watch: Optional[Watch], guard: Tuple[str, ...] = (), last: bool = False
    ) -> Optional[Cells]:
        """Runs several statements as one, with what must be around them; ``None`` where they are not taken so, and nothing was run."""
        if not (self._together and kind.takes_texts()):
            return None
        head, tail = ((), ()) if watch is None else watch.around(last)
        prefix = "" if watch is None else watch.prefix
        try:
            rows = kind.together(prefix + kind.whole([*guard, *head, text, *tail]))
        except Exception as error:
            if not kind.is_unknown_text(error):
                raise
            # The database is the same on every connection.
            self._together = False
            return None
        if watch is not None:
            watch.ran(last)
        return rows


def _step(told: Mapping[str, Any]) -> bytes:
    return json.dumps({"step": told["step"]}).encode()


def _told(kind: Kind, work: Callable[[], _T]) -> _T:
    """What goes wrong on the connection, in the words of the package."""
    try:
        return work()
    except HosError:
        raise
    except Exception as error:
        raise kind.failure(error) from error


def ended(standing: str, words: bytes) -> Dict[str, Any]:
    """What a step came to: its answer, or the error that it ended in."""
    if standing not in ("allowed", "refused"):
        raise _from_wire(standing, words.decode())
    told: Dict[str, Any] = json.loads(words)
    return told
