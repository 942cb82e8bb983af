"""A savepoint around a call in shadow, and little patience within it: whatever befalls the call, the host's transaction goes on as if
it had not been. Where statements go out as one text, both go with them and cost no exchange of their own."""

from __future__ import annotations

import contextlib
from typing import Any, Optional, Protocol, Sequence, Tuple

# How long a call in shadow waits for others, at most, in milliseconds; MySQL counts whole seconds.
PATIENCE_MS = 250

SAVEPOINT = "SAVEPOINT hos_shadow"
RELEASE = "RELEASE SAVEPOINT hos_shadow"
_ROLLBACK = "ROLLBACK TO SAVEPOINT hos_shadow"


class Told(Protocol):
    """A connection, as a watch has it run statements."""

    def do(self, *statements: str) -> None: ...

    def run(self, sql: str, params: Sequence[Any] = (), reads: bool = True) -> Any: ...

    def held(self) -> Optional[bool]: ...


class Watch:
    """Around the statements of one call in shadow."""

    # What goes before the first statement, and behind the last.
    head: Tuple[str, ...] = (SAVEPOINT,)
    tail: Tuple[str, ...] = (RELEASE,)
    # Before each text.
    prefix = ""

    def __init__(self, kind: Told) -> None:
        self.kind = kind
        # Whether something was said to the database, whether the savepoint is set, and whether what goes behind went out too.
        self.tried = False
        self.is_set = False
        self._ended = False

    def begin(self) -> None:
        """Before a statement that is run by itself."""
        self.tried = True
        if not self.is_set:
            self.kind.do(*self.head)
            self.is_set = True

    def around(self, last: bool) -> Tuple[Tuple[str, ...], Tuple[str, ...]]:
        """What goes with a text, before it and behind it; ``last``: whether nothing comes after it."""
        self.tried = True
        return () if self.is_set else self.head, self.tail if last else ()

    def ran(self, last: bool) -> None:
        """Such a text was run."""
        self.is_set, self._ended = True, last

    def end(self) -> None:
        """All went well."""
        if self.is_set and not self._ended:
            self.kind.do(*self.tail)

    def undo(self) -> bool:
        """Something failed: nothing of it is left. What a step that ends in an error writes takes back what it claimed by itself.
        Gives whether the transaction is known to go on."""
        if not self.tried or self._ended:
            # A rollback to a savepoint that is not there would end PostgreSQL's transaction.
            return True
        # Whether a text that failed came as far as its savepoint, the database knows; no other one has its name, for all are released.
        goes_on = self.attempt(_ROLLBACK)
        self.attempt(RELEASE)
        return goes_on

    def attempt(self, sql: str) -> bool:
        """Says what cannot be done where the connection is lost, or the whole transaction is."""
        with contextlib.suppress(Exception):
            self.kind.do(sql)
            return True
        return False
