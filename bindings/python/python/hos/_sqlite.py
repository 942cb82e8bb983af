"""SQLite: connections of sqlite3."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, Optional

from hos._kind import Kind
from hos._watch import PATIENCE_MS, Told, Watch

# Writes nothing, and takes the lock that a write takes.
_LOCK = "DELETE FROM hos_once WHERE 0"
# Behind what the host has written before in a transaction that it is always in.
_BEFORE = "hos_before"


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

    def __init__(self, raw: Any) -> None:
        super().__init__(raw)
        # Whether there may be rows of the host's before those of the work, in a transaction that it is always in.
        self._has_before = False

    def _always(self) -> bool:
        """Whether there always is a transaction (Python 3.12 and newer)."""
        return getattr(self.raw, "autocommit", None) is False

    def is_free(self) -> bool:
        return self._always() or super().is_free()

    def is_left(self, free: bool) -> bool:
        # The transaction that there always is goes on to read what it has read first, and keeps others from writing.
        return super().is_left(free) or (self._always() and self._is_unlocked())

    def begin(self) -> None:
        # A transaction that begins by reading cannot always go on to write.
        if not self._always():
            # How the driver begins those that it begins by itself.
            is_exclusive = str(self.raw.isolation_level).upper() == "EXCLUSIVE"
            self.do("BEGIN EXCLUSIVE" if is_exclusive else "BEGIN IMMEDIATE")
            return
        if not self.raw.in_transaction:
            # An error has ended the one that there always is.
            self.do("BEGIN")
        self._has_before = not self._is_unlocked()
        try:
            self.do(_LOCK)
        except Exception as error:
            if self.is_retry(error):
                # Who does not get the lock has written nothing yet, and may have read what is older than what is there by now.
                self.raw.rollback()
                raise
            # That tables are missing, or that it takes no writes, the work's own statements say.
            if not (self.is_version(error) or self.is_read_only(error)):
                raise
        if self._has_before:
            self.do(f"SAVEPOINT {_BEFORE}")

    def _is_unlocked(self) -> bool:
        """Whether nobody has the lock that a write takes, this connection included; it does not tell by itself what it has written.
        Of a file alone, and not where it is in doubt."""
        try:
            # As bytes, whatever the host has made of its texts.
            ((file,),) = self.run("SELECT CAST(file AS BLOB) FROM temp.pragma_database_list WHERE name = 'main'")
            if not file:
                return False
            place = f"{Path(os.fsdecode(bytes(file))).as_uri()}?mode=rw"
            with contextlib.closing(self.driver.connect(place, uri=True, timeout=0, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
            return True
        except Exception:
            return False

    def commit(self) -> None:
        self.do("COMMIT") if getattr(self.raw, "autocommit", None) is True else self.raw.commit()

    def rollback(self) -> None:
        if self._always():
            self._back()
        elif getattr(self.raw, "autocommit", None) is not True:
            self.raw.rollback()
        elif self.raw.in_transaction:
            self.do("ROLLBACK")

    def _back(self) -> None:
        """To where the work began: what the host has written before it, in the same transaction, is not the work's."""
        if self._has_before:
            try:
                return self.do(f"ROLLBACK TO SAVEPOINT {_BEFORE}", f"RELEASE SAVEPOINT {_BEFORE}")
            except Exception as error:
                if not self.is_unmarked(error):
                    raise
                # The work has ended that transaction, and all of this one is its own; or an error has ended it.
        self.raw.rollback() if self.raw.in_transaction else self.do("BEGIN")
