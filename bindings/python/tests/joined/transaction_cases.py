"""`transaction`, which begins, commits, and does it again where the database asks for it."""

import contextlib
import threading
import warnings
from unittest import mock

from cases import Joined, fresh
from hosts import H1, MERT, hos


class Transactions(Joined):
    def test_it_commits_what_was_allowed(self):
        id = fresh("o")

        def work():
            self.insert(id)
            return self.birth(id, once=id)

        self.assertIs(self.engine.transaction(work).allowed, True)
        self.assertFalse(self.host.in_transaction(self.connection))
        self.assertEqual(self.kept(id), (1, 1, 1))

    def test_it_rolls_back_what_was_refused_or_raised(self):
        id = fresh("o")

        def refused():
            self.insert(id)
            return self.pay(id)

        no = self.engine.transaction(refused)
        self.assertEqual(no.code, "hos.instance_unknown")
        self.assertEqual(self.kept(id), (0, 0, 0))
        evidence = "SELECT (SELECT count(*) FROM hos_record) + (SELECT count(*) FROM hos_inbox)"
        before = self.count(evidence)
        self.assertIsNotNone(self.engine.transaction(lambda: self.engine.refused(no)).receipt)
        self.assertEqual(self.count(evidence), before + 1, "evidence of a refusal says no, and is kept")

        def raised():
            self.insert(id)
            self.birth(id)
            raise ZeroDivisionError

        def half():
            self.insert(id)
            return self.mert.all([*self.births(id), hos.Call.transition("ticket", fresh("none"), "pay", args={"amount": 5})])

        self.assertEqual([one.code for one in self.engine.transaction(half)], [None, "hos.instance_unknown"])
        self.assertEqual(self.kept(id), (0, 0, 0))

        def asked():
            self.insert(other)
            return self.mert.can_all([hos.Question("hall.leave", H1)])

        other = fresh("o")
        self.assertEqual([one.allowed for one in self.engine.transaction(asked)], [False])
        self.assertEqual(self.kept(other)[0], 1, "questions decide nothing of the transaction")
        with self.assertRaises(ZeroDivisionError):
            self.engine.transaction(raised)
        self.assertFalse(self.host.in_transaction(self.connection))
        self.assertEqual(self.kept(id), (0, 0, 0))
        self.assertEqual(self.engine.transaction(lambda: 5), 5)

    def test_a_no_in_the_words_of_the_wire_is_one(self):
        id, calls = fresh("o"), {"tenant": "t1", "principal": {"type": "S::Account", "id": "mert"}}

        def asked(operation, **words):
            def work():
                self.insert(id)
                return self.engine.call(operation, {**calls, **words})

            return self.engine.transaction(work)

        move = {"contract": "ticket", "id": fresh("none"), "event": "pay", "args": {"amount": 5}}
        self.assertEqual(asked("transition", **move)["code"], "hos.instance_unknown")
        self.assertEqual(self.kept(id)[0], 0)
        facts = {"owner": {"__entity": calls["principal"]}, "price": 5}
        birth = {"operation": "begin", "contract": "ticket", "id": fresh("o"), "event": "order", "facts": facts}
        no = asked("all", calls=[birth, {"operation": "transition", **move}])
        self.assertEqual(([one["allowed"] for one in no["earlier"]], no["allowed"]), ([True], False))
        self.assertEqual(self.kept(id)[0], 0)
        hall = {"type": "S::Hall", "id": "h1"}
        several = asked("can_all", evaluations=[{"action": "hall.leave", "resource": hall}])
        self.assertEqual([one["allowed"] for one in several["evaluations"]], [False])
        self.assertEqual(self.kept(id)[0], 0, "in these words it is a yes to all, or a no")
        self.assertIs(asked("can", action="hall.enter", resource=hall)["allowed"], True)
        self.assertEqual(self.kept(id)[0], 1)

    def test_half_of_a_step_is_never_written(self):
        id = fresh("o")
        self.begin()
        self.insert(id)
        self.birth(id)
        self.commit()
        fails = {
            "sqlite": ["CREATE TRIGGER hos_fails BEFORE INSERT ON hos_queue BEGIN SELECT RAISE(FAIL, 'planted'); END"],
            "mysql": ["CREATE TRIGGER hos_fails BEFORE INSERT ON hos_queue FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'planted'"],
            "postgres": [
                "CREATE OR REPLACE FUNCTION hos_fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'planted'; END $$",
                "CREATE TRIGGER hos_fails BEFORE INSERT ON hos_queue FOR EACH ROW EXECUTE FUNCTION hos_fails()",
            ],
        }[self.host.dialect]
        self.defined(*fails)
        try:
            records = self.count("SELECT count(*) FROM hos_record")
            self.begin()
            with self.assertRaisesRegex(hos.StoreError, "planted"):
                self.pay(id)
            # The host goes on as if nothing had been.
            self.commit()
            self.assertEqual(self.count("SELECT count(*) FROM hos_record"), records)
        finally:
            self.defined("DROP TRIGGER hos_fails" + (" ON hos_queue" if self.host.dialect == "postgres" else ""))
        self.begin()
        self.assertIs(self.pay(id).allowed, True)
        self.commit()

    def defined(self, *statements):
        other = self.host.connect()
        self.begin(other)
        for sql in statements:
            self.host.do(other, sql)
        self.commit(other)
        other.close()

    def test_work_that_is_to_be_awaited_is_none(self):
        """It would run behind the commit."""

        class Awaitable:
            def __await__(self):
                yield

        async def birth():
            return self.birth(id)

        for given in (birth, Awaitable):
            id, ran = fresh("o"), []

            def work(id=id, ran=ran, given=given):
                ran.append(1)
                self.insert(id)
                return given()

            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                error = self.refused(hos.CallError, "hos.call_malformed", self.engine.transaction, work)
            self.assertIn("awaitable", error.message)
            self.assertEqual((ran, [str(one.message) for one in warned]), ([1], []))
            self.assertFalse(self.host.in_transaction(self.connection))
            self.assertEqual(self.kept(id), (0, 0, 0))

    def test_what_interrupts_a_call_goes_through(self):
        """A cursor with a result that nobody has read may say on closing that it cannot."""
        kind, id = self.engine._kind(), fresh("o")
        shut = self.host.driver.ProgrammingError(2014, "Commands out of sync; you can't run this command now")
        for interrupt in (KeyboardInterrupt, SystemExit):
            cursor = mock.Mock(**{"execute.side_effect": interrupt, "close.side_effect": shut})
            self.begin()
            self.insert(fresh("o"))
            with mock.patch.object(type(kind), "cursor", return_value=cursor):
                for call in (lambda: self.birth(id), lambda: kind.run("SELECT 1"), lambda: kind.together("SELECT 1")):
                    self.assertRaises(interrupt, call)
            self.rollback()
        cursor = mock.Mock(**{"close.side_effect": shut})
        with mock.patch.object(type(kind), "cursor", return_value=cursor):
            self.assertRaises(self.host.driver.ProgrammingError, kind.do, "SELECT 1")

    def test_it_does_not_begin_twice(self):
        def inner():
            return self.engine.transaction(lambda: 5)

        self.begin()
        self.insert(fresh("o"))
        self.refused(hos.CallError, "hos.call_malformed", inner)
        self.rollback()

    def test_an_error_of_the_works_own_that_it_has_caught(self):
        """PostgreSQL's transaction has failed by then, and takes a COMMIT without a word."""
        id = fresh("o")

        def work():
            self.insert(id)
            answer = self.birth(id)
            with self.assertRaises(self.host.driver.Error):
                self.insert(id)
            return answer

        if self.host.dialect == "postgres":
            self.refused(hos.StoreError, "hos.store_unavailable", self.engine.transaction, work)
            self.assertEqual(self.kept(id), (0, 0, 0))
            self.assertFalse(self.host.in_transaction(self.connection))
            again = fresh("o")
            self.assertIs(self.engine.transaction(lambda: self.birth(again)).allowed, True)
        else:
            self.assertIs(self.engine.transaction(work).allowed, True)
            self.assertEqual(self.kept(id)[:2], (1, 1))

    def test_a_transaction_that_the_work_has_ended(self):
        def rolled_back():
            answer = self.birth(id)
            self.rollback()
            return answer

        def committed():
            answer = self.birth(id)
            self.commit()
            return answer

        def begun_again():
            self.birth(id)
            self.rollback()
            self.begin()
            self.insert(id)
            return self.birth(id)

        for work, kept in ((rolled_back, 0), (committed, 1), (begun_again, 0)):
            id = fresh("o")
            self.refused(hos.CallError, "hos.no_transaction", self.engine.transaction, work)
            self.assertFalse(self.host.in_transaction(self.connection))
            self.assertEqual(self.kept(id)[:2], (0, kept), work.__name__)

    @contextlib.contextmanager
    def a_deadlock(self):
        """One that the connection has lost, and its work has caught: the server has rolled the transaction back."""
        other = self.connect()
        self.begin(other)
        for place in range(200):
            self.host.do(other, "INSERT INTO pays VALUES ('x', %s)", fresh(f"heavy-{place}"))
        self.host.do(other, "UPDATE counts SET n = n + 0 WHERE id = 'b'")
        self.host.do(self.connection, "UPDATE counts SET n = n + 0 WHERE id = 'a'")
        waits = threading.Thread(target=self.host.do, args=(other, "UPDATE counts SET n = n + 0 WHERE id = 'a'"))
        waits.start()
        try:
            with self.assertRaises(self.host.driver.Error) as met:
                self.host.do(self.connection, "UPDATE counts SET n = n + 0 WHERE id = 'b'")
            self.assertEqual(met.exception.args[0], 1213)
        finally:
            waits.join()
        yield
        self.rollback(other)

    def test_a_deadlock_that_the_work_has_caught(self):
        if self.host.dialect != "mysql":
            return
        id, own = fresh("o"), fresh("o")

        def work():
            self.insert(id)
            answer = self.birth(id)
            with self.a_deadlock():
                if goes_on:
                    # In another transaction by now, or in none.
                    self.insert(fresh("late"))
            return answer

        for goes_on in (False, True):
            self.refused(hos.CallError, "hos.no_transaction", self.engine.transaction, work)
            self.assertFalse(self.host.in_transaction(self.connection))
            self.assertEqual(self.kept(id), (0, 0, 0))
        self.claims_behind_a_deadlock(own)
        if self.host.explicit:
            # A call behind it would commit by itself.
            self.begin()
            with self.a_deadlock():
                self.refused(hos.CallError, "hos.no_transaction", self.birth, own)
            self.assertEqual(self.kept(own), (0, 0, 0))
            self.assertIs(self.engine.transaction(lambda: self.birth(own)).allowed, True)

    def claims_behind_a_deadlock(self, id):
        """They went with the transaction. What would leave them is not run, for it would commit by itself, or begin another one."""
        kind, asked = type(self.engine._kind()), []
        own = kind.asked

        def facts():
            with self.a_deadlock():
                asked.clear()
            raise KeyError(id)

        self.begin()
        with mock.patch.object(kind, "asked", lambda each, said: asked.append(said) or own(each, said)):
            with self.assertRaises(KeyError):
                self.mert.begin("ticket", id, "order", facts=facts, once=id)
        self.assertEqual(asked, [])
        self.assertFalse(self.host.in_transaction(self.connection))
        self.rollback()

    def test_it_tries_again_and_not_for_ever(self):
        for tries in (1, 3):
            ran = []

            def busy(ran=ran):
                ran.append(1)
                raise hos.RetryError("hos.retry", "planted")

            self.refused(hos.RetryError, "hos.retry", self.engine.transaction, busy, tries=tries)
            self.assertEqual(len(ran), tries)
        slept = []
        with mock.patch("random.uniform", lambda least, most: most), mock.patch("time.sleep", slept.append):
            self.refused(hos.RetryError, "hos.retry", self.engine.transaction, busy, tries=20)
        self.assertEqual((slept[:2], slept[-1]), ([0.02, 0.04], 0.5), "a pause is never long")

    def test_what_is_no_way_to_try_is_refused_before_it_begins(self):
        begun, ran = [], []

        def busy():
            ran.append(1)
            raise hos.RetryError("hos.retry", "planted")

        with mock.patch.object(type(self.engine._kind()), "begin", lambda each: begun.append(each)):
            for tries in (0, -3, "5", True, 2.0, None):
                for work in (busy, lambda: ran.append(1)):
                    self.refused(hos.CallError, "hos.call_malformed", self.engine.transaction, work, tries=tries)
            for work in (None, 5, busy.__name__):
                self.refused(hos.CallError, "hos.call_malformed", self.engine.transaction, work)
        self.assertEqual((begun, ran), ([], []))

    def test_a_real_deadlock_is_tried_again(self):
        if self.host.dialect == "sqlite":
            return self.locked()
        if "serializable" in self.host.name or self.host.module == "psycopg2":
            # It takes a second each time, and is the same server's.
            return
        ran, gate, done = [], threading.Barrier(2), []

        def work(connection, first, second, id, meets):
            ran.append(id)
            self.host.do(connection, "UPDATE counts SET n = n + 0 WHERE id = %s", first)
            if meets and ran.count(id) == 1:
                gate.wait()
            self.host.do(connection, "UPDATE counts SET n = n + 0 WHERE id = %s", second)
            return self.birth(id, self.engine.on(connection).tenant("t1").as_(MERT))

        def run(first, second):
            connection, id = self.host.connect(), fresh("o")
            answer = self.engine.on(connection).transaction(lambda: work(connection, first, second, id, True))
            done.append(answer.allowed)
            connection.close()

        threads = [threading.Thread(target=run, args=pair) for pair in (("a", "b"), ("b", "a"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(done, [True, True])
        self.assertGreater(len(ran), 2, "one of both was tried again")

    def locked(self):
        """SQLite locks the whole file, and its own wait is bounded."""
        other = self.connect()
        self.host.do(other, "BEGIN IMMEDIATE")
        self.connection.execute("PRAGMA busy_timeout = 1")
        self.host.do(self.connection, "BEGIN")
        self.refused(hos.RetryError, "hos.retry", self.birth, fresh("o"))
        self.connection.rollback()
        threading.Timer(0.05, self.host.rollback, [other]).start()
        self.assertIs(self.engine.transaction(lambda: self.birth(fresh("o")), tries=9).allowed, True)

    def test_the_drivers_error_is_the_cause_also_beside_the_worlds_outcome(self):
        if self.host.dialect != "sqlite":
            return
        other = self.connect()
        self.host.do(other, "BEGIN IMMEDIATE")
        self.connection.execute("PRAGMA busy_timeout = 1")
        for words in ({}, {"legacy": True}):
            self.host.do(self.connection, "BEGIN")
            error = self.refused(hos.RetryError, "hos.retry", self.birth, fresh("o"), **words)
            self.assertIsInstance(error.__cause__, self.host.driver.Error)
            self.connection.rollback()
        self.host.rollback(other)

    def test_a_claim_that_takes_too_long_is_a_retry(self):
        if self.host.dialect == "sqlite":
            return
        id, other = fresh("o"), self.connect()
        self.born(id)
        self.begin()
        self.assertIs(self.pay(id).allowed, True)
        short = "SET lock_timeout = 200" if self.host.dialect == "postgres" else "SET SESSION innodb_lock_wait_timeout = 1"
        self.host.do(other, short)
        self.begin(other)
        mert = self.engine.on(other).tenant("t1").as_(MERT)
        error = self.refused(hos.RetryError, "hos.retry", mert.transition, "ticket", id, "use")
        self.assertIsInstance(error.__cause__, self.host.driver.Error)
        self.rollback(other)
        self.commit()

    def test_a_row_that_changed_under_a_snapshot_is_tried_again(self):
        if not any("REPEATABLE" in one or "SERIALIZABLE" in one or "snapshot" in one for one in self.host.settings):
            return
        id, other, ran = fresh("o"), self.connect(), []
        self.born(id)
        on_other = self.engine.on(other).tenant("t1").as_(MERT)

        def work():
            ran.append(1)
            self.host.rows(self.connection, "SELECT n FROM counts")
            if len(ran) == 1:
                self.begin(other)
                self.assertIs(self.pay(id, on_other).allowed, True)
                self.commit(other)
            return self.mert.transition("ticket", id, "cancel")

        self.assertEqual(self.engine.transaction(work).from_, "paid")
        self.assertEqual(len(ran), 2)

    def test_a_connection_that_is_lost_at_the_commit_is_an_unknown_outcome(self):
        if self.host.dialect == "sqlite":
            return
        kind = type(self.engine._kind())
        commit = kind.commit

        def dies(own):
            self.kill()
            commit(own)

        with mock.patch.object(kind, "commit", dies):
            self.refused(hos.OutcomeUnknownError, "hos.outcome_unknown", self.engine.transaction, lambda: self.birth(fresh("o")))

    def test_a_commit_that_the_server_has_refused_is_no_unknown_outcome(self):
        if self.host.dialect != "mysql":
            return
        kind, id = type(self.engine._kind()), fresh("o")
        said = "Plugin instructed the server to rollback the current transaction."
        own = self.host.driver.OperationalError(3101, said)
        with mock.patch.object(kind, "commit", side_effect=own):
            error = self.refused(hos.StoreError, "hos.store_unavailable", self.engine.transaction, lambda: self.birth(id))
        self.assertIs(error.__cause__, own)
        self.assertEqual(self.kept(id), (0, 0, 0))

    def test_a_connection_that_is_lost_before_the_commit_has_stored_nothing(self):
        if self.host.dialect == "sqlite":
            return

        def work():
            answer = self.birth(fresh("o"))
            self.kill()
            return answer

        self.refused(hos.StoreError, "hos.store_unavailable", self.engine.transaction, work)

    def test_a_connection_that_is_lost_before_the_beginning(self):
        if self.host.dialect == "sqlite":
            return
        ran, id = [], self.host.id(self.connection)
        # It was asked in a transaction, of a driver that begins them by itself.
        self.connection.rollback()
        self.host.kill(self.connect(), id)
        # Who connects anew on an error of the store's has to be told one, at each try.
        for _ in range(3):
            error = self.refused(hos.StoreError, "hos.store_unavailable", self.engine.transaction, lambda: ran.append(1))
            self.assertIsInstance(error.__cause__, self.host.driver.Error)
        self.assertEqual(ran, [])

    def test_a_no_stands_though_the_connection_is_lost(self):
        if self.host.dialect == "sqlite":
            return
        id = fresh("o")

        def work():
            self.insert(id)
            answer = self.pay(fresh("none"))
            self.kill()
            return answer

        self.assertEqual(self.engine.transaction(work).code, "hos.instance_unknown")
        self.assertEqual(self.kept(id)[0], 0)

    def test_a_beginning_that_fails(self):
        kind, own = type(self.engine._kind()), self.host.driver.OperationalError("planted")
        for what in ("begin", "mark"):
            with mock.patch.object(kind, what, side_effect=own):
                error = self.refused(hos.StoreError, "hos.store_unavailable", self.engine.transaction, lambda: 5)
            self.assertIs(error.__cause__, own)
            self.assertEqual(self.engine.transaction(lambda: 5), 5)

    def test_a_question_leaves_no_transaction(self):
        hall = hos.Uid("S::Hall", fresh("h"))

        def change(*words):
            self.host.hos("directory", *words, "--tenant", "t1", "--as", "Account::ayse")

        change("put", f"Hall::{hall.id}", "--attr", "open=false")
        # So that each question looks at the store.
        engine = self.open(self.connection, directory_age_max_ms=0)
        mert = engine.tenant("t1").as_(MERT)
        asks = {
            "can": lambda: mert.can("hall.enter", hall).allowed,
            "can_all": lambda: mert.can_all([hos.Question("hall.enter", hall)])[0].allowed,
            "beside the world": lambda: mert.can("hall.enter", hall, legacy=True).code is None,
        }
        for how, may in asks.items():
            with self.subTest(how):
                change("join", "Account::mert", f"Hall::{hall.id}")
                self.assertIs(may(), True)
                self.assertFalse(self.host.in_transaction(self.connection))
                self.rollback_of_the_look()
                change("leave", "Account::mert", f"Hall::{hall.id}")
                self.assertIs(may(), False)
        self.rollback_of_the_look()
        self.assertEqual(engine.transaction(lambda: 5), 5)
        # One that the host has begun goes on.
        id = fresh("o")
        self.begin()
        self.insert(id)
        for may in asks.values():
            may()
        self.commit()
        self.assertEqual(self.kept(id)[0], 1)

    def rollback_of_the_look(self):
        """That the database was asked whether there is a transaction may have begun one."""
        if not self.host.explicit and self.host.dialect == "mysql":
            self.rollback()

    def kill(self):
        other = self.connect()
        self.host.kill(other, self.host.id(self.connection))
