"""In shadow the world's own code decides, in its own transaction, and nothing of ours is felt there."""

import contextlib
import tempfile
import time
from pathlib import Path
from unittest import mock

import hosts
from cases import Joined, fresh
from hosts import H1, LAW, MERT, hos


class Odd(Exception):
    """An error of somebody else's, with a code that is none of ours, and words that may be none."""

    def __init__(self, code=404, says="odd"):
        super().__init__()
        self.code, self.says = code, says

    def __repr__(self):
        if self.says is None:
            raise RuntimeError("no words")
        return self.says


class Raising:
    def __init__(self, raised):
        self.raised = raised

    def __hos_uid__(self):
        raise self.raised


class Thing:
    """A result of the world's."""


class Watched(Joined):
    # In the store of these tests the law of lamps only watches.
    def watched(self, id, actor=None, **words):
        """A transaction of the world's in which the law watches; gives what `seen` was told."""
        told, thing = [], Thing()
        self.begin()
        before = self.settings()

        def legacy():
            self.insert(id)
            return thing

        given = (actor or self.mert).shadow_begin("lamp", id, "make", legacy=legacy, seen=told.append, **words)
        self.assertIs(given, thing)
        if not isinstance(told[0], Exception) or "closed" not in str(told[0]):
            self.assertEqual(self.settings(), before)
        self.host.do(self.connection, "UPDATE orders SET status = 'lit' WHERE id = %s", id)
        self.commit()
        self.assertEqual(self.count("SELECT status FROM orders WHERE id = %s", id), "lit", "the world's transaction went through")
        return told[0]

    def settings(self):
        asked = {
            "postgres": "SELECT current_setting('lock_timeout')",
            "mysql": "SELECT @@SESSION.lock_wait_timeout, @@SESSION.innodb_lock_wait_timeout",
            "sqlite": "PRAGMA busy_timeout",
        }
        return self.host.rows(self.connection, asked[self.host.dialect])

    def waiting(self):
        return self.count("SELECT count(*) FROM hos_inbox WHERE tenant = 't1' AND stream = ''")

    def lamps(self, id):
        return self.count("SELECT count(*) FROM hos_instance WHERE contract = 'lamp' AND id = %s", id.encode())


    def stood(self, said, code, allowed=True):
        """The world's own outcome stands, with what stood in the law's way."""
        self.assertIsInstance(said, hos.Answer, said)
        self.assertEqual((said.allowed, said.mode, said.code), (allowed, "shadow", code))


class Shadow(Watched):
    def test_the_call_waits_until_it_is_judged(self):
        id = fresh("l")
        waiting = self.waiting()
        said = self.watched(id)
        self.assertIsInstance(said, hos.Answer)
        self.assertEqual((said.allowed, said.mode), (True, "shadow"))
        self.assertEqual((self.waiting(), self.lamps(id)), (waiting + 1, 0))
        self.host.hos("work")
        self.assertEqual((self.waiting(), self.lamps(id)), (0, 1))

    def test_it_goes_with_the_hosts_transaction(self):
        id, waiting, told = fresh("l"), self.waiting(), []
        self.begin()
        self.insert(id)
        self.mert.shadow_begin("lamp", id, "make", legacy=lambda: 5, seen=told.append)
        self.assertIsInstance(told[0], hos.Answer)
        self.rollback()
        self.assertEqual(self.waiting(), waiting)

    def test_what_the_world_raises_goes_through(self):
        class Gone(Exception):
            pass

        gone, id, told = Gone(), fresh("l"), []

        def legacy():
            raise gone

        self.begin()
        self.insert(id)
        with self.assertRaises(Gone) as met:
            self.mert.shadow_begin("lamp", id, "make", legacy=legacy, seen=told.append)
        self.assertIs(met.exception, gone)
        self.assertEqual((told[0].allowed, told[0].mode), (False, "shadow"))
        self.commit()
        self.assertEqual(self.kept(id)[0], 1)

    def test_a_question(self):
        told = []
        for outcome in (True, False):
            self.begin()
            given = self.mert.shadow_can("hall.enter", H1, legacy=lambda outcome=outcome: outcome, seen=told.append)
            self.assertIs(given, outcome)
            self.commit()
        self.assertEqual([one.allowed for one in told], [True, True], "it is enforced")

    def test_where_the_law_is_enforced_it_takes_no_orders(self):
        id, told = fresh("o"), []
        self.begin()
        self.insert(id)
        self.mert.shadow_begin("ticket", id, "order", legacy=lambda: False, seen=told.append, facts={"owner": MERT, "price": 5}, once=id)
        self.assertEqual((told[0].allowed, told[0].mode), (True, "enforce"), told)
        self.commit()
        self.assertEqual(self.kept(id), (1, 1, 1))

    def test_a_call_that_carries_the_outcome(self):
        id = fresh("l")
        self.begin()
        self.insert(id)
        answer = self.mert.begin("lamp", id, "make", legacy=hos.Legacy(allowed=False))
        self.commit()
        self.assertEqual((answer.allowed, answer.mode), (False, "shadow"))
        self.begin()
        self.insert(fresh("o"))
        self.stood(self.mert.begin("lamp", id, "make", args={"x": 1.5}, legacy=False), "hos.value_invalid", False)
        self.commit()
        # What a caller's own object raises harms nobody, whatever it holds.
        for raised in (Odd(code=404), Odd(code=None), Odd(code=lambda: 5), Odd(says=None), Odd(says="x" * 40_000_000)):
            self.begin()
            self.insert(fresh("o"))
            answer = self.mert.begin("lamp", id, "make", args={"x": Raising(raised)}, legacy=True)
            self.commit()
            self.assertEqual((answer.allowed, answer.mode), (True, "shadow"))
        # Enforced, nothing stands in the law's place.
        self.begin()
        with self.assertRaises(hos.CallError):
            self.mert.begin("ticket", id, "order", facts={"x": 1.5}, legacy=True)
        self.rollback()

    def test_without_a_transaction_nothing_is_kept_and_none_is_begun(self):
        told = []
        self.assertEqual(self.mert.shadow_begin("lamp", fresh("l"), "make", legacy=lambda: 5, seen=told.append), 5)
        self.stood(told[0], "hos.no_transaction")
        self.assertFalse(self.host.in_transaction(self.connection))
        self.assertIs(self.mert.shadow_can("hall.enter", H1, legacy=lambda: True, seen=told.append), True)
        self.assertIsInstance(told[1], hos.Answer)
        self.assertFalse(self.host.in_transaction(self.connection))

    def test_words_that_are_wrong(self):
        wrong = [
            ({"args": {"x": 1.5}}, "hos.value_invalid"),
            ({"once": "\ud800"}, "hos.call_malformed"),
            ({"request": 7}, "hos.call_malformed"),
        ]
        for words, code in wrong:
            self.stood(self.watched(fresh("l"), **words), code)
        self.stood(self.watched(fresh("l"), args=lambda: 1 / 0), "hos.call_malformed")
        self.assertIsInstance(self.watched(fresh("l"), nonsense=1), TypeError)

    def test_panics(self):
        for at in ("step", "boundary"):
            if at == "step":
                self.engine._core._step("failpoint", True, b'{"panic":"step"}')
                self.stood(self.watched(fresh("l")), "hos.internal")
            else:
                with self.assertRaises(hos.InternalError):
                    self.engine._core._step("failpoint", True, b'{"panic":"boundary"}')
            self.assertIsInstance(self.watched(fresh("l")), hos.Answer, "it works on")
        # Enforced, a panic is no yes, and nothing is stored.
        id = fresh("o")
        self.begin()
        self.insert(id)
        self.engine._core._step("failpoint", True, b'{"panic":"step"}')
        with self.assertRaises(hos.InternalError):
            self.birth(id)
        self.rollback()
        self.assertEqual(self.kept(id), (0, 0, 0))

    def test_an_engine_that_is_closed(self):
        engine = self.open(self.connection)
        engine.close()
        self.assertIsInstance(self.watched(fresh("l"), engine.tenant("t1").as_(MERT)), hos.ClosedError)

    def test_a_law_that_is_not_the_active_one(self):
        with tempfile.TemporaryDirectory() as place:
            changed(place)
            engine = hos.Engine.open_for_shadow(place, store=self.connection)
            self.assertIsNone(engine.absent)
            said = self.watched(fresh("l"), engine.tenant("t1").as_(MERT))
            self.assertEqual((type(said), said.code), (hos.LawError, "hos.law_not_active"))

    def test_a_law_with_faults(self):
        with tempfile.TemporaryDirectory() as place:
            Path(place, "law.toml").write_text("name = ")
            engine = hos.Engine.open_for_shadow(place, store=self.connection)
            said = self.watched(fresh("l"), engine.tenant("t1").as_(MERT))
            self.assertIsInstance(said, hos.LawError)

    def test_a_store_that_cannot_be_told(self):
        engine = hos.Engine.open_for_shadow(LAW, store=object())
        self.assertIsInstance(engine.absent, TypeError)
        for one in (engine, engine.on(self.connection)):
            self.assertIsInstance(self.watched(fresh("l"), one.tenant("t1").as_(MERT)), TypeError)

    def test_a_transaction_that_failed_already(self):
        if self.host.dialect != "postgres":
            return
        told = []
        self.begin()
        with self.assertRaises(self.host.driver.Error):
            self.host.do(self.connection, "SELECT nonsense")
        self.assertEqual(self.mert.shadow_begin("lamp", fresh("l"), "make", legacy=lambda: 5, seen=told.append), 5)
        self.stood(told[0], "hos.store_unavailable")
        self.rollback()


class Harm(Watched):
    """With a store of its own, which is done harm to."""

    @classmethod
    def setUpClass(cls):
        cls.host.found()
        cls.addClassCleanup(cls.host.drop)
        connection = cls.host.connect()
        cls.opened = hos.Engine.open(LAW, store=connection)
        connection.close()
        cls.watch()

    @classmethod
    def tearDownClass(cls):
        """What was harmed was put right again."""
        super().tearDownClass()

    @contextlib.contextmanager
    def altered(self, there, back):
        connection = self.connect()
        for sql in there:
            self.host.do(connection, sql)
        self.host.commit(connection) if self.host.in_transaction(connection) else None
        try:
            yield
        finally:
            for sql in back:
                self.host.do(connection, sql)
            self.host.commit(connection) if self.host.in_transaction(connection) else None
            connection.close()

    def both(self, code, cold):
        """In shadow nobody feels it; enforced, the call has no answer and leaves nothing."""
        engine = self.open(self.connection) if cold else self.engine
        mert = engine.tenant("t1").as_(MERT)
        said = self.watched(fresh("l"), mert)
        if cold:
            # No law was read: nobody knows whether the world's outcome may stand.
            self.assertEqual((type(said), getattr(said, "code", None)), (hos.StoreError, code), said)
        else:
            self.stood(said, code)
        id = fresh("o")
        self.begin()
        self.insert(id)
        error = self.refused(hos.StoreError, code, self.birth, id, mert, once=id)
        self.assertEqual(error.status, "store")
        self.rollback()
        self.assertEqual(self.count("SELECT count(*) FROM orders WHERE id = %s", id), 0)

    def test_tables_that_are_missing(self):
        self.assertIsInstance(self.watched(fresh("l")), hos.Answer)
        self.begin()
        self.assertIs(self.birth(fresh("o")).allowed, True)
        self.commit()
        tables = ("hos_inbox", "hos_instance", "hos_store")
        for cold in (False, True):
            there = [f"ALTER TABLE {one} RENAME TO x_{one}" for one in tables]
            back = [f"ALTER TABLE x_{one} RENAME TO {one}" for one in tables]
            with self.altered(there, back):
                self.both("hos.store_version", cold)
        self.assertIsInstance(self.watched(fresh("l")), hos.Answer)

    def test_a_large_call_that_cannot_be_kept(self):
        """What went wrong is told with the whole call, however long it is when it is quoted."""
        self.assertIsInstance(self.watched(fresh("l")), hos.Answer)
        with self.altered(["ALTER TABLE hos_inbox RENAME TO x_hos_inbox"], ["ALTER TABLE x_hos_inbox RENAME TO hos_inbox"]):
            for text, code in (("\u015f" * 400_000, "hos.store_version"), ('"' * 1_500_000, "hos.call_too_large")):
                id = fresh("l")
                self.begin()
                self.insert(id)
                self.stood(self.mert.begin("lamp", id, "make", args={"t": text}, legacy=True), code)
                self.commit()
                self.assertEqual(self.kept(id)[0], 1)

    def test_an_error_whose_words_are_no_unicode(self):
        self.assertIsInstance(self.watched(fresh("l")), hos.Answer)
        error = hos.StoreError("hos.store_unavailable", "\ud800")
        with mock.patch.object(type(self.engine), "_alive", mock.Mock(side_effect=error)):
            self.stood(self.mert.begin("lamp", fresh("l"), "make", legacy=True), "hos.store_unavailable")

    def test_a_column_that_is_missing(self):
        self.assertIsInstance(self.watched(fresh("l")), hos.Answer)
        there = ["ALTER TABLE hos_inbox RENAME COLUMN parts TO parts2", "ALTER TABLE hos_instance RENAME COLUMN state TO state2"]
        back = ["ALTER TABLE hos_inbox RENAME COLUMN parts2 TO parts", "ALTER TABLE hos_instance RENAME COLUMN state2 TO state"]
        with self.altered(there, back):
            self.both("hos.store_version", False)

    def test_tables_without_a_store(self):
        move = ["CREATE TABLE kept AS SELECT * FROM hos_store", "DELETE FROM hos_store"]
        back = ["INSERT INTO hos_store SELECT * FROM kept", "DROP TABLE kept"]
        with self.altered(move, back):
            self.both("hos.store_unavailable", True)

    def test_tables_that_somebody_changes(self):
        self.assertIsInstance(self.watched(fresh("l")), hos.Answer)
        other = self.connect()
        if self.host.dialect == "sqlite":
            return
        if self.host.dialect == "postgres":
            self.begin(other)
            self.host.do(other, "LOCK TABLE hos_inbox IN ACCESS EXCLUSIVE MODE")
        else:
            self.host.do(other, "LOCK TABLES hos_inbox WRITE")
        begun = time.monotonic()
        told, id = [], fresh("l")
        self.begin()
        before = self.settings()
        self.insert(id)
        self.assertEqual(self.mert.shadow_begin("lamp", id, "make", legacy=lambda: 5, seen=told.append), 5)
        took = time.monotonic() - begun
        self.assertEqual(self.settings(), before)
        self.commit()
        self.stood(told[0], "hos.retry")
        self.assertLess(took, 5)
        self.host.do(other, "ROLLBACK" if self.host.dialect == "postgres" else "UNLOCK TABLES")
        self.assertEqual(self.kept(id)[0], 1)

    def test_a_law_that_changes_between_two_requests(self):
        def asked(engine):
            """Whether a fifth of the price is enough."""
            connection = self.connect()
            actor = engine.on(connection).tenant("t1").as_(MERT)
            self.begin(connection)
            try:
                self.birth(id, actor)
                answer = actor.transition("ticket", id, "pay", args={"amount": 1})
            finally:
                self.rollback(connection)
                connection.close()
            return answer.allowed, answer.law

        id = fresh("o")
        engine = self.open(self.connect())
        first = asked(engine)
        with tempfile.TemporaryDirectory() as place:
            changed(place)
            modes = ["--mode", "lamp=shadow", "--tenant", "t1", "--as", "Account::ayse"]
            self.host.hos("law", "activate", place, *modes)
            second = asked(engine)
            self.assertEqual((first[0], second[0]), (False, True))
            self.assertNotEqual(first[1], second[1])
            self.assertEqual(asked(hos.Engine.open(place, store=self.connection)), second)
            with self.assertRaises(hos.LawError) as met:
                asked(hos.Engine.open(LAW, store=self.connection))
            self.assertEqual(met.exception.code, "hos.law_not_active")
            self.host.hos("law", "activate", str(LAW), *modes)
        self.assertEqual(asked(engine), first)


def changed(place):
    """The law, with another price."""
    for source in LAW.rglob("*"):
        if source.is_file():
            to = Path(place, source.relative_to(LAW))
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_text(source.read_text().replace("context.amount >= resource.price", "context.amount >= 0"))


__all__ = ["Harm", "Shadow", "hosts"]
