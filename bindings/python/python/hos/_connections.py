"""A host's connection to its own database, as the joined transaction needs it: one class for each kind of driver.

A kind says whether the connection is in a transaction, runs statements on it, and reads its driver's errors. It changes nothing of
the connection that outlives a call, and imports no driver: whoever hands over a connection has imported its own.
"""

from __future__ import annotations

import base64
import sys
from typing import Any, Callable, Dict, List, Mapping, Optional, Protocol, Sequence, Tuple, Type, Union

from hos.errors import CallError, HosError, RetryError, StoreError


class Connection(Protocol):
    """A connection of a DB-API driver, or of Django."""

    def cursor(self) -> Any: ...

    def commit(self) -> Any: ...

    def rollback(self) -> Any: ...


Joinable = Union[Connection, Callable[[], Connection]]
_Cells = List[List[Union[int, str, None]]]

# How long a call in shadow waits for somebody who changes our tables, in seconds: the world does not wait for the law.
SHADOW_WAIT = 1


class Kind:
    """A connection of one kind of driver."""

    module = ""
    dialect = ""
    places = "format"

    def __init__(self, raw: Any) -> None:
        self.raw = raw

    @property
    def driver(self) -> Any:
        return sys.modules[self.module]

    def inside(self, begun: bool) -> Optional[bool]:
        """Whether there is a transaction; ``None`` where that cannot be told. ``begun``: whether one that the next statement
        begins by itself is not enough."""
        raise NotImplementedError

    def cursor(self) -> Any:
        """A cursor whose rows are sequences, whatever the host's own are."""
        raise NotImplementedError

    def said(self, sql: str, params: List[Any]) -> Tuple[str, Sequence[Any]]:
        """A statement and its parameters as the driver takes them."""
        return sql, params

    def run(self, sql: str, params: Sequence[Any] = (), reads: bool = True) -> List[Any]:
        """Runs a statement, and gives the rows of one that reads."""
        cursor = self.cursor()
        try:
            cursor.execute(*self.said(sql, list(params)))
            return list(cursor.fetchall()) if reads else []
        finally:
            cursor.close()

    def do(self, *statements: str) -> None:
        """Runs statements that neither read nor have parameters."""
        for sql in statements:
            self.run(sql, reads=False)

    def asked(self, statements: Sequence[Mapping[str, Any]]) -> List[_Cells]:
        """Runs statements of the engine's in their order, and gives the rows of each in the engine's words."""
        return [[[_cell(value) for value in row] for row in self.run(one["sql"], _params(one), _reads(one))] for one in statements]

    def is_retry(self, error: BaseException) -> bool:
        """Whether the database asks for the whole transaction once more."""
        raise NotImplementedError

    def is_version(self, error: BaseException) -> bool:
        """Whether a table or a column is missing."""
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
        return StoreError("hos.store_unavailable", told)

    # A call in shadow. What fails in it is undone by itself, and the host's transaction goes on.

    def stand_apart(self) -> object:
        """Begins what can be undone by itself; gives what `come_back` needs."""
        self.do("SAVEPOINT hos_shadow")
        return None

    def come_back(self, kept: object) -> None:
        """It ended well."""
        self.do("RELEASE SAVEPOINT hos_shadow")

    def undo(self, kept: object) -> None:
        """It did not."""
        self.do("ROLLBACK TO SAVEPOINT hos_shadow", "RELEASE SAVEPOINT hos_shadow")

    def spoil(self) -> None:
        """Says to whoever keeps account of transactions that this one is to be rolled back."""

    # Transactions that `transaction` makes.

    def is_free(self) -> bool:
        """Whether one can be begun."""
        return not self.inside(True)

    def begin(self) -> None:
        raise NotImplementedError

    def commit(self) -> None:
        self.raw.commit()

    def rollback(self) -> None:
        self.raw.rollback()


class _Postgres(Kind):
    dialect = "postgres"

    def inside(self, begun: bool) -> Optional[bool]:
        # Without `autocommit` no statement commits by itself: the first one begins a transaction, if none is there.
        return self.raw.info.transaction_status != 0 or (not begun and not self.raw.autocommit)

    def state(self, error: BaseException) -> Optional[str]:
        raise NotImplementedError

    def is_retry(self, error: BaseException) -> bool:
        return self.state(error) in ("40001", "40P01", "55P03")

    def is_version(self, error: BaseException) -> bool:
        return self.state(error) in ("42P01", "42703")

    def is_lost(self, error: BaseException) -> bool:
        state = self.state(error)
        return state is None or state.startswith(("08", "57P"))

    def stand_apart(self) -> object:
        self.do("SAVEPOINT hos_shadow")
        (own,) = self.run("SELECT current_setting('lock_timeout')")[0]
        if own != "0":
            return None
        self.do(f"SET LOCAL lock_timeout = '{SHADOW_WAIT}s'")
        return own

    def come_back(self, kept: object) -> None:
        # What is undone has its setting back by itself.
        if kept is not None:
            self.do("SET LOCAL lock_timeout = 0")
        super().come_back(kept)

    def begin(self) -> None:
        if self.raw.autocommit:
            self.do("BEGIN")

    def commit(self) -> None:
        self.do("COMMIT") if self.raw.autocommit else self.raw.commit()

    def rollback(self) -> None:
        self.do("ROLLBACK") if self.raw.autocommit else self.raw.rollback()


class _Psycopg(_Postgres):
    module = "psycopg"

    def cursor(self) -> Any:
        return self.driver.Cursor(self.raw, row_factory=self.driver.rows.tuple_row)

    def state(self, error: BaseException) -> Optional[str]:
        return getattr(error, "sqlstate", None)


class _Psycopg2(_Postgres):
    module = "psycopg2"

    def cursor(self) -> Any:
        return self.raw.cursor(cursor_factory=self.driver.extensions.cursor)

    def said(self, sql: str, params: List[Any]) -> Tuple[str, Sequence[Any]]:
        return sql, [self.driver.Binary(one) if isinstance(one, bytes) else one for one in params]

    def state(self, error: BaseException) -> Optional[str]:
        return getattr(error, "pgcode", None)


class _Mysql(Kind):
    dialect = "mysql"

    def said(self, sql: str, params: List[Any]) -> Tuple[str, Sequence[Any]]:
        # These drivers write parameters into the text, in the connection's character set and by converters of the host's. Bytes
        # stand there as hexadecimal digits, which mean the same in each; plain text alone is left to the driver.
        pieces, texts = sql.split("%s"), []
        for place, value in enumerate(params):
            if isinstance(value, str) and value.isascii():
                pieces[place] += "%s"
                texts.append(value)
            else:
                pieces[place] += _literal(value)
        return "".join(pieces), texts

    def number(self, error: BaseException) -> object:
        return error.args[0] if isinstance(error, self.driver.Error) and error.args else None

    def is_retry(self, error: BaseException) -> bool:
        return self.number(error) in (1020, 1205, 1213, 3572)

    def is_version(self, error: BaseException) -> bool:
        return self.number(error) in (1146, 1054)

    def is_lost(self, error: BaseException) -> bool:
        number = self.number(error)
        return not isinstance(number, int) or number == 0 or number >= 2000

    def stand_apart(self) -> object:
        self.do("SAVEPOINT hos_shadow")
        (own,) = self.run("SELECT @@SESSION.lock_wait_timeout")[0]
        self.do(f"SET SESSION lock_wait_timeout = {SHADOW_WAIT}")
        return int(own)

    def come_back(self, kept: object) -> None:
        self.do(f"SET SESSION lock_wait_timeout = {kept}")
        super().come_back(kept)

    def undo(self, kept: object) -> None:
        try:
            super().undo(kept)
        finally:
            if kept is not None:
                self.do(f"SET SESSION lock_wait_timeout = {kept}")


class _Pymysql(_Mysql):
    module = "pymysql"

    def cursor(self) -> Any:
        return self.raw.cursor(self.driver.cursors.Cursor)

    def inside(self, begun: bool) -> Optional[bool]:
        by_itself = not self.raw.get_autocommit()
        if by_itself and not begun:
            return True
        if by_itself:
            # The server says it with each answer, but of a read's the driver does not keep it.
            self.raw.ping(reconnect=False)
        return bool(self.raw.server_status & self.driver.constants.SERVER_STATUS.SERVER_STATUS_IN_TRANS)

    def begin(self) -> None:
        self.raw.begin()


class _Mysqlclient(_Mysql):
    module = "MySQLdb"

    def cursor(self) -> Any:
        return self.raw.cursor(self.driver.cursors.Cursor)

    def inside(self, begun: bool) -> Optional[bool]:
        by_itself = not self.raw.get_autocommit()
        if by_itself and not begun:
            return True
        # The driver does not tell, and only MariaDB can be asked.
        if "MariaDB" in self.raw.get_server_info():
            return int(self.run("SELECT @@in_transaction")[0][0]) != 0
        return by_itself or None

    def __init__(self, raw: Any) -> None:
        super().__init__(raw)
        self._autocommit = False

    def is_free(self) -> bool:
        # What cannot be told is left to who calls.
        return self.inside(True) is not True or "MariaDB" not in self.raw.get_server_info()

    def begin(self) -> None:
        self._autocommit = bool(self.raw.get_autocommit())
        if self._autocommit:
            self.raw.autocommit(False)
        self.do("BEGIN")

    def commit(self) -> None:
        self.raw.commit()
        self._as_it_was()

    def rollback(self) -> None:
        self.raw.rollback()
        self._as_it_was()

    def _as_it_was(self) -> None:
        if self._autocommit:
            self._autocommit = False
            self.raw.autocommit(True)


class _Sqlite(Kind):
    module = "sqlite3"
    dialect = "sqlite"
    # `?1` is warned of as a name by some versions.
    places = "question"

    def inside(self, begun: bool) -> Optional[bool]:
        # It begins transactions by itself before a write, but not before a read: what decides would be read outside.
        return bool(self.raw.in_transaction)

    def cursor(self) -> Any:
        cursor = self.driver.Connection.cursor(self.raw)
        cursor.row_factory = None
        return cursor

    def is_retry(self, error: BaseException) -> bool:
        number = getattr(error, "sqlite_errorcode", None)
        if number is None:
            # Python 3.10 and older say it in words alone.
            return isinstance(error, self.driver.OperationalError) and str(error) == "database is locked"
        return bool(number & 0xFF == 5)

    def is_version(self, error: BaseException) -> bool:
        words = ("no such table", "no such column", "has no column named")
        return isinstance(error, self.driver.OperationalError) and any(one in str(error) for one in words)

    def is_lost(self, error: BaseException) -> bool:
        return False

    def _always(self) -> bool:
        """Whether there always is a transaction (Python 3.12 and newer)."""
        return getattr(self.raw, "autocommit", None) is False

    def is_free(self) -> bool:
        return self._always() or super().is_free()

    def begin(self) -> None:
        # A transaction that begins by reading cannot always go on to write.
        if not self._always():
            self.do("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self.do("COMMIT") if getattr(self.raw, "autocommit", None) is True else self.raw.commit()

    def rollback(self) -> None:
        if getattr(self.raw, "autocommit", None) is not True:
            self.raw.rollback()
        elif self.raw.in_transaction:
            self.do("ROLLBACK")


_KINDS: Dict[str, Type[Kind]] = {one.module: one for one in (_Psycopg, _Psycopg2, _Pymysql, _Mysqlclient, _Sqlite)}


def kind_of(store: object) -> Kind:
    """The kind of a connection, which is told by the module of its class; of Django's, that of the driver below it."""
    if hasattr(store, "in_atomic_block") and hasattr(store, "ensure_connection"):
        return _of_django(store)
    for one in type(store).__mro__:
        kind = _KINDS.get(one.__module__.partition(".")[0])
        if kind is not None and one.__name__.lower() == "connection":
            return kind(store)
    if any("async" in one.__name__.lower() for one in type(store).__mro__):
        raise TypeError("a connection for `async` code cannot be joined: use one of the driver's that waits")
    where = f"{type(store).__module__}.{type(store).__qualname__}"
    known = ", ".join([*_KINDS, "Django"])
    raise TypeError(f"`store` is a path, a connection ({known}), or a function that gives one; not {where}")


def _of_django(wrapper: Any) -> Kind:
    wrapper.ensure_connection()
    below = type(kind_of(wrapper.connection))
    if below not in _DJANGO:
        _DJANGO[below] = _django(below)
    return _DJANGO[below](wrapper)


_DJANGO: Dict[Type[Kind], Callable[[Any], Kind]] = {}


def _django(below: Type[Kind]) -> Callable[[Any], Kind]:
    class Django(below):  # type: ignore[valid-type, misc]
        """Django's: the driver's own, with the transactions that Django keeps account of."""

        def __init__(self, wrapper: Any) -> None:
            super().__init__(wrapper.connection)
            self.wrapper = wrapper

        def spoil(self) -> None:
            # Whoever catches it inside the block commits nothing of a transaction that the database may have ended.
            if self.wrapper.in_atomic_block:
                self.wrapper.set_rollback(True)

        def is_free(self) -> bool:
            # Whether a block may be the outermost one is Django's to say: in its own tests it may, where there is one around it.
            return bool(self.wrapper.in_atomic_block or self.wrapper.get_autocommit())

        def begin(self) -> None:
            from django.db import transaction

            self.atomic = transaction.atomic(using=self.wrapper.alias, durable=True)
            try:
                self.atomic.__enter__()
            except RuntimeError as error:
                raise CallError("hos.call_malformed", f"the connection is in a transaction already: {error}") from error

        def commit(self) -> None:
            self.atomic.__exit__(None, None, None)

        def rollback(self) -> None:
            if self.wrapper.in_atomic_block:
                self.wrapper.set_rollback(True)
                self.atomic.__exit__(None, None, None)

    return Django


def _params(statement: Mapping[str, Any]) -> List[Any]:
    return [base64.b64decode(one["b"]) if isinstance(one, dict) else one for one in statement["params"]]


def _reads(statement: Mapping[str, Any]) -> bool:
    return bool(statement.get("reads"))


def _literal(value: Union[bytes, str, int, None]) -> str:
    """A value as MySQL reads it in a statement, in any character set."""
    if isinstance(value, str):
        value = value.encode()
    return f"x'{value.hex()}'" if isinstance(value, bytes) else "NULL" if value is None else str(int(value))


def _cell(value: Any) -> Union[int, str, None]:
    """A value of a row in the engine's words: text and bytes in base64, for drivers differ in which of both they give."""
    if value is None or isinstance(value, int):
        return value if value is None else int(value)
    if isinstance(value, str):
        value = value.encode()
    elif not isinstance(value, (bytes, bytearray, memoryview)):
        value = str(value).encode()
    return base64.b64encode(value).decode("ascii")
