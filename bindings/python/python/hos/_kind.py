"""A host's connection to its own database, as the joined transaction needs it: what each kind of driver has to say.

A kind says whether the connection is in a transaction, runs statements on it, and reads its driver's errors. It changes nothing of
the connection that outlives a call, and imports no driver: whoever hands over a connection has imported its own.
"""

from __future__ import annotations

import base64
import contextlib
import sys
from typing import Any, Callable, ContextManager, Iterator, List, Mapping, Optional, Protocol, Sequence, Set, Tuple, Type, Union

from hos._watch import Watch
from hos.errors import CallError, HosError, RetryError, StoreError


class Connection(Protocol):
    """A connection of a DB-API driver, or of Django."""

    def cursor(self) -> Any: ...

    def commit(self) -> Any: ...

    def rollback(self) -> Any: ...


Joinable = Union[Connection, Callable[[], Connection]]
Cells = List[List[Union[int, str, None]]]
# Below it every whole float is one integer, and no other was rounded to it.
_EXACT_BELOW = 2.0**53
# The savepoint behind the beginning of a transaction of ours.
_MARK = "hos_begun"


class Kind:
    """A connection of one kind of driver."""

    module = ""
    dialect = ""
    places = "format"
    # What is around the statements of a call in shadow.
    watch: Type[Watch] = Watch
    # Whether the database is reached by exchanges that several statements may share.
    is_remote = True
    # The statement that fails where there is no transaction, of a database that has one.
    guard = ""

    def __init__(self, raw: Any) -> None:
        self.raw = raw

    @property
    def driver(self) -> Any:
        return sys.modules[self.module]

    def inside(self, begun: bool) -> Optional[bool]:
        """Whether there is a transaction; ``None`` where that cannot be told. ``begun``: whether one that the next statement
        begins by itself is not enough."""
        raise NotImplementedError

    def known(self, begun: bool) -> Optional[bool]:
        """As ``inside``, of what is known without asking the database; ``None`` where it is to be asked, and ``guard`` may be."""
        return self.inside(begun)

    def is_free_to_ask(self) -> bool:
        """Whether a question is asked outside of a transaction: one that is there behind it, its own statements have begun."""
        return not self.inside(True)

    def is_left(self, free: bool) -> bool:
        """Whether a question has left a transaction behind that is nobody's; ``free``: there was none before it."""
        return free and self.inside(True) is True

    def is_outside(self, error: BaseException) -> bool:
        """Whether it is what ``guard`` fails with."""
        return False

    def cursor(self) -> Any:
        """A cursor whose rows are sequences, whatever the host's own are."""
        raise NotImplementedError

    def said(self, sql: str, params: List[Any]) -> Tuple[str, Sequence[Any]]:
        """A statement and its parameters as the driver takes them."""
        return sql, params

    def run(self, sql: str, params: Sequence[Any] = (), reads: bool = True) -> List[Any]:
        """Runs a statement, and gives the rows of one that reads."""
        with self._on_cursor() as cursor:
            cursor.execute(*self.said(sql, list(params)))
            return list(cursor.fetchall()) if reads else []

    @contextlib.contextmanager
    def _on_cursor(self) -> Iterator[Any]:
        cursor = self.cursor()
        try:
            yield cursor
        except BaseException:
            # A cursor that was interrupted may not be able to close, and what interrupted it says more.
            with contextlib.suppress(Exception):
                cursor.close()
            raise
        cursor.close()

    def do(self, *statements: str) -> None:
        """Runs statements that neither read nor have parameters."""
        for sql in statements:
            self.run(sql, reads=False)

    def asked(self, statements: Sequence[Mapping[str, Any]]) -> List[Cells]:
        """Runs statements of the engine's in their order, and gives the rows of each in the engine's words."""
        return [_cells(self.run(one["sql"], _params(one), _reads(one))) for one in statements]

    def takes_texts(self) -> bool:
        """Whether the connection, as it is now, takes several statements in one text."""
        return self.is_remote

    def whole(self, statements: Sequence[str]) -> str:
        """Several statements as one text."""
        return ";\n".join(statements)

    def execute(self, cursor: Any, text: str) -> None:
        """Runs a text without parameters: what stands in it is read by nobody but the database."""
        cursor.execute(text)

    def together(self, text: str) -> Cells:
        """Runs a text of several statements in one exchange, and gives the rows of its last result that has columns."""
        with self._on_cursor() as cursor:
            self.execute(cursor, text)
            rows: List[Any] = []
            while True:
                if cursor.description is not None:
                    rows = list(cursor.fetchall())
                if not self.has_more(cursor):
                    return _cells(rows)

    def has_more(self, cursor: Any) -> bool:
        """Goes on to the next result of a text, if there is one."""
        return bool(cursor.nextset())

    def is_unknown_text(self, error: BaseException) -> bool:
        """Whether the database takes no such text, and ran nothing of it."""
        return False

    def is_retry(self, error: BaseException) -> bool:
        """Whether the database asks for the whole transaction once more."""
        raise NotImplementedError

    def is_version(self, error: BaseException) -> bool:
        """Whether a table or a column is missing."""
        raise NotImplementedError

    def is_read_only(self, error: BaseException) -> bool:
        """Whether the database takes no writes."""
        raise NotImplementedError

    def is_lost(self, error: BaseException) -> bool:
        """Whether it is unknown what became of the statement, for the connection ended."""
        raise NotImplementedError

    def failure(self, error: BaseException) -> HosError:
        """The error of the package that says what an error of the database means."""
        told = f"{type(error).__name__}: {error}"
        if self.is_retry(error):
            return RetryError("hos.retry", f"roll back and begin the whole transaction again: {told}")
        if self.is_version(error):
            return StoreError("hos.store_version", f"the tables are missing, or of another version (`hos schema` prints them): {told}")
        if self.is_read_only(error):
            return StoreError("hos.store_read_only", f"the database takes no writes here, ask the primary: {told}")
        return StoreError("hos.store_unavailable", told)

    def held(self) -> Optional[bool]:
        """Whether there is a transaction that what was written in it can be lost with, as far as the connection knows it by itself;
        ``None`` where it does not."""
        raise NotImplementedError

    def holds(self, error: BaseException) -> bool:
        """Whether the transaction that was there goes on behind an error."""
        return self.held() is True

    def spared(self) -> ContextManager[Any]:
        """Around statements of the host's own that may fail: its transaction goes on behind them."""
        return contextlib.nullcontext()

    def spoil(self) -> None:
        """Says to whoever keeps account of transactions that this one is to be rolled back."""

    # Transactions that `transaction` makes.

    # Whether one was committed, and what failed then was no part of it.
    committed = False

    def is_free(self) -> bool:
        """Whether one can be begun."""
        return not self.inside(True)

    def begin(self) -> None:
        raise NotImplementedError

    def mark(self) -> None:
        """Leaves in the transaction that was begun what ``stands`` knows it by: it goes when the transaction does, be it that the
        work has ended it, or the database after an error that the work has caught."""
        self.do(f"SAVEPOINT {_MARK}")

    def stands(self) -> None:
        """Raises where the transaction that was begun is there no more, or takes no commit."""
        try:
            self.do(f"RELEASE SAVEPOINT {_MARK}")
        except Exception as error:
            raise (gone() if self.is_unmarked(error) else self.failure(error)) from error

    def is_unmarked(self, error: BaseException) -> bool:
        """Whether the savepoint that marks the transaction is not there."""
        raise NotImplementedError

    def commit(self) -> None:
        self.raw.commit()

    def rollback(self) -> None:
        self.raw.rollback()


def causes(error: Optional[BaseException]) -> Iterator[BaseException]:
    """An error, and those that it came of or in the handling of. They may lead back to each other."""
    met: Set[int] = set()
    while error is not None and id(error) not in met:
        met.add(id(error))
        yield error
        error = error.__context__ if error.__cause__ is None else error.__cause__


def gone() -> HosError:
    """There is no more of a transaction that the work was run in."""
    return CallError("hos.no_transaction", "the work has ended its transaction, or the database has: nothing more is committed")


def failed(why: str) -> HosError:
    """There is a transaction, and it cannot be committed."""
    return StoreError("hos.store_unavailable", f"{why}: nothing of the transaction is committed")


def _params(statement: Mapping[str, Any]) -> List[Any]:
    return [base64.b64decode(one["b"]) if isinstance(one, dict) else one for one in statement["params"]]


def _reads(statement: Mapping[str, Any]) -> bool:
    return bool(statement.get("reads"))


def _cells(rows: List[Any]) -> Cells:
    return [[_cell(value) for value in row] for row in rows]


def _cell(value: Any) -> Union[int, str, None]:
    """A value of a row in the engine's words: text and bytes in base64, for drivers differ in which of both they give."""
    if value is None or isinstance(value, int):
        return value if value is None else int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_BELOW:
        # A host may have its driver read integers so.
        return int(value)
    if isinstance(value, str):
        value = value.encode()
    elif not isinstance(value, (bytes, bytearray, memoryview)):
        value = str(value).encode()
    return base64.b64encode(value).decode("ascii")
