"""MySQL and MariaDB: connections of PyMySQL and mysqlclient."""

from __future__ import annotations

from typing import Any, List, Optional, Sequence, Tuple, Union

from hos._kind import Kind, causes
from hos._watch import Told, Watch

_OUTSIDE = "hos.no_transaction"
# What the server says as it ends a connection: that it is shut down, that the connection was killed, or has said nothing for long.
_ENDED = (1053, 1927, 3169, 4031)
# How the next transaction is to be, said where there is one already.
_HAS_BEGUN = 1568


class _Watch(Watch):
    # MariaDB takes settings for one statement, which one of several is too. There are no shorter waits than a second.
    prefix = "SET STATEMENT lock_wait_timeout = 1, innodb_lock_wait_timeout = 1 FOR "

    def __init__(self, kind: Told) -> None:
        super().__init__(kind)
        # The session's patience, where a statement of its own changed it.
        self._patience: Optional[Tuple[int, int]] = None

    def begin(self) -> None:
        super().begin()
        if self._patience is None:
            ((locks, rows),) = self.kind.run("SELECT @@SESSION.lock_wait_timeout, @@SESSION.innodb_lock_wait_timeout")
            self._patience = (int(locks), int(rows))
            self.kind.do(self._patient(1, 1))
            self.prefix = ""

    def end(self) -> None:
        if self._patience is not None:
            self.kind.do(self._patient(*self._patience))
        super().end()

    def undo(self) -> bool:
        goes_on = super().undo()
        if self._patience is not None:
            self.attempt(self._patient(*self._patience))
        return goes_on

    @staticmethod
    def _patient(locks: int, rows: int) -> str:
        return f"SET SESSION lock_wait_timeout = {locks}, SESSION innodb_lock_wait_timeout = {rows}"


class _Mysql(Kind):
    dialect = "mysql"
    watch = _Watch
    guard = f"IF @@in_transaction = 0 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{_OUTSIDE}'; END IF"

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

    def whole(self, statements: Sequence[str]) -> str:
        if len(statements) == 1:
            return statements[0]
        return "BEGIN NOT ATOMIC\n" + ";\n".join(statements) + ";\nEND"

    def is_unknown_text(self, error: BaseException) -> bool:
        return self.number(error) == 1064

    def is_outside(self, error: BaseException) -> bool:
        return self.number(error) == 1644 and _OUTSIDE in str(error)

    def number(self, error: BaseException) -> object:
        return error.args[0] if isinstance(error, self.driver.Error) and error.args else None

    def is_retry(self, error: BaseException) -> bool:
        return self.number(error) in (1020, 1205, 1213, 3572)

    def is_version(self, error: BaseException) -> bool:
        return self.number(error) in (1146, 1054)

    def is_read_only(self, error: BaseException) -> bool:
        return self.number(error) in (1290, 1792, 1836)

    def is_unmarked(self, error: BaseException) -> bool:
        return self.number(error) == 1305

    def is_lost(self, error: BaseException) -> bool:
        number = self.number(error)
        if not isinstance(number, int):
            # In a driver's own words; what it says of how it is used, nobody else has heard of.
            return not isinstance(error, self.driver.ProgrammingError)
        # The client's own numbers, those of MariaDB's among them. What the server says goes on from 3000: that it took no row, say.
        return number == 0 or 2000 <= number < 3000 or 5000 <= number < 6000 or number in _ENDED


class Pymysql(_Mysql):
    module = "pymysql"

    def known(self, begun: bool) -> Optional[bool]:
        if not self.raw.get_autocommit():
            return None if begun else True
        # An error says nothing of the transaction, and a deadlock has ended it.
        return None if self._said() else False

    def cursor(self) -> Any:
        return self.raw.cursor(self.driver.cursors.Cursor)

    def inside(self, begun: bool) -> Optional[bool]:
        by_itself = not self.raw.get_autocommit()
        if by_itself and not begun:
            return True
        if by_itself or self._said():
            # The server says it with each answer but an error, and of a read's the driver does not keep it.
            self.raw.ping(reconnect=False)
        return self._said()

    def held(self) -> Optional[bool]:
        # Known of one in which something was written: a deadlock takes all of that.
        return self._said()

    def holds(self, error: BaseException) -> bool:
        self.raw.ping(reconnect=False)
        return self._said()

    def _said(self) -> bool:
        """Whether there was a transaction when the server last said so."""
        return bool(self.raw.server_status & self.driver.constants.SERVER_STATUS.SERVER_STATUS_IN_TRANS)

    def begin(self) -> None:
        self.raw.begin()


class Mysqlclient(_Mysql):
    module = "MySQLdb"

    def known(self, begun: bool) -> Optional[bool]:
        return None if begun or self.raw.get_autocommit() else True

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

    def is_free_to_ask(self) -> bool:
        if self.raw.get_autocommit() or "MariaDB" in self.raw.get_server_info():
            return super().is_free_to_ask()
        # MySQL tells by an error alone whether there is one.
        try:
            self.do("SET TRANSACTION READ ONLY")
            return True
        except Exception as error:
            if self.number(error) == _HAS_BEGUN:
                return False
            raise

    def held(self) -> Optional[bool]:
        return None

    def holds(self, error: BaseException) -> bool:
        # Which errors may have ended one is all that is known: a deadlock, too many locks, a lost connection, and by the server's
        # settings a row that changed under a snapshot and a lock that took too long.
        met = [one for one in causes(error) if isinstance(one, self.driver.Error)]
        if not any(self.number(one) in (1020, 1205, 1206, 1213) or self.is_lost(one) for one in met):
            return True
        if "MariaDB" in self.raw.get_server_info():
            return int(self.run("SELECT @@in_transaction")[0][0]) != 0
        return not any(self.number(one) in (1206, 1213) or self.is_lost(one) for one in met)

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


def _literal(value: Union[bytes, str, int, None]) -> str:
    """A value as MySQL reads it in a statement, in any character set."""
    if isinstance(value, str):
        value = value.encode()
    return f"x'{value.hex()}'" if isinstance(value, bytes) else "NULL" if value is None else str(int(value))
