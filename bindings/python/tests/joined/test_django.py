"""Django's connections, on each database that is there: `atomic` is the transaction."""

import json
import threading
import unittest
import unittest.mock

import hosts
from cases import fresh
from hosts import AYSE, H1, LAW, MERT, hos

BACKENDS = {"sqlite": "django.db.backends.sqlite3", "postgres": "django.db.backends.postgresql", "mysql": "django.db.backends.mysql"}


def settings_of(host):
    own = {"ENGINE": BACKENDS[host.dialect], "NAME": host.path if host.dialect == "sqlite" else host.database}
    if host.dialect != "sqlite":
        server = host.server()
        own.update(HOST=server["host"], PORT=server["port"], USER=server["user"], PASSWORD=server["password"])
    return own


def configure(found):
    import django
    from django.conf import settings

    databases = {host.dialect: settings_of(host) for host in found}
    settings.configure(
        DATABASES={"default": databases["sqlite"], **databases},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
        AUTHENTICATION_BACKENDS=["hos.contrib.django.HosBackend"],
        HOS={"ENGINE": lambda: Django.shared, "TENANT": "t1", "PRINCIPAL": lambda user: hos.Uid("S::Account", user.username)},
    )
    django.setup()


class Django(unittest.TestCase):
    host = None
    shared = None

    def setUp(self):
        from django.db import connections, transaction

        self.connection = connections[self.host.dialect]
        self.addCleanup(self.connection.close)
        self.atomic = lambda **words: transaction.atomic(using=self.host.dialect, **words)
        self.engine = hos.Engine.open(LAW, store=lambda: connections[self.host.dialect])
        self.mert = self.engine.tenant("t1").as_(MERT)

    def birth(self, id, **words):
        return self.mert.begin("ticket", id, "order", facts={"owner": MERT, "price": 5}, **words)

    def insert(self, id):
        with self.connection.cursor() as cursor:
            cursor.execute("INSERT INTO orders VALUES (%s, 'new')", [id])

    def kept(self, id):
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM orders WHERE id = %s", [id])
            orders = cursor.fetchone()[0]
            cursor.execute("SELECT count(*) FROM hos_instance WHERE id = %s", [id.encode()])
            return orders, cursor.fetchone()[0]

    def test_atomic(self):
        id = fresh("o")
        with self.atomic():
            self.insert(id)
            self.assertIs(self.birth(id, once=id).allowed, True)
            with self.assertRaises(ZeroDivisionError), self.atomic():
                self.assertIs(self.mert.transition("ticket", id, "cancel").allowed, True)
                1 / 0
            answer = self.mert.transition("ticket", id, "pay", args=lambda: {"amount": 5})
            self.assertEqual((answer.allowed, answer.from_), (True, "new"), "what a savepoint undid is undone")
        self.assertEqual(self.kept(id), (1, 1))

    def test_what_is_raised_rolls_back(self):
        id = fresh("o")
        with self.assertRaises(hos.Denied), self.atomic():
            self.insert(id)
            self.birth(id)
            self.mert.apply("ticket", id, "pay", args={"amount": 1})
        self.assertEqual(self.kept(id), (0, 0))

    def test_outside_nothing_is_judged(self):
        with self.assertRaises(hos.CallError) as met:
            self.birth(fresh("o"))
        self.assertEqual(met.exception.code, "hos.no_transaction")
        self.assertIs(self.mert.can("hall.enter", H1).allowed, True)

    def test_transaction(self):
        id = fresh("o")

        def work():
            self.insert(id)
            return self.birth(id)

        self.assertIs(self.engine.transaction(work).allowed, True)
        self.assertEqual(self.kept(id), (1, 1))
        refused = self.engine.transaction(lambda: self.mert.transition("ticket", id, "use"))
        self.assertIs(refused.allowed, False)
        self.assertIs(self.engine.transaction(lambda: self.engine.refused(refused).allowed or 5), 5)
        other, tried = fresh("o"), []

        def busy():
            self.insert(other)
            tried.append(1)
            if len(tried) < 3:
                raise hos.RetryError("hos.retry", "planted")
            return self.birth(other)

        self.assertIs(self.engine.transaction(busy).allowed, True)
        self.assertEqual((len(tried), self.kept(other)), (3, (1, 1)))
        with self.assertRaises(hos.CallError), self.atomic():
            self.engine.transaction(lambda: 5)

    def test_an_error_that_is_caught_inside_commits_nothing(self):
        from django.db import transaction

        id = fresh("o")
        with self.atomic():
            self.insert(id)
            self.birth(id)
        self.assertEqual(self.kept(id), (1, 1))
        id = fresh("o")
        with self.atomic():
            self.insert(id)
            kind = self.engine._kind()
            asked = dict.fromkeys(("asked", "together"), lambda own, _: own.run("SELECT nonsense FROM nowhere"))
            failing = type("Failing", (type(kind),), asked)(self.connection)
            with unittest.mock.patch.object(hos.JoinedEngine, "_kind", lambda own: failing), self.assertRaises(hos.StoreError):
                self.birth(id)
            self.assertIs(self.connection.needs_rollback, True)
            with self.assertRaises(transaction.TransactionManagementError):
                self.kept(id)
        self.assertEqual(self.kept(id), (0, 0))

    def test_a_block_that_is_to_be_rolled_back(self):
        from django.db import transaction

        id = fresh("o")

        def work():
            self.insert(id)
            answer = self.birth(id)
            transaction.set_rollback(True, using=self.host.dialect)
            return answer

        self.refused("hos.store_unavailable", self.engine.transaction, work)
        self.assertEqual(self.kept(id), (0, 0))
        with self.atomic():
            self.insert(id)
            transaction.set_rollback(True, using=self.host.dialect)
            self.refused("hos.store_unavailable", self.birth, id)
            self.assertEqual(self.mert.shadow_begin("lamp", fresh("l"), "make", legacy=lambda: 7), 7)
        self.assertEqual(self.kept(id), (0, 0))
        self.assertIs(self.engine.transaction(lambda: self.birth(id)).allowed, True)

    def refused(self, code, call, *words):
        with self.assertRaises(hos.HosError) as met:
            call(*words)
        self.assertEqual(met.exception.code, code, str(met.exception))

    def test_an_error_of_the_works_own_that_it_has_caught(self):
        from django.db import IntegrityError

        id = fresh("o")

        def work():
            self.insert(id)
            answer = self.birth(id)
            with self.assertRaises(IntegrityError):
                self.insert(id)
            return answer

        if self.host.dialect == "postgres":
            self.refused("hos.store_unavailable", self.engine.transaction, work)
            self.assertEqual(self.kept(id), (0, 0))
        else:
            self.assertIs(self.engine.transaction(work).allowed, True)
            self.assertEqual(self.kept(id), (1, 1))

    def test_what_fails_behind_the_commit_is_no_failure_of_it(self):
        from django.db import transaction

        lost = self.host.driver.OperationalError(*((2013, "gone") if self.host.dialect == "mysql" else ("gone",)))
        for fault in (hos.RetryError("hos.retry", "planted"), lost):
            id, ran = fresh("o"), []

            def hook(fault=fault):
                raise fault

            def work(id=id, ran=ran, hook=hook):
                ran.append(1)
                transaction.on_commit(hook, using=self.host.dialect)
                self.insert(id)
                return self.birth(id)

            with self.assertRaises(type(fault)) as met:
                self.engine.transaction(work)
            self.assertIs(met.exception, fault)
            self.assertEqual((len(ran), self.kept(id)), (1, (1, 1)))

    def test_a_question_first(self):
        id = fresh("o")
        with self.atomic():
            self.assertIs(self.mert.can("hall.enter", H1).allowed, True)
            self.assertIs(self.connection.needs_rollback, False)
            self.insert(id)
            self.assertIs(self.birth(id).allowed, True)
        self.assertEqual(self.kept(id), (1, 1))

    def test_shadow(self):
        id, told = fresh("l"), []
        with self.atomic():
            self.insert(id)
            self.assertEqual(self.mert.shadow_begin("lamp", id, "make", legacy=lambda: 7, seen=told.append), 7)
            self.assertIsInstance(told[0], hos.Answer)
            self.assertEqual(self.mert.shadow_begin("lamp", id, "make", legacy=lambda: 7, seen=told.append, args={"x": 1.5}), 7)
            self.assertEqual((told[1].allowed, told[1].code), (True, "hos.value_invalid"))
            self.assertIs(self.connection.needs_rollback, False)
        self.assertEqual(self.kept(id), (1, 0))

    def test_what_fails_in_shadow(self):
        def fails():
            with self.connection.cursor() as cursor:
                cursor.execute("SELECT nonsense FROM orders")

        def called_off():
            with self.atomic(savepoint=False):
                fails()

        self.birth_in_shadow(fresh("l"))
        for function in (fails, called_off, lambda: 1 / 0):
            for first in (True, False):
                id = fresh("o")
                with self.atomic():
                    self.insert(id) if first else None
                    said = self.birth_in_shadow(fresh("l"), args=function)
                    self.insert(id) if not first else None
                self.assertEqual((said.allowed, said.mode, said.code), (True, "shadow", "hos.call_malformed"))
                self.assertEqual(self.kept(id)[0], 1)

    def birth_in_shadow(self, id, **words):
        with self.atomic():
            return self.mert.begin("lamp", id, "make", legacy=True, **words)

    def test_a_row_that_mysql_refuses_in_shadow(self):
        """Of MySQL's transaction no more is known than by the numbers of its errors, which go on from 3000."""
        if self.host.dialect != "mysql":
            return

        def fails():
            with self.connection.cursor() as cursor:
                cursor.execute("INSERT INTO checked VALUES (-1)")

        with self.connection.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS checked (n INTEGER CHECK (n > 0))")
        id = fresh("o")
        with unittest.mock.patch.object(type(self.connection.connection), "get_server_info", lambda own: "8.0.36"):
            with self.atomic():
                self.insert(id)
                said = self.birth_in_shadow(fresh("l"), args=fails)
            self.assertEqual((said.allowed, said.mode, said.code), (True, "shadow", "hos.call_malformed"))
        self.assertEqual(self.kept(id)[0], 1)

    def test_a_deadlock_in_shadow(self):
        if self.host.dialect != "mysql":
            return
        self.birth_in_shadow(fresh("l"))
        self.deadlock(lambda crosses: {"args": crosses})
        # In a statement of ours.
        planted = self.host.alone()
        self.addCleanup(planted.close)
        self.host.do(planted, "CREATE TRIGGER hos_fails BEFORE INSERT ON hos_inbox FOR EACH ROW UPDATE counts SET n = n + 0 WHERE id = 'b'")
        self.addCleanup(self.host.do, planted, "DROP TRIGGER hos_fails")
        self.deadlock(lambda crosses: crosses(last=False) or {})

    def deadlock(self, words):
        id, other = fresh("o"), self.host.connect()
        self.addCleanup(other.close)
        for place in range(200):
            self.host.do(other, "INSERT INTO pays VALUES ('x', %s)", fresh(f"heavy-{place}"))
        self.host.do(other, "UPDATE counts SET n = n + 0 WHERE id = 'b'")
        waits = threading.Thread(target=self.host.do, args=(other, "UPDATE counts SET n = n + 0 WHERE id = 'a'"))

        def crosses(last=True):
            with self.connection.cursor() as cursor:
                cursor.execute("UPDATE counts SET n = n + 0 WHERE id = 'a'")
                waits.start()
                if last:
                    cursor.execute("UPDATE counts SET n = n + 0 WHERE id = 'b'")

        with self.atomic():
            self.insert(id)
            # Whoever catches it inside the block commits nothing.
            with self.assertRaises(hos.RetryError):
                self.mert.begin("lamp", fresh("l"), "make", legacy=True, **words(crosses))
            self.assertIs(self.connection.needs_rollback, True)
        waits.join()
        other.rollback()
        self.assertEqual(self.kept(id)[0], 0)

    def test_each_thread_has_its_own_connection(self):
        ids, failed = [fresh("o") for _ in range(4)], []

        def run(id):
            from django.db import connections

            try:
                self.assertIs(self.engine.transaction(lambda: self.birth(id), tries=20).allowed, True)
            except BaseException as error:
                failed.append(error)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=run, args=(id,)) for id in ids]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failed, [])
        self.assertEqual([self.kept(id)[1] for id in ids], [1] * 4)

    def test_a_connection_that_django_closed_is_opened_again(self):
        self.connection.close()
        self.assertIs(self.engine.transaction(lambda: self.birth(fresh("o"))).allowed, True)

    def test_permissions(self):
        from django.contrib.auth.models import User

        Django.shared = self.engine
        self.assertIs(User(username="mert").has_perm("hall.enter", H1), True)
        self.assertIs(User(username="nobody").has_perm("hall.enter", H1), False)


class InTests(unittest.TestCase):
    def test_a_test_of_djangos_own(self):
        """Where Django's tests put a block around everything, a transaction of ours is a savepoint in it."""
        from django.test import TestCase

        said = []

        class Shop(TestCase):
            databases = ["default"]

            def test(own):
                from django.db import connection

                engine = hos.Engine.open(LAW, store=connection)
                mert = engine.tenant("t1").as_(MERT)
                facts = {"owner": MERT, "price": 5}
                said.append(engine.transaction(lambda: mert.begin("ticket", fresh("o"), "order", facts=facts)).allowed)

        result = unittest.TestResult()
        Shop("test").run(result)
        self.assertEqual((result.errors, result.failures, said), ([], [], [True]))


class Proxy(unittest.TestCase):
    def test_the_connection_that_django_gives(self):
        from django.db import connection, transaction

        engine = hos.Engine.open(LAW, store=connection)
        with transaction.atomic():
            self.assertIs(engine.tenant("t1").as_(AYSE).record(fresh("s"), "x").allowed, True)
        connection.close()


def load_tests(loader, tests, pattern):
    # Each on a store of its own database: what is left out is said by `of`.
    makers = [hosts.ALL[0], lambda: hosts.Psycopg(), lambda: hosts.Mysqlclient()]
    suite = hosts.of(makers, Django)
    found = {type(case).host.dialect: type(case).host for case in suite}
    for host in found.values():
        host.share()
    configure(found.values())
    suite.addTests(loader.loadTestsFromTestCase(Proxy))
    suite.addTests(loader.loadTestsFromTestCase(InTests))
    suite.addTest(Verified("verified", list(found.values())))
    return suite


class Verified(unittest.TestCase):
    def __init__(self, name="verified", found=()):
        super().__init__(name)
        self.found = found

    def verified(self):
        for host in self.found:
            host.hos("work")
            self.assertEqual(json.loads(host.hos("verify", "--json"))["level"], "intact")


if __name__ == "__main__":
    unittest.main()
