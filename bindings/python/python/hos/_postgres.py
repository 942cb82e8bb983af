"""PostgreSQL: connections of psycopg and psycopg2."""

from __future__ import annotations

from typing import Any, List, Optional, Sequence, Tuple

from hos._kind import Kind
from hos._watch import PATIENCE_MS, RELEASE, SAVEPOINT, Watch


class _Watch(Watch):
    # The host's own wait is kept beside ours, until the end of the transaction at most.
    head = (
        SAVEPOINT,
        "SELECT set_config('hos.lock_timeout', current_setting('lock_timeout'), true)",
        f"SET LOCAL lock_timeout = {PATIENCE_MS}",
    )
    tail = ("SELECT set_config('lock_timeout', current_setting('hos.lock_timeout'), true)", RELEASE)


class _Postgres(Kind):
    dialect = "postgres"
    watch = _Watch

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

    def begin(self) -> None:
        if self.raw.autocommit:
            self.do("BEGIN")

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

    def state(self, error: BaseException) -> Optional[str]:
        return getattr(error, "sqlstate", None)


class Psycopg2(_Postgres):
    module = "psycopg2"

    def cursor(self) -> Any:
        return self.raw.cursor(cursor_factory=self.driver.extensions.cursor)

    def has_more(self, cursor: Any) -> bool:
        # The library below it keeps the last result alone, which is the one that is wanted.
        return False

    def said(self, sql: str, params: List[Any]) -> Tuple[str, Sequence[Any]]:
        return sql, [self.driver.Binary(one) if isinstance(one, bytes) else one for one in params]

    def state(self, error: BaseException) -> Optional[str]:
        return getattr(error, "pgcode", None)
