"""PostgreSQL: connections of psycopg and psycopg2."""

from __future__ import annotations

import contextlib
from typing import Any, Iterator, List, Optional, Sequence, Tuple

from hos._kind import Kind, failed, gone
from hos._watch import PATIENCE_MS, RELEASE, SAVEPOINT, Watch
from hos.errors import CallError

# Both drivers' words for a transaction, and for one in which a statement has failed.
_IN_TRANSACTION = 2
_IN_ERROR = 3
# What the library below them says of a connection that is lost.
_UNKNOWN = 4
_READ = "SAVEPOINT hos_read"
# The state of a savepoint that is not there.
_NO_SAVEPOINT = "3B001"
# The older driver's numbers.
_LEVELS = {1: "READ COMMITTED", 2: "REPEATABLE READ", 3: "SERIALIZABLE", 4: "READ UNCOMMITTED"}


class _Watch(Watch):
    # The host's own wait is kept beside ours, until the end of the transaction at most.
    head = (
        SAVEPOINT,
        "SELECT set_config('hos.lock_timeout', current_setting('lock_timeout'), true)",
        f"SET LOCAL lock_timeout = {PATIENCE_MS}",
    )
    tail = ("SELECT set_config('lock_timeout', current_setting('hos.lock_timeout'), true)", RELEASE)

    def undo(self) -> bool:
        # A text that failed in the database has ended the transaction. Where it goes on, none arrived, and it would end with a rollback
        # to a savepoint that is not there.
        return True if not self.is_set and self.kind.held() else super().undo()


class _Postgres(Kind):
    dialect = "postgres"
    watch = _Watch

    def inside(self, begun: bool) -> Optional[bool]:
        if self.raw.info.transaction_status == _UNKNOWN:
            # Why it is lost, the driver says when it is asked.
            self.do("SELECT 1")
        # Without `autocommit` no statement commits by itself: the first one begins a transaction, if none is there.
        return self.raw.info.transaction_status != 0 or (not begun and not self.raw.autocommit)

    def held(self) -> Optional[bool]:
        return bool(self.raw.info.transaction_status == _IN_TRANSACTION)

    @contextlib.contextmanager
    def spared(self) -> Iterator[None]:
        # One statement that fails ends the transaction, also where the error is passed over.
        if not self.held():
            yield
            return
        self._spare(_READ)
        try:
            yield
            self._spare(f"RELEASE {_READ}")
        except BaseException:
            # Behind its end the driver would begin another one with this.
            if self.raw.info.transaction_status != 0:
                with contextlib.suppress(Exception):
                    self.do(f"ROLLBACK TO {_READ}", f"RELEASE {_READ}")
            raise

    def _spare(self, sql: str) -> None:
        ended = CallError("hos.no_transaction", "a function for arguments has ended the transaction of its call")
        if self.raw.info.transaction_status == 0:
            raise ended
        try:
            self.do(sql)
        except Exception as error:
            raise (ended if self.state(error) == _NO_SAVEPOINT else self.failure(error)) from error

    def state(self, error: BaseException) -> Optional[str]:
        raise NotImplementedError

    def is_retry(self, error: BaseException) -> bool:
        return self.state(error) in ("40001", "40P01", "55P03")

    def is_version(self, error: BaseException) -> bool:
        return self.state(error) in ("42P01", "42703")

    def is_read_only(self, error: BaseException) -> bool:
        return self.state(error) == "25006"

    def is_lost(self, error: BaseException) -> bool:
        state = self.state(error)
        return state is None or state.startswith(("08", "57P"))

    def begin(self) -> None:
        if not self.raw.autocommit:
            return
        level, read_only, deferrable = self.transactions()
        words = ["BEGIN"]
        if level is not None:
            words.append(f"ISOLATION LEVEL {level}")
        if read_only is not None:
            words.append("READ ONLY" if read_only else "READ WRITE")
        if deferrable is not None:
            words.append("DEFERRABLE" if deferrable else "NOT DEFERRABLE")
        self.do(" ".join(words))

    def transactions(self) -> Tuple[Optional[str], Optional[bool], Optional[bool]]:
        """How the host wants its transactions: their isolation, whether they only read, and whether they wait for a safe snapshot.
        The driver says it where it begins one by itself; the database may not have heard of it."""
        raise NotImplementedError

    def mark(self) -> None:
        # A savepoint would make all that is written that of a transaction below it.
        self.do("SET LOCAL hos.begun = 'on'")

    def stands(self) -> None:
        # It takes the COMMIT of a transaction in which a statement failed, and rolls back without a word.
        if self.raw.info.transaction_status == _IN_ERROR:
            raise failed("a statement has failed, and the work has gone on")
        if not self.inside(True) or not self._is_marked():
            raise gone()

    def _is_marked(self) -> bool:
        try:
            return bool(self.run("SELECT 1 WHERE current_setting('hos.begun', true) = 'on'"))
        except Exception as error:
            raise self.failure(error) from error

    def commit(self) -> None:
        self.do("COMMIT") if self.raw.autocommit else self.raw.commit()

    def rollback(self) -> None:
        self.do("ROLLBACK") if self.raw.autocommit else self.raw.rollback()


class Psycopg(_Postgres):
    module = "psycopg"

    def cursor(self) -> Any:
        return self.driver.Cursor(self.raw, row_factory=self.driver.rows.tuple_row)

    def takes_texts(self) -> bool:
        # In a pipeline there are no simple queries.
        return not self.raw.pgconn.pipeline_status

    def execute(self, cursor: Any, text: str) -> None:
        # A host may have all be prepared, and several statements cannot.
        cursor.execute(text, prepare=False)

    def transactions(self) -> Tuple[Optional[str], Optional[bool], Optional[bool]]:
        level = self.raw.isolation_level
        return None if level is None else level.name.replace("_", " "), self.raw.read_only, self.raw.deferrable

    def state(self, error: BaseException) -> Optional[str]:
        return getattr(error, "sqlstate", None)


class Psycopg2(_Postgres):
    module = "psycopg2"

    def cursor(self) -> Any:
        return self.raw.cursor(cursor_factory=self.driver.extensions.cursor)

    def has_more(self, cursor: Any) -> bool:
        # The library below it keeps the last result alone, which is the one that is wanted.
        return False

    def transactions(self) -> Tuple[Optional[str], Optional[bool], Optional[bool]]:
        return _LEVELS.get(self.raw.isolation_level), self.raw.readonly, self.raw.deferrable

    def said(self, sql: str, params: List[Any]) -> Tuple[str, Sequence[Any]]:
        return sql, [self.driver.Binary(one) if isinstance(one, bytes) else one for one in params]

    def state(self, error: BaseException) -> Optional[str]:
        return getattr(error, "pgcode", None)
