"""Engines, tenants, and who acts in them."""

from __future__ import annotations

import json
import os
import re
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, List, Mapping, Optional, Type, Union, overload

from hos import _answers, _raw
from hos._absent import AbsentEngine
from hos._hos import Answer, Asker, Core, Uid
from hos._reply import Reply
from hos._shadow import Watching, fault_of
from hos._values import Entity, HasUid, Legacy, Question, present
from hos.errors import CallError, Denied, HosError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from hos._connections import Joinable
    from hos._words import Change
    from hos.aio import AsyncActor
    from hos.joined import JoinedEngine

_Path = Union[str, "os.PathLike[str]"]
_Named = Union[Uid, str, HasUid]
_Record = Mapping[str, Any]
_PATHS = ("store", "law", "key_file", "signer_socket", "mark")
# A database's URL, also where a `Path` has left one slash of two.
_URL = re.compile(r"\s*(?:postgres|pgsql|mysql|mariadb|sqlite)[\w+]*:", re.IGNORECASE)


class Engine(Core):
    """An open store under its active law. Used from any thread; only in the process that opened it."""

    __slots__ = ()

    @overload
    @classmethod
    def open(
        cls,
        law: Optional[_Path] = None,
        *,
        store: _Path,
        key_file: Optional[_Path] = None,
        signer_socket: Optional[_Path] = None,
        signer_command: Optional[str] = None,
        mark: Optional[_Path] = None,
        seal: Optional[str] = None,
        busy_timeout_ms: Optional[int] = None,
        directory_age_max_ms: Optional[int] = None,
    ) -> Engine: ...

    @overload
    @classmethod
    def open(
        cls, law: Optional[_Path] = None, *, store: Joinable, directory_age_max_ms: Optional[int] = None
    ) -> JoinedEngine: ...

    @classmethod
    def open(
        cls,
        law: Optional[_Path] = None,
        *,
        store: Union[_Path, Joinable],
        key_file: Optional[_Path] = None,
        signer_socket: Optional[_Path] = None,
        signer_command: Optional[str] = None,
        mark: Optional[_Path] = None,
        seal: Optional[str] = None,
        busy_timeout_ms: Optional[int] = None,
        directory_age_max_ms: Optional[int] = None,
    ) -> Union[Engine, JoinedEngine]:
        """Opens a store that exists. ``law`` is the law's directory and must be the active law; without it the engine opens with
        the active one. The other options are those of ``spec/c-abi.md``.

        ``store`` may be a connection to a database of your own that has the tables, or a function that gives one: then calls are
        made in its transactions (:mod:`hos.joined`)."""
        if not isinstance(store, (str, bytes, os.PathLike)):
            others = present(
                key_file=key_file,
                signer_socket=signer_socket,
                signer_command=signer_command,
                mark=mark,
                seal=seal,
                busy_timeout_ms=busy_timeout_ms,
            )
            if others:
                raise CallError("hos.call_malformed", f"`{next(iter(others))}` is an option of a store of the engine's own")
            from hos.joined import JoinedEngine

            return JoinedEngine(law, store, directory_age_max_ms)
        paths = dict(zip(_PATHS, (store, law, key_file, signer_socket, mark)))
        others = present(
            signer_command=signer_command,
            seal=seal,
            busy_timeout_ms=busy_timeout_ms,
            directory_age_max_ms=directory_age_max_ms,
        )
        return cls.of_options({**{name: os.fspath(path) for name, path in paths.items() if path is not None}, **others})

    @overload
    @classmethod
    def open_for_shadow(
        cls,
        law: Optional[_Path] = None,
        *,
        store: _Path,
        key_file: Optional[_Path] = None,
        signer_socket: Optional[_Path] = None,
        signer_command: Optional[str] = None,
        mark: Optional[_Path] = None,
        seal: Optional[str] = None,
        busy_timeout_ms: Optional[int] = None,
        directory_age_max_ms: Optional[int] = None,
    ) -> Engine: ...

    @overload
    @classmethod
    def open_for_shadow(
        cls, law: Optional[_Path] = None, *, store: Joinable, directory_age_max_ms: Optional[int] = None
    ) -> JoinedEngine: ...

    @classmethod
    def open_for_shadow(cls, *args: Any, **options: Any) -> Any:
        """Opens as ``open`` does, for code whose own answers stand (``shadow`` of an actor): it never raises. Where nothing can be
        opened it gives what stands in for an engine: its ``shadow`` calls run the world's code and no more, everything else raises
        what its ``absent`` says."""
        try:
            return cls.open(*args, **options)
        except BaseException as why:
            return AbsentEngine(fault_of(why))

    @property
    def absent(self) -> Optional[BaseException]:
        """Why there is no engine here, of what ``open_for_shadow`` gave; ``None`` of an engine."""
        return None

    @classmethod
    def of_options(cls, options: Mapping[str, Any]) -> Engine:
        """Opens a store by options as the wire has them. Paths are those of the directory that the process is in now."""
        if not isinstance(options, Mapping):
            raise CallError("hos.call_malformed", f"the options are a mapping, not {type(options).__name__}")
        _no_url(options.get("store"))
        return cls(_raw.written({name: _whole(value) if name in _PATHS else value for name, value in options.items()}))

    def tenant(self, name: str) -> Tenant:
        """A tenant. Whether it is there is said by each call."""
        return Tenant(self, name)

    def call(self, operation: str, call: _raw.Raw) -> Reply:
        """Any operation in the words of the wire (``spec/answer.md``): JSON, or a mapping that becomes JSON as it stands."""
        operation = _raw.text("operation", operation)
        try:
            told = self._serve(operation, _raw.written(call))[1]
        except CallError as why:
            outcome = _raw.outcome(call)
            if outcome is None:
                raise
            try:
                told = self._serve(operation, outcome)[1]
            except HosError:
                raise why from None
        return Reply(json.loads(told))

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if not self.closed:
            self.close()


class Tenant:
    """A tenant of an engine."""

    __slots__ = ("engine", "name")

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.name = name

    def as_(self, principal: _Named, *, language: Optional[str] = None, request: Optional[str] = None) -> Actor:
        """Who acts: a :class:`Uid`, a text ``Type::"id"``, or an object that says its own by ``__hos_uid__``.

        With ``language``, blockers carry the law's message for an end user. ``request`` is the caller's own request id; it
        stands in headers of records, so nothing personal."""
        return Actor(self.engine, self.name, principal, language, request)

    def history(
        self, contract: str, id: str, *, from_: Optional[int] = None, limit: Optional[int] = None
    ) -> List[_answers.Entry]:
        """An instance's records, oldest first, from the one with the number ``from_``; at most 1000."""
        call = present(tenant=self.name, contract=contract, id=id, limit=limit, **{"from": from_})
        return _answers.history(self.engine._serve("history", _raw.written(call))[1])

    def message(self, code: str, language: str) -> str:
        """What the law says of a refusal's code to an end user."""
        call = _raw.written({"tenant": self.name, "code": code, "language": language})
        said = json.loads(self.engine._serve("message", call)[1])["message"]
        assert isinstance(said, str)
        return said

    def __repr__(self) -> str:
        return f"<Tenant {self.name!r}>"


class Actor(Asker, Watching):
    """A tenant and who acts in it.

    Every call takes, besides its own words: ``context`` (a record, beyond an event's arguments), ``given`` (entities that come
    with the call), ``legacy`` (the world's own outcome, for the modes ``off`` and ``shadow``), and ``request``.
    """

    __slots__ = ("tenant",)

    tenant: Tenant

    def __new__(
        cls,
        engine: Engine,
        tenant: str,
        principal: _Named,
        language: Optional[str] = None,
        request: Optional[str] = None,
    ) -> Actor:
        self = super().__new__(cls, engine, tenant, principal, language, request)
        self.tenant = Tenant(engine, tenant)
        return self

    @property
    def directory(self) -> Directory:
        """Changes of who is who."""
        return Directory(self)

    def can_all(
        self,
        questions: Iterable[Question],
        *,
        context: Optional[_Record] = None,
        given: Optional[Iterable[Entity]] = None,
        request: Optional[str] = None,
    ) -> List[Answer]:
        """Several questions, 1 to 1000, answered over one law and one directory, in their order."""
        words = {"evaluations": list(questions), "context": context, "given": given, "request": request}
        answers = json.loads(self._told("can_all", words))["evaluations"]
        return [self._came(one["allowed"] is True, json.dumps(one).encode()) for one in answers]

    def authorize(
        self,
        action: str,
        resource: _Named,
        *,
        context: Optional[_Record] = None,
        given: Optional[Iterable[Entity]] = None,
        legacy: Union[Legacy, bool, None] = None,
        request: Optional[str] = None,
    ) -> Answer:
        """As ``can``, but a no is raised as :class:`Denied`."""
        return _granted(self.can(action, resource, context=context, given=given, legacy=legacy, request=request))

    def begin(
        self,
        contract: str,
        id: str,
        event: str,
        *,
        facts: Optional[_Record] = None,
        args: Optional[_Record] = None,
        once: Optional[str] = None,
        context: Optional[_Record] = None,
        given: Optional[Iterable[Entity]] = None,
        legacy: Union[Legacy, bool, None] = None,
        request: Optional[str] = None,
    ) -> Answer:
        """The birth of an instance."""
        words = {"contract": contract, "id": id, "event": event, "facts": facts, "args": args, "once": once}
        return self._answer("begin", {**words, "context": context, "given": given, "legacy": legacy, "request": request})

    def transition(
        self,
        contract: str,
        id: str,
        event: str,
        *,
        args: Optional[_Record] = None,
        once: Optional[str] = None,
        reason: Optional[str] = None,
        context: Optional[_Record] = None,
        given: Optional[Iterable[Entity]] = None,
        legacy: Union[Legacy, bool, None] = None,
        request: Optional[str] = None,
    ) -> Answer:
        """An event or an override (which needs a ``reason``). Under the same ``once`` it happens once, and the answer is told
        again."""
        words = {"contract": contract, "id": id, "event": event, "args": args, "once": once, "reason": reason}
        return self._answer("transition", {**words, "context": context, "given": given, "legacy": legacy, "request": request})

    def apply(
        self,
        contract: str,
        id: str,
        event: str,
        *,
        args: Optional[_Record] = None,
        once: Optional[str] = None,
        reason: Optional[str] = None,
        context: Optional[_Record] = None,
        given: Optional[Iterable[Entity]] = None,
        legacy: Union[Legacy, bool, None] = None,
        request: Optional[str] = None,
    ) -> Answer:
        """As ``transition``, but a no is raised as :class:`Denied`."""
        besides: Dict[str, Any] = {"context": context, "given": given, "legacy": legacy, "request": request}
        return _granted(self.transition(contract, id, event, args=args, once=once, reason=reason, **besides))

    def record(
        self,
        stream: str,
        payload: Union[str, bytes],
        *,
        subject: Optional[_Named] = None,
        once: Optional[str] = None,
        context: Optional[_Record] = None,
        given: Optional[Iterable[Entity]] = None,
        legacy: Union[Legacy, bool, None] = None,
        request: Optional[str] = None,
    ) -> Answer:
        """A free record; ``subject`` is the person whose data the payload holds."""
        words = {"stream": stream, "payload": payload, "subject": subject, "once": once}
        return self._answer("record", {**words, "context": context, "given": given, "legacy": legacy, "request": request})

    def adopt(
        self,
        contract: str,
        id: str,
        state: str,
        *,
        facts: Optional[_Record] = None,
        once: Optional[str] = None,
        context: Optional[_Record] = None,
        given: Optional[Iterable[Entity]] = None,
        legacy: Union[Legacy, bool, None] = None,
        request: Optional[str] = None,
    ) -> Answer:
        """An existing row of the caller's world, brought under the law as it is. Always enforced."""
        words = {"contract": contract, "id": id, "state": state, "facts": facts, "once": once}
        return self._answer("adopt", {**words, "context": context, "given": given, "legacy": legacy, "request": request})

    def legacy(
        self,
        contract: str,
        id: str,
        entries: Iterable[Mapping[str, str]],
        *,
        once: Optional[str] = None,
        context: Optional[_Record] = None,
        given: Optional[Iterable[Entity]] = None,
        legacy: Union[Legacy, bool, None] = None,
        request: Optional[str] = None,
    ) -> Answer:
        """What an older log tells of an instance, the oldest row first: ``at``, ``to``, and what else it has of ``from``, ``event``,
        ``actor``, ``detail`` and ``key``. Nothing of it is judged, and the instance stays as it is."""
        words = {"contract": contract, "id": id, "entries": list(entries), "once": once}
        return self._answer("legacy", {**words, "context": context, "given": given, "legacy": legacy, "request": request})

    def available(
        self,
        contract: str,
        id: str,
        *,
        context: Optional[_Record] = None,
        given: Optional[Iterable[Entity]] = None,
        legacy: Union[Legacy, bool, None] = None,
        request: Optional[str] = None,
    ) -> List[_answers.Available]:
        """What could be done with an instance now."""
        words = {"contract": contract, "id": id, "context": context, "given": given, "legacy": legacy, "request": request}
        return _answers.available(self._told("available", words))

    def history(
        self, contract: str, id: str, *, from_: Optional[int] = None, limit: Optional[int] = None
    ) -> List[_answers.Entry]:
        """As the tenant's."""
        return self.tenant.history(contract, id, from_=from_, limit=limit)

    @property
    def aio(self) -> AsyncActor:
        """The same actor for ``async`` code: calls are awaited, and what waits does so in a thread of the loop's executor."""
        from hos.aio import AsyncActor

        return AsyncActor(self)

    def __repr__(self) -> str:
        return f"<Actor {self.principal} in {self.tenant.name!r}>"


class Directory:
    """Changes of who is who. Always enforced; each is an answer."""

    __slots__ = ("_actor",)

    def __init__(self, actor: Actor) -> None:
        self._actor = actor

    def put(self, uid: _Named, attrs: Optional[_Record] = None, **besides: Unpack[Change]) -> Answer:
        """An entity with these attributes, in place of those that it had."""
        return self._change("put", present(uid=uid, attrs=attrs), besides)

    def remove(self, uid: _Named, **besides: Unpack[Change]) -> Answer:
        """An entity goes."""
        return self._change("remove", {"uid": uid}, besides)

    def join(self, uid: _Named, parent: _Named, **besides: Unpack[Change]) -> Answer:
        """An entity becomes a member of another."""
        return self._change("join", {"uid": uid, "parent": parent}, besides)

    def leave(self, uid: _Named, parent: _Named, **besides: Unpack[Change]) -> Answer:
        """An entity is no member any more."""
        return self._change("leave", {"uid": uid, "parent": parent}, besides)

    def grant(
        self,
        id: str,
        template: str,
        *,
        principal: Optional[_Named] = None,
        resource: Optional[_Named] = None,
        **besides: Unpack[Change],
    ) -> Answer:
        """A policy of a template of the law, with its slots filled."""
        words = present(id=id, template=template, principal=principal, resource=resource)
        return self._change("grant", words, besides)

    def revoke(self, id: str, **besides: Unpack[Change]) -> Answer:
        """A grant ends. When this has returned, no ``can`` of this process allows by it any more; in a transaction of yours, none does
        when ``directory_age_max_ms`` have gone by since its commit."""
        return self._change("revoke", {"id": id}, besides)

    def _change(self, kind: str, words: Dict[str, Any], besides: Mapping[str, Any]) -> Answer:
        known = ("once", "context", "given", "legacy", "request")
        strange = sorted(set(besides) - set(known))
        if strange:
            raise TypeError(f"{kind}() takes no {strange[0]!r}; besides its own words it takes {', '.join(known)}")
        return self._actor._answer("directory", {"change": {kind: words}, **besides})


def _granted(answer: Answer) -> Answer:
    if answer.allowed is not True:
        raise Denied(answer)
    return answer


def _no_url(store: object) -> None:
    """Refuses a database's URL in the place of a file. It is not quoted, nor made a path of that an error would quote: a password
    stands in it."""
    if isinstance(store, str) and ("://" in store or _URL.match(store)):
        raise CallError("hos.call_malformed", "`store` is a file's name or a connection: give the connection, not its URL")


def _whole(path: object) -> object:
    """A path in the one form that it has however it was said: a store that is open is found again by its options."""
    if not isinstance(path, str) or not path:
        return path
    try:
        place, name = os.path.split(path.rstrip(os.sep))
        if name in ("", os.curdir, os.pardir):
            return os.path.realpath(path)
        # What the last name stands for is the engine's to ask: the key of a store lies beside its own name.
        return os.path.join(os.path.realpath(place or os.curdir), name)
    except (OSError, ValueError):
        return path
