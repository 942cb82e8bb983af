"""SQLite: connections of sqlite3."""

from __future__ import annotations

from typing import Any, Optional

from hos._kind import Kind
from hos._watch import PATIENCE_MS, Told, Watch


class _Watch(Watch):
    def __init__(self, kind: Told) -> None:
        super().__init__(kind)
        # The connection's own patience in milliseconds, where it was changed.
        self._patience: Optional[int] = None

    def begin(self) -> None:
        super().begin()
        if self._patience is None:
            ((own,),) = self.kind.run("PRAGMA busy_timeout")
            self._patience = int(own)
            self.kind.do(self._patient(PATIENCE_MS))

    def end(self) -> None:
        if self._patience is not None:
            self.kind.do(self._patient(self._patience))
        super().end()

    def undo(self) -> bool:
        goes_on = super().undo()
        if self._patience is not None:
            self.attempt(self._patient(self._patience))
        return goes_on

    @staticmethod
    def _patient(ms: int) -> str:
        return f"PRAGMA busy_timeout = {ms}"


class Sqlite(Kind):
    module = "sqlite3"
    dialect = "sqlite"
    watch = _Watch
    is_remote = False
    # `?1` is warned of as a name by some versions.
    places = "question"

    def inside(self, begun: bool) -> Optional[bool]:
        # It begins transactions by itself before a write, but not before a read: what decides would be read outside.
        return bool(self.raw.in_transaction)

    def held(self) -> Optional[bool]:
        # Some errors end it (a full disk).
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

    def is_read_only(self, error: BaseException) -> bool:
        number = getattr(error, "sqlite_errorcode", None)
        if number is None:
            return isinstance(error, self.driver.OperationalError) and str(error) == "attempt to write a readonly database"
        return bool(number & 0xFF == 8)

    def is_unmarked(self, error: BaseException) -> bool:
        return isinstance(error, self.driver.OperationalError) and str(error).startswith("no such savepoint")

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
