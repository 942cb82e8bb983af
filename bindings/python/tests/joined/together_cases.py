"""Several statements as one text: how often something is said to the database, and what comes of a database that takes no texts."""

import contextlib
from unittest import mock

from cases import fresh
from hosts import MERT, hos
from shadow_cases import Watched


class Cursor:
    """The driver's own cursor. Tells what is executed; ``fails`` may say what is raised in its place."""

    def __init__(self, cursor, told, fails):
        self._cursor, self._told, self._fails = cursor, told, fails

    def __getattr__(self, name):
        return getattr(self._cursor, name)

    def execute(self, sql, *words, **more):
        self._told.append(sql)
        fault = self._fails(sql)
        if fault is not None:
            raise fault
        return self._cursor.execute(sql, *words, **more)


@contextlib.contextmanager
def heard(engine, fails=lambda sql: None):
    """What is said to the database on behalf of an engine."""
    told, kind = [], type(engine._kind())
    own = kind.cursor
    with mock.patch.object(kind, "cursor", lambda self: Cursor(own(self), told, fails)):
        yield told


class Together(Watched):
    def setUp(self):
        super().setUp()
        # One of its own, for it remembers what the database takes.
        self.engine = self.open(self.connection)
        self.mert = self.engine.tenant("t1").as_(MERT)
        self.born(fresh("o"))

    def seen(self, id, actor=None, **words):
        told = []
        given = (actor or self.mert).shadow_begin("lamp", id, "make", legacy=lambda: 5, seen=told.append, **words)
        self.assertEqual(given, 5)
        return told[0]

    def test_a_move_is_two_exchanges(self):
        id = fresh("o")
        for call, state in ((self.birth, "new"), (self.pay, "paid")):
            self.begin()
            self.insert(fresh("o"))
            with heard(self.engine) as told:
                answer = call(id, once=fresh("%s%d%"))
            self.commit()
            self.assertEqual((answer.allowed, answer.to), (True, state), answer.blockers)
            self.assertEqual(len(told), 2, told)

    def test_several_calls_are_two_exchanges(self):
        ids = fresh("o"), fresh("o"), fresh("o")
        self.begin()
        self.insert(ids[0])
        with heard(self.engine) as told:
            answers = self.mert.all(self.births(*ids))
        self.commit()
        self.assertEqual([one.allowed for one in answers], [True] * 3)
        self.assertEqual(len(told), 2, told)

    def test_a_call_in_shadow_is_two_exchanges(self):
        waiting = self.waiting()
        for place in range(2):
            self.begin()
            self.insert(fresh("o"))
            before = self.settings()
            with heard(self.engine) as told:
                said = self.seen(fresh("l"), once=fresh("%s%d%"))
            self.assertEqual(self.settings(), before)
            self.commit()
            self.assertIsInstance(said, hos.Answer, said)
            self.assertEqual((said.allowed, said.mode), (True, "shadow"))
            self.assertEqual(len(told), 2, told)
            self.assertEqual(self.waiting(), waiting + place + 1)

    def test_a_claim_and_its_call(self):
        id = fresh("o")
        self.begin()
        self.insert(id)
        with heard(self.engine) as told:
            answer = self.mert.begin("ticket", id, "order", facts=lambda: {"owner": MERT, "price": 5}, once=id)
        self.commit()
        self.assertIs(answer.allowed, True, answer.blockers)
        self.assertEqual(len(told), 3, told)
        self.assertEqual(self.kept(id), (1, 1, 1))

    def no_texts(self, sql):
        """As MySQL, which knows no compound statement."""
        if sql.startswith(("BEGIN NOT", "SET STATEMENT")):
            return self.host.driver.ProgrammingError(1064, "You have an error in your SQL syntax")
        return None

    def test_a_database_that_takes_no_texts(self):
        if self.host.dialect != "mysql":
            return
        ids = fresh("o"), fresh("o")
        for place, id in enumerate(ids):
            self.begin()
            self.insert(id)
            with heard(self.engine, self.no_texts) as told:
                self.assertIs(self.birth(id, once=id).allowed, True)
                self.assertIs(self.pay(id).allowed, True)
            self.commit()
            self.assertEqual(self.kept(id), (1, 1, 1))
            self.assertEqual(sum(self.no_texts(sql) is not None for sql in told), 1 - place, "it is tried once")
        # In shadow, by an engine that does not know it yet, and by one that does.
        other = self.open(self.connection)
        actor = other.tenant("t1").as_(MERT)
        for place in range(2):
            self.begin()
            self.insert(id := fresh("o"))
            before = self.settings()
            with heard(other, self.no_texts) as told:
                said = self.seen(fresh("l"), actor)
            self.assertEqual(self.settings(), before)
            self.commit()
            self.assertEqual((said.allowed, said.mode), (True, "shadow"), said)
            self.assertEqual(self.kept(id)[0], 1)
            self.assertLessEqual(sum(self.no_texts(sql) is not None for sql in told), 1 - place)

    def test_a_pipeline_takes_none(self):
        if self.host.module != "psycopg":
            return
        id = fresh("o")
        with self.connection.pipeline():
            self.begin()
            self.insert(id)
            with heard(self.engine) as told:
                self.assertIs(self.birth(id, once=id).allowed, True)
            self.assertIsInstance(self.seen(fresh("l")), hos.Answer)
            self.commit()
        self.assertGreater(len(told), 4)
        self.assertEqual(self.kept(id), (1, 1, 1))
        self.begin()
        with heard(self.engine) as told:
            self.assertIs(self.pay(id).allowed, True)
        self.commit()
        self.assertEqual(len(told), 2, "outside of it they are taken again")

    def test_a_text_that_fails_in_shadow(self):
        """In its beginning, behind its savepoint, and where it writes: the host's transaction goes on."""
        planted = self.host.driver.OperationalError(5, "planted")

        def first(sql):
            return planted if "SAVEPOINT hos_shadow" in sql and sql != "RELEASE SAVEPOINT hos_shadow" else None

        def writes(sql):
            return planted if "INSERT INTO hos_inbox" in sql else None

        for fails in (first, writes):
            waiting, id = self.waiting(), fresh("o")
            self.begin()
            before = self.settings()
            self.insert(id)
            with heard(self.engine, fails):
                said = self.seen(fresh("l"))
            self.stood(said, "hos.store_unavailable")
            self.assertEqual(self.settings(), before)
            self.assertIsInstance(self.seen(fresh("l")), hos.Answer, "and so does a call behind it")
            self.commit()
            self.assertEqual((self.kept(id)[0], self.waiting()), (1, waiting + 1))

    def test_a_savepoint_of_ours_is_not_left(self):
        self.begin()
        self.insert(fresh("o"))
        self.assertIsInstance(self.seen(fresh("l")), hos.Answer)
        with self.assertRaises(self.host.driver.Error):
            self.host.do(self.connection, "RELEASE SAVEPOINT hos_shadow")
        self.rollback()

    def test_a_failure_behind_the_last_text(self):
        """A step that comes to an error takes its claims back with its last text: the savepoint is released then, and is not asked
        for, which PostgreSQL's transaction would fail of."""
        kind, id = self.engine._kind(), fresh("o")
        self.begin()
        self.insert(id)
        before = self.settings()
        watch = kind.watch(kind)
        head, tail = watch.around(True)
        kind.together(watch.prefix + kind.whole([*head, "UPDATE counts SET n = n + 0", *tail]))
        watch.ran(True)
        watch.undo()
        self.assertEqual(self.settings(), before)
        self.commit()
        self.assertEqual(self.kept(id)[0], 1)

    def test_outside_a_transaction_a_text_changes_nothing(self):
        connection = self.host.alone()
        self.addCleanup(self.end, connection)
        mert, id, waiting = self.engine.on(connection).tenant("t1").as_(MERT), fresh("o"), self.waiting()
        self.refused(hos.CallError, "hos.no_transaction", self.birth, id, mert, once=id)
        self.begin()
        answer = self.pay(fresh("none"))
        self.rollback()
        self.refused(hos.CallError, "hos.no_transaction", self.engine.on(connection).refused, answer)
        said = self.seen(fresh("l"), mert)
        self.assertEqual(said.code, "hos.no_transaction")
        self.assertFalse(self.host.in_transaction(connection))
        # Nor is one begun where the connection would begin it by itself.
        connection = self.connect()
        said = self.seen(fresh("l"), self.engine.on(connection).tenant("t1").as_(MERT))
        self.assertEqual(said.code, "hos.no_transaction")
        self.assertFalse(self.host.in_transaction(connection))
        self.assertEqual((self.kept(id), self.waiting()), ((0, 0, 0), waiting))
