"""The law in the transaction that you already have.

    pazar = hos.Engine.open("law", store=connection).tenant("pazar-tr").as_(user)
    with connection.transaction():
        connection.execute("UPDATE products SET stock = stock - 1 WHERE id = 17")
        pazar.apply("order", "o-17", "pay", args={"amount": 4200}, once="psp-evt-9")

Your rows and the evidence are one commit. The engine has no connection: it says which statements to run, and this module runs them
on yours (``spec/joined-transaction.md``). Call it last, keep no gateway's call inside, and roll back on any error. Records are
sealed afterwards by ``hos work``; until then receipts are pending.

Connections of psycopg, psycopg2, PyMySQL, mysqlclient and sqlite3 can be joined, and Django's on these. Those for ``async`` code
cannot.
"""

from __future__ import annotations

import contextlib
import json
import os
from types import TracebackType
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    NoReturn,
    Optional,
    Tuple,
    Type,
    TypeVar,
    Union,
    cast,
)

from hos import _beside, _engine, _raw
from hos._connections import Connection, Joinable, Kind, kind_of
from hos._hos import Answer, Asker, JoinedCore, Uid
from hos._reply import Reply
from hos._rounds import Rounds, ended
from hos._transaction import AsOne, transacted
from hos._values import Call, Entity, HasUid, Legacy, Question, present
from hos.errors import CallError, HosError, RetryError, StoreError

__all__ = ["Args", "Connection", "JoinedActor", "JoinedEngine", "JoinedTenant"]

_T = TypeVar("_T")
_Named = Union[Uid, str, HasUid]
Args = Union[Mapping[str, Any], Callable[[], Mapping[str, Any]]]
# What a step is made of: none of them is a call.
_PARTS = ("claim", "leave", "go_on", "apart", "refused", "instead")


class JoinedEngine:
    """The law over a store that lies in a host's database. It works in the transactions of the host's connections.

    It remembers the laws and the directory of *one* database, so open it once in a process. What it is opened with is the
    connection, or, where threads and requests have their own, a function that gives the present one (Django's ``connection`` is
    such by itself). ``on`` gives the same engine on another connection.
    """

    __slots__ = ("_core", "_rounds", "_store")

    def __init__(
        self, law: Union[str, "os.PathLike[str]", None], store: Joinable, directory_age_max_ms: Optional[int] = None
    ) -> None:
        self._store = store
        kind = self._kind()
        where = None if law is None else _engine._whole(os.fspath(law))
        words = present(dialect=kind.dialect, places=kind.places, law=where, directory_age_max_ms=directory_age_max_ms)
        self._core = JoinedCore(_raw.written({**words, "together": kind.is_remote}))
        self._rounds = Rounds(self._core)

    def on(self, store: Joinable) -> JoinedEngine:
        """The same engine on another connection to the same database, by the same driver."""
        other: JoinedEngine = object.__new__(JoinedEngine)
        other._core, other._rounds, other._store = self._core, self._rounds, store
        if (other._kind().dialect, other._kind().places) != (self._kind().dialect, self._kind().places):
            raise CallError("hos.call_malformed", "the connection is one of another kind of database: open an engine for it")
        return other

    def tenant(self, name: str) -> JoinedTenant:
        """A tenant. Whether it is there is said by each call."""
        return JoinedTenant(self, name)

    def call(self, operation: str, call: _raw.Raw) -> Reply:
        """A call in the words of the wire: JSON, or a mapping that becomes JSON as it stands."""
        operation = _raw.text("operation", operation)
        if operation in _PARTS:
            raise CallError("hos.call_malformed", f"`{operation}` is a part of a call, and none by itself")
        outcome = _raw.outcome(call)
        if outcome is not None:
            try:
                told = self._asked_beside(operation, _raw.written(call))
            except Exception as why:
                told = _beside.instead(self._instead, operation, outcome, why)
        elif operation in ("can", "can_all", "message"):
            told = self._can(_raw.written(call), False, operation)
        else:
            told = self._asked(operation, _raw.written(call))
        if "answer" not in told:
            # A message is no yes or no.
            return Reply({name: value for name, value in told.items() if name != "settle"})
        earlier = {"earlier": told["earlier"]} if "earlier" in told else {}
        return Reply({**told["answer"], **earlier})

    def refused(self, answer: Answer) -> Answer:
        """Makes evidence of a refusal, after the transaction that it was given in was rolled back: call it in another one."""
        kept = answer._kept
        if kept is None or kept[0] is not self._core:
            raise CallError("hos.call_malformed", "it is no refusal of this engine's: nothing of it is kept")
        told = self._asked("refused", json.dumps({"refusal": kept[1]}).encode())["answer"]
        return answer._followed(told["allowed"] is True, json.dumps(told).encode())

    def transaction(self, work: Callable[[], _T], *, tries: int = 5) -> _T:
        """Runs ``work`` in a transaction of the connection, and the whole of it again where the database asks for that (a
        deadlock, a lock that took too long, a row that changed), at most ``tries`` times.

        Commits and gives what ``work`` gave. Rolls back where it raised, which goes through, and where it gave an
        :class:`hos.Answer` (or the :class:`hos.Reply` of ``call``) that says no and has no receipt, or the list that ``all`` gave,
        where it ends with one. A transaction that is there no more, for the work has ended it or has caught an error that did, is
        refused, not committed. A connection lost at the commit is an :class:`hos.OutcomeUnknownError`: the same work under the same
        once-key tells what came of it.

        It is begun as the driver would begin it: what psycopg and psycopg2 keep of isolation, of only reading and of ``deferrable``,
        and ``EXCLUSIVE`` of ``sqlite3``, holds with autocommit too. ``work`` is not ``async``: where it gives an awaitable, which
        nobody has awaited by the commit, that is a :class:`hos.CallError`, and nothing is committed.

        What a ``sqlite3`` connection that is always in a transaction (``autocommit=False``) has written before is left as it is by a
        rollback, and is committed with the rest by a commit.
        """
        return transacted(self._alive, work, tries)

    def close(self) -> None:
        """Closes the engine, also where it is on other connections. The connections stay open."""
        self._core.close()

    @property
    def closed(self) -> bool:
        """Whether calls will be refused: the engine was closed, or opened in another process."""
        return self._core.closed

    @property
    def absent(self) -> Optional[BaseException]:
        """Nothing: there is an engine here."""
        return None

    def __enter__(self) -> JoinedEngine:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if not self.closed:
            self.close()

    def _kind(self) -> Kind:
        store: Any = self._store
        # A connection can be called in some drivers, so it is one first.
        if callable(store) and not hasattr(store, "cursor"):
            store = store()
        return kind_of(store)

    def _serve(self, operation: str, call: bytes) -> Tuple[bool, str]:
        return self._core._serve(operation, call)

    def _asked(self, operation: str, call: bytes) -> Dict[str, Any]:
        """Asks the law, in the transaction that there is."""
        kind = self._alive()
        try:
            return self._rounds.step(kind, operation, call)
        except (StoreError, RetryError):
            kind.spoil()
            raise

    def _can(self, call: bytes, world: bool, operation: str = "can") -> Dict[str, Any]:
        """A ``can``. The connection is not touched where it is answered from memory, and needs no transaction else: one that a
        driver begins for it ends with it."""
        said = self._core._step(operation, True, call)
        if said[0] is not None:
            return ended(said[0], said[1])
        kind = self._kind()
        free = _is_free_to_ask(kind)
        try:
            if world and not free:
                return _beside.apart(kind, lambda watch: self._rounds.go(kind, said, watch))
            try:
                return self._rounds.go(kind, said)
            except (StoreError, RetryError):
                if not free:
                    kind.spoil()
                raise
        finally:
            # What went wrong before says more than that a lost connection cannot be asked.
            with contextlib.suppress(Exception):
                if kind.is_left(free):
                    kind.rollback()

    def _asked_beside(self, operation: str, call: bytes) -> Dict[str, Any]:
        """Asks the law beside the world's own outcome, which the call carries."""
        if operation in ("can", "can_all"):
            return self._can(call, True, operation)
        kind = self._alive()
        return _beside.apart(kind, lambda watch: self._rounds.step(kind, operation, call, watch))

    def _instead(self, failure: bytes) -> Dict[str, Any]:
        """What stands in place of a failure. Most often it is said from memory, as the answer to a question is."""
        return self._can(failure, True, "instead")

    def _read(self, later: Mapping[str, Callable[[], Any]]) -> Dict[str, Any]:
        """What the functions of a call beside the world's own outcome give."""
        kind = None
        # What is wrong with the connection is the call's to say.
        with contextlib.suppress(Exception):
            kind = self._alive()
        return _beside.called(later) if kind is None else _beside.read(kind, later)

    def _alive(self) -> Kind:
        """The connection, of an engine that is open here: one that was inherited over a fork is the parent's, and is not touched."""
        if self._core.closed:
            self._core._step("leave", None, b'{"step":0}')
        return self._kind()


class JoinedTenant(_engine.Tenant):
    """A tenant of an engine that joins transactions. Histories are asked of an engine with a store of its own."""

    __slots__ = ()

    engine: JoinedEngine  # type: ignore[assignment]

    def __init__(self, engine: JoinedEngine, name: str) -> None:
        super().__init__(cast(_engine.Engine, engine), name)

    def as_(self, principal: _Named, *, language: Optional[str] = None, request: Optional[str] = None) -> JoinedActor:
        """Who acts; as of any tenant."""
        return JoinedActor(self.engine, self.name, principal, language, request)


class JoinedActor(_engine.Actor):
    """A tenant and who acts in it, in the host's transaction.

    Every call is the one of :class:`hos.Actor`, and outside a transaction a :class:`hos.CallError` (``hos.no_transaction``), all but
    ``can``. ``args`` and ``facts`` may be functions: they run when what the call is about is claimed, so what they read of the
    host's rows stands still until the commit. What they raise goes through; but of a call with ``legacy``, for which nothing is claimed,
    the world's outcome is the answer where the law is not enforced, with what was raised as its blocker. ``available`` and ``history``
    are asked of an engine with a store of its own.

    A call with ``legacy`` raises in shadow too where the database has ended the transaction with what failed (a deadlock): what the
    world wrote in it is gone, so no outcome of the world's stands.
    """

    __slots__ = ("_engine",)

    _engine: JoinedEngine

    def __new__(
        cls,
        engine: JoinedEngine,
        tenant: str,
        principal: _Named,
        language: Optional[str] = None,
        request: Optional[str] = None,
    ) -> JoinedActor:
        self = Asker.__new__(cls, engine._core, tenant, principal, language, request)
        self._engine = engine
        self.tenant = JoinedTenant(engine, tenant)
        return self

    # The same calls, with words that may be functions.
    if TYPE_CHECKING:

        def begin(
            self,
            contract: str,
            id: str,
            event: str,
            *,
            facts: Optional[Args] = None,
            args: Optional[Args] = None,
            once: Optional[str] = None,
            context: Optional[Mapping[str, Any]] = None,
            given: Optional[Iterable[Entity]] = None,
            legacy: Union[Legacy, bool, None] = None,
            request: Optional[str] = None,
        ) -> Answer: ...

        def transition(
            self,
            contract: str,
            id: str,
            event: str,
            *,
            args: Optional[Args] = None,
            once: Optional[str] = None,
            reason: Optional[str] = None,
            context: Optional[Mapping[str, Any]] = None,
            given: Optional[Iterable[Entity]] = None,
            legacy: Union[Legacy, bool, None] = None,
            request: Optional[str] = None,
        ) -> Answer: ...

        def apply(
            self,
            contract: str,
            id: str,
            event: str,
            *,
            args: Optional[Args] = None,
            once: Optional[str] = None,
            reason: Optional[str] = None,
            context: Optional[Mapping[str, Any]] = None,
            given: Optional[Iterable[Entity]] = None,
            legacy: Union[Legacy, bool, None] = None,
            request: Optional[str] = None,
        ) -> Answer: ...

    def can(
        self,
        action: str,
        resource: _Named,
        *,
        context: Optional[Mapping[str, Any]] = None,
        given: Optional[Iterable[Entity]] = None,
        legacy: Union[Legacy, bool, None] = None,
        request: Optional[str] = None,
    ) -> Answer:
        """As of any actor. The directory that is judged under is read on the connection where it is not at hand; that needs no
        transaction."""
        words = {"action": action, "resource": resource}
        return self._answer("can", {**words, "context": context, "given": given, "legacy": legacy, "request": request})

    def can_all(
        self,
        questions: Iterable[Question],
        *,
        context: Optional[Mapping[str, Any]] = None,
        given: Optional[Iterable[Entity]] = None,
        request: Optional[str] = None,
    ) -> List[Answer]:
        """As of any actor; see ``can``."""
        words = {"evaluations": list(questions), "context": context, "given": given, "request": request}
        answers = self._engine._can(_sound(*self._written(words, False)), False, "can_all")["answer"]["evaluations"]
        return [self._told_of({"answer": one}) for one in answers]

    def all(
        self,
        calls: Iterable[Call],
        *,
        context: Optional[Mapping[str, Any]] = None,
        given: Optional[Iterable[Entity]] = None,
        request: Optional[str] = None,
    ) -> List[Answer]:
        """Several calls, 1 to 16, judged in their order as one: all of it is written, or nothing; in the exchanges of one. No two of
        them are about the same instance, or under the same once-key: each is judged on what was there before the first.

        Gives as many answers as calls, all of them yes; or those up to the first no, which is the last."""
        words = {"calls": [_said(one) for one in calls], "context": context, "given": given, "request": request}
        told = self._engine._asked("all", _sound(*self._written(words, False)))
        earlier = [self._told_of({"answer": one}) for one in told.get("earlier", ())]
        return AsOne([*earlier, self._told_of(told)])

    @property
    def aio(self) -> NoReturn:
        """A connection waits, and belongs to who has it: there is no such form."""
        raise CallError("hos.call_malformed", "a joined transaction is not for `async` code: call it in the thread of its connection")

    def _answer(self, operation: str, fields: Dict[str, Any]) -> Answer:
        later = {name: fields[name] for name in ("args", "facts") if callable(fields.get(name))}
        if fields.get("legacy") is not None:
            return self._watched(operation, fields, later)
        if later:
            return self._claimed(operation, fields, later)
        call = _sound(*self._written(fields, False))
        if operation == "can":
            return self._told_of(self._engine._can(call, False))
        return self._told_of(self._engine._asked(operation, call))

    def _watched(self, operation: str, fields: Dict[str, Any], later: Mapping[str, Callable[[], Any]]) -> Answer:
        """A call that carries the world's own outcome, which stands whatever fails, where the law leaves it that."""
        engine = self._engine
        try:
            given = engine._read(later) if later else {}
        except Exception as why:
            call, _ = self._written({name: value for name, value in fields.items() if name not in later}, True)
            return self._told_of(_beside.instead(engine._instead, operation, call, why, of_args=True))
        call, fault = self._written({**fields, **given}, True)
        try:
            told = engine._asked_beside(operation, _sound(call, fault))
        except Exception as why:
            told = _beside.instead(engine._instead, operation, call, why)
        return self._told_of(told)

    def _claimed(self, operation: str, fields: Dict[str, Any], later: Mapping[str, Callable[[], Any]]) -> Answer:
        engine = self._engine
        given = fields.get("given")
        if isinstance(given, Iterator):
            # The claim and the call are written one after the other, and what gives its items once would be at its end by then.
            fields = {**fields, "given": list(given)}
        words = {name: value for name, value in fields.items() if name not in ("args", "facts")}
        self._plain({name: value for name, value in fields.items() if name not in words and name not in later and value is not None})
        claim = _sound(*self._written({"operation": operation, **words}, False))
        leave = engine._asked("claim", claim)["leave"]
        try:
            call = _sound(*self._written({**fields, **_beside.called(later)}, False))
            return self._told_of(engine._asked(operation, call))
        except BaseException:
            # What is claimed for a call that is not made is left. In a transaction that failed that fails, and does not matter; behind
            # a deadlock there is none, and what leaves would commit by itself.
            with contextlib.suppress(Exception):
                kind = engine._kind()
                if kind.inside(True) is not False:
                    kind.asked(leave)
            raise

    def _plain(self, beside: Dict[str, Any]) -> None:
        """Refuses ``args`` or ``facts`` beside a function, where they are of no form, before anything is claimed."""
        for name, value in beside.items():
            if not isinstance(value, Mapping):
                raise CallError("hos.call_malformed", f"`{name}` is a mapping or a function, not {type(value).__name__}")
        if beside:
            _sound(*self._written(beside, False))

    def _told_of(self, told: Mapping[str, Any]) -> Answer:
        answer = told["answer"]
        return self._came(answer["allowed"] is True, json.dumps(answer).encode(), told.get("refusal"))


def _said(call: object) -> Dict[str, Any]:
    """A call among several, as its fields."""
    if not isinstance(call, Call):
        raise CallError("hos.call_malformed", f"`calls` holds calls (hos.Call), not {type(call).__name__}")
    return {"operation": call.operation, **call.words}


def _is_free_to_ask(kind: Kind) -> bool:
    try:
        return kind.is_free_to_ask()
    except HosError:
        raise
    except Exception as error:
        raise kind.failure(error) from error


def _sound(call: bytes, fault: Optional[Exception]) -> bytes:
    if fault is not None:
        raise fault
    return call
