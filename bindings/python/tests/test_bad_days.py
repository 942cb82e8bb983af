"""Closing, threads, panics, the end of the interpreter, memory, revocations."""

import os
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

from house import AYSE, H1, H2, LAW, MERT, Stored, hos, run_hos


class Closing(Stored):
    def test_use_after_close(self):
        engine = self.open()
        mert = engine.tenant("t1").as_(MERT)
        no = mert.can("hall.enter", H2)
        self.assertIs(engine.closed, False)
        engine.close()
        self.assertIs(engine.closed, True)
        closed = (hos.ClosedError, "hos.engine_closed")
        for call in (
            engine.close,
            lambda: mert.can("hall.enter", H1),
            lambda: mert.can("hall.enter", H1, legacy={"allowed": True}),
            lambda: mert.begin("ticket", "k", "order"),
            lambda: mert.available("ticket", "k"),
            lambda: mert.history("ticket", "k"),
            lambda: mert.directory.revoke("g"),
            lambda: engine.tenant("t1").message("x", "en"),
            lambda: engine.call("can", "{}"),
            lambda: no.message("en"),
        ):
            self.refused(*closed, call)
        # What was answered stays readable.
        self.assertEqual((no.allowed, no.code), (False, "hos.not_permitted"))
        self.assertIs(self.open().tenant("t1").as_(MERT).can("hall.enter", H1).allowed, True)

    def test_the_context_manager(self):
        with self.open() as engine:
            self.assertIs(engine.tenant("t1").as_(MERT).can("hall.enter", H1).allowed, True)
        self.assertIs(engine.closed, True)
        with self.open() as engine:
            engine.close()
        with self.assertRaises(ZeroDivisionError):
            with self.open() as engine:
                raise ZeroDivisionError
        self.assertIs(engine.closed, True)

    def test_one_store_in_other_words_is_one_engine(self):
        place, name = os.path.split(os.path.realpath(self.store))
        here = os.getcwd()
        os.chdir(place)
        self.addCleanup(os.chdir, here)
        os.makedirs(os.path.join(place, "a", "b"))
        os.symlink(place, os.path.join(place, "also"))
        os.symlink(os.path.join("a", "b"), os.path.join(place, "deep"))
        law, store = str(LAW), os.path.join(place, name)
        ayse = hos.Engine.open(law, store=store).tenant("t1").as_(AYSE)
        ayse.directory.put(H2, {"open": True})
        for other in (name, f"./{name}", f"{place}/./{name}", f"{place}//{name}", f"also/{name}", f"deep/../../{name}", Path(name)):
            for words in (law, law + "/", os.path.join(law, "."), os.path.relpath(law), LAW):
                with self.subTest(store=other, law=words):
                    engine = hos.Engine.open(words, store=other)
                    self.assertIs(engine.tenant("t1").as_(MERT).can("hall.enter", H2).allowed, True)
        engine = hos.Engine.of_options({"law": os.path.relpath(law), "store": name})
        self.assertIs(engine.tenant("t1").as_(MERT).can("hall.enter", H2).allowed, True)
        # `..` is where the file system says, not where the words do.
        self.refused(hos.StoreError, "hos.store_unavailable", hos.Engine.open, law, store=f"deep/../{name}")

    def test_an_engine_that_nobody_holds_closes(self):
        def used():
            engine = hos.Engine.open(LAW, store=self.store)
            return engine.tenant("t1").as_(MERT).can("hall.enter", H2)

        answer = used()
        # The answer holds the engine, for its messages.
        self.refused(hos.RetryError, "hos.store_busy", hos.Engine.open, store=self.store)
        self.assertEqual(answer.code, "hos.not_permitted")
        del answer
        self.open()

    def test_opened_twice_in_the_same_way(self):
        one, other = self.open(), self.open()
        ayse = other.tenant("t1").as_(AYSE)
        one.close()
        self.assertIs(ayse.record("notes.page", "x").allowed, True)
        self.refused(hos.RetryError, "hos.store_busy", hos.Engine.open, store=self.store)
        other.close()
        self.refused(hos.ClosedError, "hos.engine_closed", ayse.can, "hall.enter", H1)
        hos.Engine.open(store=self.store).close()

    def test_close_during_calls(self):
        for _ in range(5):
            engine = hos.Engine.open(LAW, store=self.store)
            ended, strange = [], []

            def work(write, engine=engine, ended=ended, strange=strange):
                ayse = engine.tenant("t1").as_(AYSE)
                try:
                    while True:
                        answer = ayse.record("notes.page", "x") if write else ayse.can("hall.enter", H1)
                        if answer.allowed is not True:
                            strange.append(answer.json())
                except hos.ClosedError:
                    ended.append(write)
                except BaseException as error:
                    strange.append(error)

            threads = [threading.Thread(target=work, args=(write,)) for write in (True, True, False, False)]
            for thread in threads:
                thread.start()
            time.sleep(0.05)
            engine.close()
            for thread in threads:
                thread.join(20)
            self.assertEqual((sorted(ended), strange), ([False, False, True, True], []))
        self.verify()


class Threads(Stored):
    def test_many_threads_at_once(self):
        engine = self.open()
        counts, strange = [], []

        def work(number):
            try:
                ayse = engine.tenant("t1").as_(AYSE)
                for i in range(30):
                    begun = ayse.begin("ticket", f"k-{number}-{i}", "order", facts={"owner": AYSE, "price": i})
                    assert begun.allowed is True, begun.json()
                    assert ayse.can("hall.enter", H1).allowed is True
                    assert ayse.can("hall.enter", H2).allowed is False
                    counts.append(1)
            except BaseException as error:
                strange.append(error)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((len(counts), strange), (180, []))
        self.verify()

    def test_others_run_while_one_writes(self):
        """A write lets go of the interpreter's lock: it waits for another process, and this thread goes on."""
        engine = self.open(busy_timeout_ms=60_000)
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, self.store], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(holder.wait)
        self.assertEqual(holder.stdout.readline(), "held\n")
        written = threading.Event()

        def write():
            engine.tenant("t1").as_(AYSE).record("notes.page", "x")
            written.set()

        thread = threading.Thread(target=write)
        thread.start()
        mert = engine.tenant("t1").as_(MERT)
        until = time.monotonic() + 0.5
        decided = 0
        while time.monotonic() < until:
            self.assertIs(mert.can("hall.enter", H1).allowed, True)
            decided += 1
        self.assertIs(written.is_set(), False, "it did not wait, so this shows nothing")
        self.assertGreater(decided, 100)
        holder.communicate("\n")
        thread.join(30)
        self.assertIs(written.is_set(), True)


# Holds the store's write lock, as another process that writes for long.
HOLDER = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
held.execute("ROLLBACK")
"""


class Panics(Stored):
    def test_planted_at_each_depth(self):
        engine = hos.Engine.of_options({"store": self.store, "law": str(LAW), "clock": "PT0S"})
        self.addCleanup(self.end, engine)
        ayse = engine.tenant("t1").as_(AYSE)
        for _ in range(3):
            for depth in ("call", "boundary"):
                error = self.refused(hos.InternalError, "hos.internal", engine.call, "failpoint", {"panic": depth})
                self.assertNotIn("planted", str(error))
                self.assertIsInstance(error, Exception)
            engine.call("failpoint", {"panic": "clock"})
            self.refused(hos.InternalError, "hos.internal", ayse.record, "notes.page", "lost")
            self.assertIs(ayse.can("hall.enter", H1).allowed, True)
            self.assertIs(ayse.can("hall.enter", H2).allowed, False)
            self.assertIs(ayse.record("notes.page", "kept").allowed, True)
        engine.close()
        self.verify()

    def test_planted_while_others_work(self):
        engine = hos.Engine.of_options({"store": self.store, "law": str(LAW), "clock": "PT0S"})
        self.addCleanup(self.end, engine)
        stop, strange, internal = threading.Event(), [], []

        def work():
            ayse = engine.tenant("t1").as_(AYSE)
            while not stop.is_set():
                try:
                    if ayse.record("notes.page", "x").allowed is not True or ayse.can("hall.enter", H2).allowed is not False:
                        strange.append("another answer")
                except hos.InternalError as error:
                    internal.append(error)
                except BaseException as error:
                    strange.append(error)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(10):
            engine.call("failpoint", {"panic": "clock"})
            time.sleep(0.02)
        stop.set()
        for thread in threads:
            thread.join(20)
        self.assertEqual(strange, [])
        self.assertGreater(len(internal), 0)
        engine.close()
        self.verify()


class TheEnd(Stored):
    OPEN = """
        import os, sys, threading, time, hos
        engine = hos.Engine.open(os.environ["LAW"], store=os.environ["STORE"])
        ayse = engine.tenant("t1").as_('S::Account::"ayse"')
        """

    def ends(self, code, wanted):
        said = self.child(self.OPEN + code)
        self.ends_well(said, wanted)
        self.verify()

    def test_with_an_open_engine(self):
        self.ends(
            """
        print(ayse.record("notes.page", "x").allowed)
        """,
            "True",
        )

    def test_with_an_engine_in_a_cycle_and_in_a_global(self):
        self.ends(
            """
        class Node: pass
        one = Node(); one.itself = one; one.engine = engine; one.answer = ayse.can("hall.enter", 'S::Hall::"h1"')
        sys.kept = one
        print(one.answer.allowed)
        """,
            "True",
        )

    def test_with_threads_that_are_inside(self):
        self.ends(
            """
        def work():
            while True:
                ayse.record("notes.page", "x")
                ayse.can("hall.enter", 'S::Hall::"h1"')
        for _ in range(4):
            threading.Thread(target=work, daemon=True).start()
        time.sleep(0.2)
        print("end")
        """,
            "end",
        )

    def test_by_calls_in_exit_handlers(self):
        self.ends(
            """
        import atexit
        class Last:
            def __del__(self):
                try:
                    print(ayse.can("hall.enter", 'S::Hall::"h2"').allowed)
                except Exception as error:
                    print(type(error).__name__)
        last = Last()
        atexit.register(lambda: print(ayse.record("notes.page", "x").allowed))
        del last
        """,
            "False\nTrue",
        )

    def test_by_a_kill(self):
        code = self.OPEN + "    \n" + """
        print("open", flush=True)
        while True:
            ayse.record("notes.page", "x")
        """
        import textwrap

        environment = {**os.environ, "STORE": self.store, "LAW": str(LAW)}
        child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], env=environment, stdout=subprocess.PIPE, text=True)
        self.assertEqual(child.stdout.readline(), "open\n")
        time.sleep(0.2)
        child.kill()
        child.communicate()
        self.verify()
        self.assertIs(self.open().tenant("t1").as_(AYSE).record("notes.page", "x").allowed, True)


class Memory(Stored):
    def test_a_million_calls(self):
        said = self.child(
            """
            import os, hos
            def resident():
                with open("/proc/self/statm") as text:
                    return int(text.read().split()[1]) * os.sysconf("SC_PAGESIZE")
            engine = hos.Engine.open(os.environ["LAW"], store=os.environ["STORE"])
            tenant = engine.tenant("t1")
            hall, shut = hos.Uid("S::Hall", "h1"), hos.Uid("S::Hall", "h2")
            context = {"hour": 12, "badge": "x", "escorted": True}
            yes = no = wrong = 0
            def some(times):
                global yes, no, wrong
                for i in range(times // 10):
                    actor = tenant.as_(hos.Uid("S::Account", "mert"))
                    for _ in range(8):
                        yes += actor.can("hall.enter", hall, context=context).allowed
                    answer = actor.can("hall.enter", shut)
                    no += answer.code == "hos.not_permitted"
                    try:
                        actor.can("hall.enter", hall, context={"hour": 0.5})
                    except hos.CallError:
                        wrong += 1
            some(100_000)
            before = resident()
            some(900_000)
            print(yes, no, wrong, (resident() - before) // 1024)
            """,
            timeout=300,
        )
        self.assertEqual((said.returncode, said.stderr), (0, ""))
        yes, no, wrong, grown = map(int, said.stdout.split())
        self.assertEqual((yes, no, wrong), (800_000, 100_000, 100_000))
        self.assertLess(grown, 2048, "KiB more after 900,000 calls")


class Revocation(Stored):
    def setUp(self):
        super().setUp()
        grant = ["directory", "grant", "g-1", "guests", "--principal", "Account::mert", "--resource", "Hall::h2"]
        run_hos(self.store, *grant, "--tenant", "t1", "--as", "Account::ayse")

    def test_in_this_process_at_once(self):
        engine = self.open()
        revoked, late, early = threading.Event(), [], []

        def ask():
            mert = engine.tenant("t1").as_(MERT)
            while True:
                was = revoked.is_set()
                allowed = mert.can("hall.enter", H2).allowed
                (late if was else early).append(allowed)
                if len(late) > 500:
                    return

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.1)
        self.assertIs(engine.tenant("t1").as_(AYSE).directory.revoke("g-1").allowed, True)
        revoked.set()
        for thread in threads:
            thread.join(20)
        self.assertIn(True, early)
        self.assertEqual(set(late), {False})

    def test_in_other_processes(self):
        """They confirm their directory at least every half second, so a revocation is met within that time everywhere."""
        self.told_to_others(None, 0.5)

    def test_in_other_processes_that_ask_the_store_first(self):
        self.told_to_others(0, 0.0)

    def told_to_others(self, age, limit):
        code = """
            import os, sys, time, hos
            age = int(os.environ["AGE"]) if os.environ["AGE"] else None
            engine = hos.Engine.open(os.environ["LAW"], store=os.environ["STORE"], directory_age_max_ms=age)
            mert = engine.tenant("t1").as_('S::Account::"mert"')
            hall = hos.Uid("S::Hall", "h2")
            print(mert.can("hall.enter", hall).allowed, flush=True)
            while True:
                asked = time.monotonic()
                if mert.can("hall.enter", hall).allowed is not True:
                    break
                last = asked
            until = time.monotonic() + 0.3
            while time.monotonic() < until:
                asked = time.monotonic()
                if mert.can("hall.enter", hall).allowed is not False:
                    last = asked
            print(last, flush=True)
            """
        import textwrap

        environment = {**os.environ, "STORE": self.store, "LAW": str(LAW), "AGE": "" if age is None else str(age)}
        workers = [
            subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], env=environment, stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        for worker in workers:
            self.assertEqual(worker.stdout.readline(), "True\n")
        self.assertIs(self.open().tenant("t1").as_(AYSE).directory.revoke("g-1").allowed, True)
        returned = time.monotonic()
        for worker in workers:
            last = float(worker.communicate(timeout=20)[0])
            self.assertLess(last - returned, limit, "asked so many seconds after the revoking call had returned, and a yes")


if __name__ == "__main__":
    unittest.main()
