"""What fails in a call that carries the world's own outcome, and whether the host's transaction goes with it: where it goes on, the
outcome stands; where it is gone, so are the world's rows, and the call raises."""

import contextlib
import threading
from unittest import mock

from cases import fresh
from hosts import H1, LAW, MERT, hos
from shadow_cases import Watched

ZERO = ZeroDivisionError("mine")


def failing():
    raise ZERO


class Lost(Watched):
    def lamp(self, **words):
        return self.mert.begin("lamp", fresh("l"), "make", legacy=True, **words)

    @contextlib.contextmanager
    def stands(self):
        """A transaction whose rows are kept."""
        id = fresh("o")
        self.begin()
        self.insert(id)
        yield
        self.commit()
        self.assertEqual(self.kept(id)[0], 1)

    def test_a_function_for_arguments_that_fails(self):
        for words in ({"args": failing}, {"facts": failing}):
            with self.stands():
                said = self.lamp(**words)
            self.stood(said, "hos.call_malformed")
            self.assertEqual(said.blockers[0].detail, "the closure for arguments failed: ZeroDivisionError: mine")
        own = hos.AbsentError("hos.instance_unknown", "mine")

        def raising(error):
            raise error

        with self.stands():
            self.stood(self.lamp(args=lambda: raising(own)), "hos.instance_unknown")
            self.assertLess(len(self.lamp(args=lambda: raising(ValueError("x" * 5_000_000))).blockers[0].detail), 1100)
            self.stood(self.lamp(args=lambda: {"\ud800": 1}), "hos.call_malformed")
        for stop in (KeyboardInterrupt(), SystemExit(3)):
            self.begin()
            with self.assertRaises(type(stop)) as met:
                self.lamp(args=lambda stop=stop: raising(stop))
            self.assertIs(met.exception, stop)
            self.rollback()
        # Without the world's outcome, and where the law is enforced, it goes through as it is.
        for words in ({}, {"legacy": True}):
            self.begin()
            with self.assertRaises(ZeroDivisionError) as met:
                self.mert.begin("ticket", fresh("o"), "order", facts=failing, **words)
            self.assertIs(met.exception, ZERO)
            self.rollback()

    def test_the_first_call_of_a_process_that_is_faulty(self):
        for words, code in (({"args": {"x": 0.5}}, "hos.value_invalid"), ({"args": failing}, "hos.call_malformed")):
            # What one has read of a law, another has not.
            cold = self.open(self.connection).tenant("t1").as_(MERT)
            with self.stands():
                self.stood(cold.begin("lamp", fresh("l"), "make", legacy=True, **words), code)
            cold = self.open(self.connection).tenant("t1").as_(MERT)
            self.begin()
            with self.assertRaises((hos.CallError, ZeroDivisionError)):
                cold.begin("ticket", fresh("o"), "order", legacy=True, **words)
            self.rollback()

    def test_a_statement_of_the_functions_own_that_fails(self):
        def passed_over():
            with contextlib.suppress(self.host.driver.Error):
                self.host.do(self.connection, "SELECT nonsense FROM counts")
            return {}

        with self.stands():
            self.stood(self.lamp(args=lambda: self.host.do(self.connection, "SELECT nonsense FROM counts")), "hos.call_malformed")
            told = self.lamp(args=passed_over)
            self.assertEqual((told.allowed, told.mode), (True, "shadow"))

    def test_raw_calls(self):
        call = {"tenant": "t1", "principal": {"type": "S::Account", "id": "mert"}, "contract": "lamp", "event": "make"}
        for legacy in ({"allowed": True}, {"allowed": False}):
            for wrong in ({"\ud800": 1}, {"args": {"x": object()}}, {"args": {"x": 1.5}}, {"args": {"\ud800": 1}}):
                with self.stands():
                    told = self.engine.call("begin", {**call, "id": fresh("l"), "legacy": legacy, **wrong})
                self.assertEqual((told["allowed"], told["mode"]), (legacy["allowed"], "shadow"))
                self.assertIn(told["blockers"][0]["code"], ("hos.call_malformed", "hos.value_invalid"))
            waiting = self.waiting()
            with self.stands():
                self.assertIs(self.engine.call("begin", {**call, "id": fresh("l"), "legacy": legacy})["allowed"], legacy["allowed"])
            self.assertEqual(self.waiting(), waiting + 1)
        self.begin()
        with self.assertRaises(hos.CallError):
            self.engine.call("begin", {**call, "contract": "ticket", "event": "order", "id": fresh("o"), "legacy": legacy, "\ud800": 1})
        self.rollback()

    # A deadlock that the connection loses: MySQL ends its whole transaction.

    @contextlib.contextmanager
    def crossed(self):
        """Another's transaction, which will have the row `a` and has `b`; its work is the heavier. Gives what asks for `b`."""
        other = self.connect()
        self.begin(other)
        for place in range(200):
            self.host.do(other, "INSERT INTO pays VALUES ('x', %s)", fresh(f"heavy-{place}"))
        self.host.do(other, "UPDATE counts SET n = n + 0 WHERE id = 'b'")
        waits = threading.Thread(target=self.host.do, args=(other, "UPDATE counts SET n = n + 0 WHERE id = 'a'"))

        def crosses():
            self.host.do(self.connection, "UPDATE counts SET n = n + 0 WHERE id = 'a'")
            waits.start()
            self.host.do(self.connection, "UPDATE counts SET n = n + 0 WHERE id = 'b'")

        try:
            yield waits, crosses
        finally:
            waits.join()
            self.rollback(other)

    def test_a_deadlock_in_the_function(self):
        if self.host.dialect != "mysql":
            return

        def hides(crosses):
            try:
                crosses()
            except self.host.driver.Error:
                raise KeyError("mine")

        for shadow in (False, True):
            for function in (lambda crosses: crosses(), hides):
                id = fresh("o")
                self.begin()
                self.insert(id)
                with self.crossed() as (_, crosses):
                    words = {"args": lambda function=function, crosses=crosses: function(crosses)}
                    error = self.retried(shadow, words)
                self.assertIn("1213", str(error))
                self.assertFalse(self.host.in_transaction(self.connection))
                self.rollback()
                self.assertEqual(self.kept(id)[0], 0)

    def retried(self, shadow, words):
        if not shadow:
            return self.refused(hos.RetryError, "hos.retry", self.lamp, **words)
        told = []
        call = self.mert.shadow_begin
        error = self.refused(hos.RetryError, "hos.retry", call, "lamp", fresh("l"), "make", legacy=lambda: 5, seen=told.append, **words)
        self.assertEqual(told, [error])
        return error

    def test_a_deadlock_in_a_statement_of_ours(self):
        if self.host.dialect != "mysql":
            return
        self.planted("FOR EACH ROW UPDATE counts SET n = n + 0 WHERE id = 'b'")
        for shadow in (False, True):
            id = fresh("o")
            self.begin()
            self.insert(id)
            with self.crossed() as (waits, _):
                self.host.do(self.connection, "UPDATE counts SET n = n + 0 WHERE id = 'a'")
                waits.start()
                self.retried(shadow, {})
            self.assertFalse(self.host.in_transaction(self.connection))
            self.rollback()
            self.assertEqual(self.kept(id)[0], 0)

    def planted(self, body):
        other = self.connect()
        self.begin(other)
        self.host.do(other, f"CREATE TRIGGER hos_fails BEFORE INSERT ON hos_inbox {body}")
        self.commit(other)

        def away():
            self.begin(other)
            self.host.do(other, "DROP TRIGGER hos_fails")
            self.commit(other)

        self.addCleanup(away)

    def test_a_lock_that_takes_too_long_leaves_the_transaction(self):
        if self.host.dialect != "mysql":
            return
        other = self.connect()
        self.host.do(self.connection, "SET SESSION innodb_lock_wait_timeout = 1")
        self.commit()
        self.begin(other)
        self.host.do(other, "UPDATE counts SET n = n + 0 WHERE id = 'b'")
        with self.stands():
            args = lambda: self.host.do(self.connection, "UPDATE counts SET n = n + 0 WHERE id = 'b'")  # noqa: E731
            said = self.lamp(args=args)
        self.stood(said, "hos.call_malformed")
        self.rollback(other)

    def test_a_row_that_the_database_refuses(self):
        """The server's errors go on from 3000. Of MySQL's transaction one of the drivers knows no more than by their numbers."""
        if self.host.dialect != "mysql":
            return
        self.host.do(self.observer, "CREATE TABLE IF NOT EXISTS checked (n INTEGER CHECK (n > 0))")
        args = lambda: self.host.do(self.connection, "INSERT INTO checked VALUES (-1)")  # noqa: E731
        for version in (None, "8.0.36"):
            own = type(self.connection).get_server_info
            told = own if version is None else lambda connection, version=version: version
            with mock.patch.object(type(self.connection), "get_server_info", told):
                with self.stands():
                    self.stood(self.lamp(args=args), "hos.call_malformed")
                with self.stands():
                    self.assertEqual(self.mert.shadow_begin("lamp", fresh("l"), "make", legacy=lambda: 5, args=args), 5)

    def test_which_errors_end_a_connection(self):
        if self.host.dialect != "mysql":
            return
        kind, driver = self.engine._kind(), self.host.driver
        for number, lost in (
            (1053, True), (1062, False), (1213, False), (1927, True), (2006, True), (2013, True), (2999, True), (3024, False),
            (3101, False), (3140, False), (3169, True), (3819, False), (4025, False), (4031, True), (5012, True), (0, True),
        ):  # fmt: skip
            self.assertIs(kind.is_lost(driver.OperationalError(number, "planted")), lost, number)
        self.assertIs(kind.is_lost(driver.InternalError("Packet sequence number wrong")), True)
        self.assertIs(kind.is_lost(driver.ProgrammingError("not enough arguments for format string")), False)

    def test_a_row_that_changed_under_a_snapshot(self):
        """MariaDB ends the whole transaction with it, and says so in no word of the error's."""
        if self.host.dialect != "mysql":
            return
        other, id = self.connect(), fresh("o")
        self.host.do(self.connection, "SET SESSION innodb_snapshot_isolation = ON")
        self.commit()
        self.begin()
        self.host.rows(self.connection, "SELECT n FROM counts")
        self.insert(id)
        self.begin(other)
        self.host.do(other, "UPDATE counts SET n = n + 1 WHERE id = 'b'")
        self.commit(other)
        args = lambda: self.host.do(self.connection, "UPDATE counts SET n = n + 0 WHERE id = 'b'")  # noqa: E731
        self.assertIn("1020", str(self.refused(hos.RetryError, "hos.retry", self.lamp, args=args)))
        self.rollback()
        self.assertEqual(self.kept(id)[0], 0)

    def test_a_full_disk(self):
        """SQLite ends the whole transaction with it, and it is no retry."""
        if self.host.dialect != "sqlite":
            return
        for shadow in (False, True):
            id = fresh("o")
            self.begin()
            self.insert(id)
            ((pages,),) = self.host.rows(self.connection, "PRAGMA page_count")
            self.host.do(self.connection, f"PRAGMA max_page_count = {pages + 2}")
            words = {"context": {"x": "x" * 300_000}}
            if shadow:
                call = lambda: self.mert.shadow_begin("lamp", fresh("l"), "make", legacy=lambda: 5, **words)  # noqa: E731
            else:
                call = lambda: self.lamp(**words)  # noqa: E731
            self.refused(hos.StoreError, "hos.store_unavailable", call)
            self.assertFalse(self.host.in_transaction(self.connection))
            self.host.do(self.connection, "PRAGMA max_page_count = 1073741823")
            self.assertEqual(self.kept(id)[0], 0)

    def test_a_transaction_that_our_statement_ends(self):
        if self.host.dialect != "sqlite":
            return
        self.planted("BEGIN SELECT RAISE(ROLLBACK, 'planted'); END")
        id = fresh("o")
        self.begin()
        self.insert(id)
        self.refused(hos.StoreError, "hos.store_unavailable", self.lamp)
        self.assertFalse(self.host.in_transaction(self.connection))
        self.assertEqual(self.kept(id)[0], 0)

    def test_a_function_that_ends_the_transaction(self):
        if self.host.dialect != "postgres":
            return
        for ends in (self.rollback, self.commit, lambda: (self.rollback(), self.begin(), self.insert(fresh("o")))):
            self.begin()
            self.insert(fresh("o"))
            self.refused(hos.CallError, "hos.no_transaction", self.lamp, args=lambda ends=ends: ends() or {})
            self.rollback()
        # What it raises behind that is its own.
        self.begin()
        self.insert(fresh("o"))
        with self.assertRaises(ZeroDivisionError):
            self.lamp(args=lambda: self.rollback() or failing())
        self.assertFalse(self.host.in_transaction(self.connection), "no other one has begun")

    def test_a_connection_that_is_lost_in_a_function(self):
        if self.host.dialect != "postgres":
            return
        self.begin()
        self.insert(fresh("o"))
        other = self.connect()
        id = self.host.id(self.connection)
        error = self.refused(hos.StoreError, "hos.store_unavailable", self.lamp, args=lambda: self.host.kill(other, id) or {})
        self.assertIsInstance(error.__cause__, self.host.driver.Error)

    def test_outside_a_transaction_nothing_is_lost(self):
        said = self.lamp(args=failing)
        self.stood(said, "hos.call_malformed")
        self.stood(self.lamp(), "hos.no_transaction")
        self.assertFalse(self.host.in_transaction(self.connection))


class Asked(Watched):
    """With a store of its own, in which the whole law only watches."""

    @classmethod
    def setUpClass(cls):
        cls.host.found()
        cls.addClassCleanup(cls.host.drop)
        cls.host.hos("law", "activate", str(LAW), "--mode", "shadow", "--tenant", "t1", "--as", "Account::ayse")
        connection = cls.host.connect()
        cls.opened = hos.Engine.open(LAW, store=connection)
        connection.close()
        cls.watch()

    def test_a_question_of_whatever(self):
        self.begin()
        self.assertIs(self.mert.can("hall.enter", H1, legacy=False).allowed, False)
        for word in (True, False):
            for action in (7, None, b"hall.enter", ["hall.enter"], "\ud800", "hall.enter\ud800", "x" * 3_000_000, "\0" * 300_000):
                said = self.mert.can(action, H1, legacy=word)
                self.assertEqual((said.allowed, said.mode), (word, "shadow"))
                self.assertIn(said.code, ("hos.call_malformed", "hos.call_too_large"))
        self.commit()
        for action in (7, "\ud800"):
            self.refused(hos.CallError, "hos.call_malformed", self.mert.can, action, H1)

    def test_what_is_large_as_it_is_written(self):
        """Control characters are six times as long, and all is quoted once more where it is told with what went wrong."""
        self.begin()
        for large in ("\0" * 1_000_000, "\0" * 2_000_000, '"' * 1_040_000, "\\" * 2_000_000):
            actor = self.engine.tenant("t1").as_(hos.Uid("S::Account", large))
            words = {**{name: {"t": large} for name in ("args", "facts", "context")}, **{name: large for name in ("once", "request", "given")}}
            self.stood(actor.begin("lamp", large, "make", legacy={"allowed": True, "state": large}, **words), "hos.call_too_large")
        self.stood(self.mert.begin("lamp", fresh("l"), "make", legacy={"\ud800": 1, "allowed": True}), "hos.call_malformed")
        self.commit()


__all__ = ["Asked", "Lost"]
