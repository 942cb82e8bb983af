"""What a host's own settings of a connection are, and what cannot be joined."""

import contextlib
import importlib
import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
import unittest

import hosts
from cases import Joined, fresh
from hosts import H1, LAW, MERT, hos


class Own(Joined):
    """Connections as hosts set them up; each is as it was afterwards."""

    def works(self, connection, explicit=True):
        """A birth and a move, with the rows that this connection gives."""
        self.addCleanup(self.end, connection)
        mert = self.engine_of(connection).tenant("t1").as_(MERT)
        id = fresh("\u0131\U0001f600")
        answer = self.birth(id, mert, once=id)
        self.assertIs(answer.allowed, True, answer.blockers)
        self.assertIs(self.pay(id, mert).allowed, True)
        self.assertEqual(self.birth(id, mert, once=id).again, True)
        connection.commit()
        self.assertEqual(self.kept(id), (0, 1, 1))

    def engine_of(self, connection):
        # Cold: everything is read by this connection.
        return self.open(connection)


class OwnPostgres(Own):
    def begun_as(self, *settings):
        """How a transaction of the engine's is on a connection with these attributes, set one after the other."""
        connection = self.host.connect()
        self.addCleanup(self.end, connection)
        for name, value in settings:
            setattr(connection, name, value)
        names = ("isolation", "read_only", "deferrable")
        asked = ", ".join(f"current_setting('transaction_{one}')" for one in names)
        told = self.opened.on(connection).transaction(lambda: self.host.rows(connection, f"SELECT {asked}")[0])
        self.assertFalse(self.host.in_transaction(connection))
        return told

    def begins_as_it_is_told(self, serializable, repeatable, read_only):
        on, every = ("autocommit", True), [("isolation_level", serializable), (read_only, True), ("deferrable", True)]
        for settings in (every, [*every, on], [on, *every]):
            self.assertEqual(self.begun_as(*settings), ("serializable", "on", "on"), settings)
        self.assertEqual(self.begun_as(("isolation_level", repeatable), on), ("repeatable read", "off", "off"))
        self.assertEqual(self.begun_as((read_only, False), ("deferrable", False), on), ("read committed", "off", "off"))
        self.assertEqual(self.begun_as(on), ("read committed", "off", "off"))


class OwnPsycopg(OwnPostgres):
    def test_a_transaction_is_begun_as_the_driver_would(self):
        from psycopg import IsolationLevel

        self.begins_as_it_is_told(IsolationLevel.SERIALIZABLE, IsolationLevel.REPEATABLE_READ, "read_only")

    def test_integers_that_are_read_as_floats(self):
        from psycopg.types.numeric import FloatLoader

        connection = self.host.connect()
        connection.adapters.register_loader("int8", FloatLoader)
        self.works(connection)

    def test_rows_of_dicts_and_a_cursor_of_its_own(self):
        import psycopg.rows

        connection = self.host.connect()
        connection.row_factory = psycopg.rows.dict_row
        connection.cursor_factory = psycopg.ClientCursor
        self.works(connection)
        self.assertIs(connection.row_factory, psycopg.rows.dict_row)

    def test_without_prepared_statements_and_in_latin(self):
        connection = self.host.connect()
        connection.prepare_threshold = None
        connection.execute("SET client_encoding = 'LATIN1'")
        self.works(connection)
        self.assertEqual(connection.info.encoding, "iso8859-1")

    def test_statements_are_prepared_at_once(self):
        connection = self.host.connect()
        connection.prepare_threshold = 0
        self.works(connection)

    def test_in_blocks_of_the_driver(self):
        connection = self.host.connect()
        connection.autocommit = True
        self.addCleanup(self.end, connection)
        mert = self.open(connection).tenant("t1").as_(MERT)
        id = fresh("o")
        with connection.transaction():
            self.assertIs(self.birth(id, mert).allowed, True)
            with connection.transaction(force_rollback=True):
                self.assertIs(self.pay(id, mert).allowed, True)
            self.assertEqual(self.pay(id, mert).from_, "new", "what a savepoint undid is undone")
        self.assertEqual(self.kept(id)[1], 1)

    def test_async(self):
        import psycopg

        with self.assertRaises(TypeError) as met:
            self.open(object.__new__(psycopg.AsyncConnection))
        self.assertIn("async", str(met.exception))

    def test_a_wait_of_the_hosts_is_left_as_it_is(self):
        connection = self.host.connect()
        self.addCleanup(self.end, connection)
        connection.execute("SET LOCAL lock_timeout = '7s'")
        told = []
        self.open(connection).tenant("t1").as_(MERT).shadow_begin("lamp", fresh("l"), "make", legacy=lambda: 5, seen=told.append)
        self.assertIsInstance(told[0], hos.Answer)
        self.assertEqual(connection.execute("SELECT current_setting('lock_timeout')").fetchone()[0], "7s")


class OwnPsycopg2(OwnPostgres):
    def test_a_transaction_is_begun_as_the_driver_would(self):
        from psycopg2 import extensions

        self.begins_as_it_is_told(extensions.ISOLATION_LEVEL_SERIALIZABLE, extensions.ISOLATION_LEVEL_REPEATABLE_READ, "readonly")

    def test_rows_of_dicts(self):
        import psycopg2.extras

        connection = self.host.connect()
        connection.cursor_factory = psycopg2.extras.RealDictCursor
        self.works(connection)
        self.assertIs(connection.cursor_factory, psycopg2.extras.RealDictCursor)


class OwnMysql(Own):
    def test_found_rows(self):
        flags = importlib_constants(self.host)
        self.works(self.host.opened(client_flag=flags.FOUND_ROWS))

    def test_in_latin(self):
        self.works(self.host.opened(charset="latin1"))

    def test_rows_of_dicts(self):
        self.works(self.host.opened(cursorclass=self.host.driver.cursors.DictCursor))

    def test_other_sql(self):
        connection = self.host.opened()
        self.host.do(connection, "SET SESSION sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES'")
        self.works(connection)
        connection = self.host.opened()
        self.host.do(connection, "SET SESSION sql_mode = ''")
        self.works(connection)

    def test_values_without_types(self):
        # What is read is not converted; one of the drivers cannot do without what writes.
        conv = self.host.driver.converters.encoders if self.host.module == "pymysql" else {}
        self.works(self.host.opened(conv=dict(conv)))

    def test_integers_that_are_read_as_floats(self):
        types = importlib.import_module(f"{self.host.module}.constants.FIELD_TYPE")
        self.works(self.host.opened(conv={**self.host.driver.converters.conversions, types.LONGLONG: float}))

    def test_autocommit_is_as_it_was(self):
        for own in (True, False):
            connection = self.host.opened(autocommit=own)
            self.addCleanup(self.end, connection)
            engine = self.open(connection)
            mert = engine.tenant("t1").as_(MERT)
            id = fresh("o")
            self.assertIs(engine.transaction(lambda mert=mert, id=id: self.birth(id, mert)).allowed, True)
            self.assertEqual(bool(connection.get_autocommit()), own)
            with self.assertRaises(ZeroDivisionError):
                engine.transaction(lambda: 1 / 0)
            self.assertEqual(bool(connection.get_autocommit()), own)
            self.assertFalse(self.host.in_transaction(connection))
            self.assertEqual(self.kept(id)[1], 1)


def importlib_constants(host):
    __import__(f"{host.module}.constants.CLIENT")
    return sys.modules[f"{host.module}.constants.CLIENT"]


class Always(sqlite3.Connection):
    """In a version that has none of its own: one that is always in a transaction."""

    autocommit = False

    def commit(self):
        sqlite3.Connection.execute(self, "COMMIT")
        sqlite3.Connection.execute(self, "BEGIN")

    def rollback(self):
        sqlite3.Connection.execute(self, "ROLLBACK")
        sqlite3.Connection.execute(self, "BEGIN")


class OwnSqlite(Own):
    def begun(self, **options):
        connection = self.host.opened(**options)
        connection.execute("BEGIN IMMEDIATE")
        return connection

    def test_rows_and_texts_of_its_own(self):
        connection = self.begun()
        connection.row_factory = sqlite3.Row
        connection.text_factory = bytes
        self.works(connection)
        self.assertEqual((connection.row_factory, connection.text_factory), (sqlite3.Row, bytes))

    def test_a_transaction_is_begun_as_the_driver_would(self):
        for level, reads in (("IMMEDIATE", True), ("exclusive", False)):
            connection, other = self.host.opened(isolation_level=level), self.host.alone()
            for one in (connection, other):
                self.addCleanup(self.end, one)
            other.execute("PRAGMA busy_timeout = 0")

            def work(other=other, reads=reads):
                with contextlib.nullcontext() if reads else self.assertRaises(sqlite3.OperationalError):
                    other.execute("SELECT count(*) FROM orders").fetchall()

            self.opened.on(connection).transaction(work)

    def test_a_connection_of_ones_own_class(self):
        class Own(sqlite3.Connection):
            def cursor(self, *words, **options):
                raise AssertionError("it has its own")

        connection = self.host.opened(factory=Own)
        sqlite3.Connection.cursor(connection).execute("BEGIN IMMEDIATE")
        self.works(connection)

    def test_a_write_of_the_hosts_begins_a_transaction_and_a_read_does_not(self):
        connection = self.host.opened()
        self.addCleanup(self.end, connection)
        mert = self.open(connection).tenant("t1").as_(MERT)
        id = fresh("o")
        connection.execute("SELECT count(*) FROM orders").fetchall()
        self.refused(hos.CallError, "hos.no_transaction", self.birth, id, mert)
        connection.execute("INSERT INTO orders VALUES (?, 'new')", (id,))
        self.assertIs(self.birth(id, mert, once=id).allowed, True)
        connection.commit()
        self.assertEqual(self.kept(id), (1, 1, 1))

    def test_in_shadow_it_waits_for_nobody_for_long(self):
        connection, other = self.host.opened(), self.host.alone()
        for one in (connection, other):
            self.addCleanup(self.end, one)
        mert = self.opened.on(connection).tenant("t1").as_(MERT)
        self.assertIs(mert.can("hall.enter", H1).allowed, True)
        # Who reads waits for it too.
        self.host.do(other, "BEGIN EXCLUSIVE")
        connection.execute("BEGIN")
        told, begun = [], time.monotonic()
        self.assertEqual(mert.shadow_begin("lamp", fresh("l"), "make", legacy=lambda: 5, seen=told.append), 5)
        took = time.monotonic() - begun
        self.host.do(other, "ROLLBACK")
        self.assertEqual((told[0].allowed, told[0].mode, told[0].code), (True, "shadow", "hos.retry"))
        self.assertLess(took, 5)
        self.assertEqual(connection.execute("PRAGMA busy_timeout").fetchone()[0], 20000, "the host's own patience is its own")
        # The host's transaction goes on, and is watched.
        connection.execute("INSERT INTO orders VALUES (?, 'new')", (id := fresh("o"),))
        self.assertEqual(mert.shadow_begin("lamp", fresh("l"), "make", legacy=lambda: 5, seen=told.append), 5)
        self.assertEqual((told[1].mode, told[1].code), ("shadow", None))
        self.assertEqual(connection.execute("PRAGMA busy_timeout").fetchone()[0], 20000)
        connection.commit()
        self.assertEqual(self.kept(id), (1, 0, 0))

    def test_autocommit_of_newer_versions(self):
        if sys.version_info < (3, 12):
            return
        for own in (True, False):
            connection = self.host.opened(autocommit=own)
            self.addCleanup(self.end, connection)
            engine = self.open(connection)
            mert, id = engine.tenant("t1").as_(MERT), fresh("o")
            if own:
                self.refused(hos.CallError, "hos.no_transaction", self.birth, id, mert)
            self.assertIs(engine.transaction(lambda mert=mert, id=id: self.birth(id, mert)).allowed, True)
            self.assertEqual(self.kept(id)[1], 1)
            with self.assertRaises(ZeroDivisionError):
                engine.transaction(lambda: 1 / 0)
            self.assertIs(connection.autocommit, own)

    def always(self, host=None):
        """A connection that is always in a transaction, as newer versions have it by a word."""
        if sys.version_info >= (3, 12):
            connection = (host or self.host).opened(autocommit=False)
        else:
            connection = (host or self.host).opened(factory=Always, isolation_level=None)
            sqlite3.Connection.execute(connection, "BEGIN")
        self.addCleanup(self.end, connection)
        return connection

    def test_what_the_host_has_written_before_stands(self):
        connection = self.always()
        engine = self.open(connection)
        mert = engine.tenant("t1").as_(MERT)
        for birth in (True, False):
            before, own, ran = fresh("o"), fresh("o"), []

            def work(own=own, ran=ran, birth=birth):
                ran.append(1)
                self.insert(own, connection)
                if len(ran) == 1:
                    raise hos.RetryError("hos.retry", "planted")
                return self.birth(own, mert) if birth else self.pay(own, mert)

            def raising(own=own):
                self.insert(own, connection)
                raise ZeroDivisionError

            self.insert(before, connection)
            with self.assertRaises(ZeroDivisionError):
                engine.transaction(raising)
            self.assertIs(engine.transaction(work).allowed, birth)
            self.assertEqual((len(ran), self.kept(own)[:2]), (2, (birth, birth)))
            connection.commit()
            self.assertEqual(self.kept(before)[0], 1)

    def test_what_is_not_there_locks_nobody_out(self):
        connection, other = self.always(), self.host.alone()
        self.addCleanup(self.end, other)
        other.execute("PRAGMA busy_timeout = 0")
        engine = self.open(connection)
        mert = engine.tenant("t1").as_(MERT)
        for _ in range(2):
            self.assertIs(engine.transaction(lambda: self.pay(fresh("none"), mert)).allowed, False)
            self.assertTrue(connection.in_transaction)
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
            self.insert(fresh("o"), connection)
            connection.commit()

    def test_a_question_keeps_nothing_as_it_was(self):
        for journal in ("DELETE", "WAL"):
            host = hosts.Sqlite().found()
            self.addCleanup(host.place.cleanup)
            with contextlib.closing(host.alone()) as other:
                other.execute(f"PRAGMA journal_mode = {journal}")
                other.execute("PRAGMA busy_timeout = 0")
                connection = self.always(host)
                # Each question looks at the store.
                mert = self.open(connection, directory_age_max_ms=0).tenant("t1").as_(MERT)
                change = ["--tenant", "t1", "--as", "Account::ayse"]
                host.hos("directory", "put", "Hall::h2", "--attr", "open=false", *change)
                hall, before = hos.Uid("S::Hall", "h2"), fresh("o")
                for asks in (
                    lambda mert=mert, hall=hall: mert.can("hall.enter", hall).allowed,
                    lambda mert=mert, hall=hall: mert.can_all([hos.Question("hall.enter", hall)])[0].allowed,
                    lambda mert=mert, hall=hall: mert.can("hall.enter", hall, legacy=True).code is None,
                ):
                    host.hos("directory", "join", "Account::mert", "Hall::h2", *change)
                    self.assertIs(asks(), True, journal)
                    # Nobody waits for who has only asked.
                    self.insert(fresh("o"), other)
                    host.hos("directory", "leave", "Account::mert", "Hall::h2", *change)
                    self.assertIs(asks(), False, journal)
                    self.assertTrue(connection.in_transaction)
                # What the host has written is its own to end.
                self.insert(before, connection)
                self.assertIs(asks(), False)
                connection.commit()
                self.assertEqual(host.rows(other, "SELECT count(*) FROM orders WHERE id = ?", before), [(1,)])
                connection.close()

    def test_what_was_read_before_another_has_written_is_read_anew(self):
        host = hosts.Sqlite().found()
        self.addCleanup(host.place.cleanup)
        with contextlib.closing(host.alone()) as other:
            # Where who reads and who writes do not wait for each other.
            other.execute("PRAGMA journal_mode = WAL")
            connection = self.always(host)
            engine = self.open(connection)
            connection.execute("SELECT count(*) FROM orders").fetchall()
            self.insert(fresh("o"), other)
            mert = engine.tenant("t1").as_(MERT)
            self.assertIs(engine.transaction(lambda: self.birth(fresh("o"), mert)).allowed, True)
            connection.close()

    def test_a_transaction_that_the_work_has_ended_where_there_always_is_one(self):
        connection = self.always()
        engine = self.open(connection)
        mert, before, own = engine.tenant("t1").as_(MERT), fresh("o"), fresh("o")

        def work():
            self.birth(own, mert)
            connection.rollback()
            self.insert(own, connection)
            return self.birth(own, mert)

        self.insert(before, connection)
        self.refused(hos.CallError, "hos.no_transaction", engine.transaction, work)
        connection.commit()
        self.assertEqual((self.kept(own)[:2], self.kept(before)[0]), ((0, 0), 0))


class Engines(Joined):
    """The engine itself; one kind of connection is enough."""

    def test_what_is_no_connection(self):
        class Async:
            pass

        for store in (7, None, object(), {}, lambda: 7, Async):
            with self.assertRaises(TypeError, msg=repr(store)):
                self.open(store)

    def test_options_of_other_stores(self):
        for name in ("key_file", "mark", "seal", "signer_command"):
            self.refused(hos.CallError, "hos.call_malformed", self.open, self.connection, **{name: "x"})
        self.refused(hos.CallError, "hos.call_malformed", self.open, self.connection, directory_age_max_ms=60001)
        self.refused(hos.LawError, "hos.law_invalid", hos.Engine.open, "/nowhere", store=self.connection)

    def test_a_function_that_gives_the_connection(self):
        given = []

        def connection():
            given.append(1)
            return self.connection

        engine = self.open(connection)
        self.begin()
        self.assertIs(self.birth(fresh("o"), engine.tenant("t1").as_(MERT)).allowed, True)
        self.commit()
        self.assertGreater(len(given), 1)

    def test_on_another_connection(self):
        other = self.engine.on(self.connect())
        self.assertIs(other.tenant("t1").as_(MERT).can("hall.enter", H1).allowed, True)
        answer = self.refusal()
        self.begin()
        self.assertIs(other.on(self.connection).refused(answer).allowed, False, "an engine's refusals are its own on each")
        self.commit()
        answer = self.refusal()
        self.begin()
        stranger = self.open(self.connection)
        self.refused(hos.CallError, "hos.call_malformed", stranger.refused, answer)
        self.rollback()

    def refusal(self):
        self.begin()
        answer = self.pay("none")
        self.rollback()
        return answer

    def test_closing(self):
        with self.open(self.connection) as engine:
            self.assertFalse(engine.closed)
            actor = engine.on(self.connection).tenant("t1").as_(MERT)
        self.assertTrue(engine.closed)
        self.begin()
        self.refused(hos.ClosedError, "hos.engine_closed", self.birth, fresh("o"), actor)
        self.refused(hos.ClosedError, "hos.engine_closed", actor.can, "hall.enter", H1)
        self.refused(hos.ClosedError, "hos.engine_closed", engine.close)
        self.insert(fresh("o"))
        self.commit()

    def test_a_can_from_memory_does_not_touch_the_connection(self):
        connection = self.connect()
        engine = self.open(connection, directory_age_max_ms=60000)
        self.host.hos("work")
        actor = engine.tenant("t1").as_(MERT)
        self.assertIs(actor.can("hall.enter", H1).allowed, True)
        connection.close()
        self.assertIs(actor.can("hall.enter", H1).allowed, True)
        self.assertIs(actor.shadow_can("hall.enter", H1, legacy=lambda: True), True)

    def test_what_is_asked_elsewhere(self):
        self.refused(hos.CallError, "hos.call_malformed", self.mert.history, "ticket", "x")
        self.refused(hos.CallError, "hos.call_malformed", self.mert.available, "ticket", "x")
        with self.assertRaises(hos.CallError):
            self.mert.aio  # noqa: B018

    def test_words_that_are_wrong(self):
        self.begin()
        args = ({"x": 1.5}, {"x": "\ud800"}, {"x": "x" * (2 << 20)})
        for words in ({"once": 7}, {"context": {"x": 2**70}}, *({"args": one} for one in args)):
            with self.assertRaises(hos.CallError):
                self.mert.transition("ticket", "o", "pay", **words)
        self.insert(id := fresh("o"))
        self.commit()
        self.assertEqual(self.kept(id), (1, 0, 0))

    def test_threads_share_an_engine(self):
        local, failed = threading.local(), []

        def connection():
            if not hasattr(local, "connection"):
                local.connection = self.host.connect()
            return local.connection

        engine = self.open(connection)
        stem = fresh("o")

        def run(worker):
            try:
                actor = engine.tenant("t1").as_(MERT)
                for place in range(10):
                    answer = engine.transaction(lambda place=place: self.birth(f"{stem}-{worker}-{place}", actor), tries=20)
                    assert answer.allowed, answer.blockers
                connection().close()
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=run, args=(worker,)) for worker in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failed, [])
        between = "SELECT count(*) FROM hos_instance WHERE id > %s AND id < %s"
        self.assertEqual(self.count(between, stem.encode() + b"-", stem.encode() + b"."), 60)

    def test_a_child_opens_its_own(self):
        """A fork while another thread is inside the engine. Not inside the host's library: some of those hang in the child then."""
        code = f"""
            import os, signal, sys, threading
            sys.path.insert(0, {os.path.dirname(__file__)!r})
            import hosts
            from hosts import hos, LAW, MERT
            host = hosts.ONE_EACH[{hosts.PLACE[self.host.dialect]}]()
            host.database, path = sys.argv[1], sys.argv[2]
            host.place = type("Place", (), {{"name": path}})

            @hos.per_process
            def law():
                return hos.Engine.open(LAW, store=host.connect(), directory_age_max_ms=60000)

            def can():
                return law().tenant("t1").as_(MERT).can("hall.enter", 'S::Hall::"h1"').allowed

            assert can() is True
            engine, stop = law(), threading.Event()
            def busy():
                actor = engine.tenant("t1").as_(MERT)
                while not stop.is_set():
                    actor.can("hall.enter", 'S::Hall::"h1"')
            thread = threading.Thread(target=busy)
            thread.start()
            codes = []
            for _ in range(5):
                child = os.fork()
                if child == 0:
                    signal.alarm(30)
                    try:
                        engine.tenant("t1").as_(MERT).can("hall.enter", 'S::Hall::"h1"')
                    except hos.ClosedError:
                        try:
                            os._exit(0 if can() is True else 1)
                        except BaseException as error:
                            os.write(2, repr(error).encode())
                            os._exit(3)
                    os._exit(2)
                codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            stop.set()
            thread.join()
            assert codes == [0] * 5, codes
        """
        command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code), self.host.database, self.host.place.name]
        said = subprocess.run(command, capture_output=True, text=True, timeout=200)
        self.assertEqual((said.returncode, said.stderr), (0, ""), said.stdout)


def load_tests(loader, tests, pattern):
    suite = hosts.of(hosts.ONE_EACH, Engines)
    for case, *makers in (
        (OwnPsycopg, lambda: hosts.Psycopg()),
        (OwnPsycopg2, lambda: hosts.Psycopg2()),
        (OwnMysql, lambda: hosts.Pymysql(), lambda: hosts.Mysqlclient()),
        (OwnSqlite, lambda: hosts.Sqlite()),
    ):
        suite.addTests(hosts.of(makers, case))
    return suite


if __name__ == "__main__":
    unittest.main()
