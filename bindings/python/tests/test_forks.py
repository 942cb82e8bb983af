"""Forks with an open engine: every start method, calls under way, and what a child inherits."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import unittest

from house import AYSE, H1, H2, LAW, MERT, Stored, hos

METHODS = multiprocessing.get_all_start_methods()


def own_engine(store, results):
    """What a worker does: it opens an engine of its own."""
    with hos.Engine.open(LAW, store=store) as engine:
        ayse = engine.tenant("t1").as_(AYSE)
        results.put((os.getpid(), ayse.can("hall.enter", H1).allowed, ayse.record("notes.page", "x").allowed))


@hos.per_process
def lazy():
    return hos.Engine.open(LAW, store=os.environ["HOS_TEST_STORE"])


def told_the_store(store):
    os.environ["HOS_TEST_STORE"] = store


def lazily(_):
    answer = lazy().tenant("t1").as_(AYSE).record("notes.page", "x")
    return os.getpid(), id(lazy()) == id(lazy()), answer.allowed


def in_child(work, timeout=30):
    """Runs this in a forked child, and gives what it returned, as text. A child that hangs is killed."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reader)
            try:
                said = str(work())
            except BaseException as error:
                said = f"{type(error).__name__} {getattr(error, 'code', error)}"
            os.write(writer, said.encode())
        finally:
            os._exit(0)
    os.close(writer)
    killer = threading.Timer(timeout, os.kill, (pid, signal.SIGKILL))
    killer.start()
    try:
        with os.fdopen(reader) as text:
            said = text.read()
        status = os.waitpid(pid, 0)[1]
    finally:
        killer.cancel()
    return said if status == 0 else f"ended with {status}"


class Forks(Stored):
    def test_an_inherited_engine_is_closed_in_the_child(self):
        engine = self.open()
        ayse = engine.tenant("t1").as_(AYSE)
        answer = ayse.can("hall.enter", H2)
        closed = "ClosedError hos.engine_closed"
        for work in (
            lambda: ayse.can("hall.enter", H1),
            lambda: ayse.can("hall.enter", H1, legacy={"allowed": True}),
            lambda: ayse.record("notes.page", "x"),
            lambda: ayse.history("ticket", "k"),
            lambda: engine.call("can", "{}"),
            lambda: answer.message("en"),
            engine.close,
        ):
            self.assertEqual(in_child(work), closed)
        self.assertEqual(in_child(lambda: engine.closed), "True")
        self.assertEqual(in_child(lambda: answer.code), "hos.not_permitted")
        self.assertIs(engine.closed, False)
        self.assertIs(ayse.record("notes.page", "x").allowed, True)
        self.verify()

    def test_the_child_opens_its_own(self):
        engine = self.open()
        ayse = engine.tenant("t1").as_(AYSE)

        def work():
            with hos.Engine.open(LAW, store=self.store) as own:
                actor = own.tenant("t1").as_(AYSE)
                return [actor.can("hall.enter", H1).allowed, actor.record("notes.page", "x").allowed]

        for _ in range(3):
            self.assertEqual(in_child(work), "[True, True]")
            self.assertIs(ayse.record("notes.page", "x").allowed, True)
        self.verify()

    def test_what_a_child_drops_stays_open_in_the_parent(self):
        engines = [self.open()]
        actors = [engines[0].tenant("t1").as_(AYSE)]
        answers = [actors[0].can("hall.enter", H2)]

        def work():
            import gc

            engines.clear()
            actors.clear()
            answers.clear()
            gc.collect()
            return "dropped"

        self.assertEqual(in_child(work), "dropped")
        self.assertIs(actors[0].record("notes.page", "x").allowed, True)
        # Another process still finds the store in use as it was: nothing of the parent's locks was let go.
        said = self.child(
            """
            import os, hos
            with hos.Engine.open(os.environ["LAW"], store=os.environ["STORE"]) as engine:
                print(engine.tenant("t1").as_('S::Account::"ayse"').record("notes.page", "y").allowed)
            """
        )
        self.ends_well(said, "True")
        self.assertIs(actors[0].record("notes.page", "x").allowed, True)
        self.verify()

    def test_a_child_that_ends_as_programs_do(self):
        said = self.child(
            """
            import os, sys, hos
            engine = hos.Engine.open(os.environ["LAW"], store=os.environ["STORE"])
            ayse = engine.tenant("t1").as_('S::Account::"ayse"')
            pid = os.fork()
            if pid == 0:
                sys.exit(7)  # with all of Python's own ending
            print(os.waitpid(pid, 0)[1] >> 8, ayse.record("notes.page", "x").allowed)
            """
        )
        self.ends_well(said, "7 True")
        self.verify()

    def test_forks_wait_for_calls_under_way(self):
        engine = self.open()
        stop, strange, written = threading.Event(), [], []

        def write():
            ayse = engine.tenant("t1").as_(AYSE)
            while not stop.is_set():
                try:
                    written.append(ayse.record("notes.page", "x").allowed)
                    written.append(ayse.can("hall.enter", H1).allowed)
                    written.append(ayse.can("hall.enter", H1, legacy={"allowed": False}).allowed)
                except BaseException as error:
                    strange.append(error)

        def work():
            with hos.Engine.open(LAW, store=self.store) as own:
                return own.tenant("t1").as_(AYSE).record("notes.page", "child").allowed

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        longest = 0.0
        try:
            for _ in range(15):
                begun = time.monotonic()
                self.assertEqual(in_child(work), "True")
                longest = max(longest, time.monotonic() - begun)
        finally:
            stop.set()
            for thread in threads:
                thread.join(30)
        self.assertEqual(strange, [])
        self.assertEqual(set(written), {True})
        self.assertGreater(len(written), 100)
        self.assertLess(longest, 15, "a fork and what holds it back waited for each other")
        self.verify()

    def test_other_hooks_that_let_go_of_the_interpreter(self):
        """Between our hook and the fork itself other threads may run; one that asks `can` there must not stop the fork."""
        said = self.child(
            """
            import os, threading, time
            # Registered before the package's own, so it runs after it: other threads get the interpreter while forks wait.
            os.register_at_fork(before=lambda: time.sleep(0.7))
            import hos
            engine = hos.Engine.open(os.environ["LAW"], store=os.environ["STORE"])
            mert = engine.tenant("t1").as_('S::Account::"mert"')
            stop, asked = threading.Event(), []
            def ask():
                while not stop.is_set():
                    # While a fork is under way the directory grows older than half a second, and the store is asked again.
                    time.sleep(0.01)
                    asked.append(mert.can("hall.enter", 'S::Hall::"h1"').allowed)
            thread = threading.Thread(target=ask)
            thread.start()
            begun = time.monotonic()
            for _ in range(2):
                pid = os.fork()
                if pid == 0:
                    os._exit(0)
                os.waitpid(pid, 0)
            took = time.monotonic() - begun
            stop.set()
            thread.join()
            print(set(asked), took < 10)
            """
        )
        self.ends_well(said, "{True} True")

    def test_nothing_is_half_made_in_a_child(self):
        """A fork comes while another thread looks for the first time at what an answer or a failure says: the child looks too."""
        for look in ("close", "__repr__"):
            with self.subTest(look=look):
                said = self.child(
                    """
                    import collections, io, itertools, operator, os, signal, sys, threading, time
                    look, begun = sys.argv[1], threading.Lock()
                    begun.acquire()
                    def meet():
                        # The other thread has the interpreter all the while until it comes to its look; what it lets go of there this
                        # one takes, which waits for it by then, and keeps it.
                        begun.release()
                        time.sleep(0.02)
                        sys.setswitchinterval(60)
                        until = time.monotonic() + 0.1
                        while time.monotonic() < until:
                            pass
                    # Registered before the package's own, so it runs after it.
                    os.register_at_fork(before=meet)
                    import hos
                    engine = hos.Engine.open(os.environ["LAW"], store=os.environ["STORE"])
                    answer = engine.tenant("t1").as_('S::Account::"ayse"').can("hall.enter", 'S::Hall::"h2"')
                    engine.close()
                    at, other = (engine, io.StringIO()) if look == "close" else (answer, 0)
                    def looks(*before):
                        try:
                            collections.deque(map(operator.methodcaller(look), itertools.chain(*before, [at])), 0)
                        except hos.ClosedError:
                            pass
                    def first():
                        begun.acquire()
                        looks(itertools.repeat(other, 2_000_000))
                    thread = threading.Thread(target=first)
                    thread.start()
                    pid = os.fork()
                    if pid == 0:
                        signal.alarm(20)
                        looks()
                        os._exit(0)
                    print(os.waitpid(pid, 0)[1])
                    thread.join()
                    """,
                    look,
                )
                self.ends_well(said, "0")

    def test_subprocesses(self):
        engine = self.open()
        ayse = engine.tenant("t1").as_(AYSE)
        subprocess.run([sys.executable, "-c", ""], check=True)
        subprocess.run([sys.executable, "-c", ""], check=True, preexec_fn=lambda: None)
        self.assertIs(ayse.record("notes.page", "x").allowed, True)

    def test_locks_of_a_lazy_engine_do_not_outlive_a_fork(self):
        inside, go = threading.Event(), threading.Event()

        @hos.per_process
        def slow():
            if not go.is_set():
                inside.set()
                go.wait(20)
            return hos.Engine.open(LAW, store=self.store)

        thread = threading.Thread(target=slow)
        thread.start()
        inside.wait(20)

        def work():
            go.set()
            return slow().tenant("t1").as_(AYSE).can("hall.enter", H1).allowed

        self.assertEqual(in_child(work), "True")
        go.set()
        thread.join(20)
        self.assertIs(slow().tenant("t1").as_(AYSE).can("hall.enter", H1).allowed, True)
        slow().close()
        self.assertIs(slow().tenant("t1").as_(AYSE).can("hall.enter", H1).allowed, True, "it opens anew after a close")
        slow().close()


class StartMethods(Stored):
    def test_each(self):
        engine = self.open()
        ayse = engine.tenant("t1").as_(MERT)
        self.assertEqual(sorted(METHODS), ["fork", "forkserver", "spawn"])
        for method in METHODS:
            with self.subTest(method=method):
                context = multiprocessing.get_context(method)
                results = context.Queue()
                workers = [context.Process(target=own_engine, args=(self.store, results)) for _ in range(2)]
                for worker in workers:
                    worker.start()
                said = [results.get(timeout=60) for _ in workers]
                for worker in workers:
                    worker.join(60)
                self.assertEqual([worker.exitcode for worker in workers], [0, 0])
                self.assertEqual(len({pid for pid, _, _ in said} | {os.getpid()}), 3)
                self.assertEqual([one[1:] for one in said], [(True, True)] * 2)
                self.assertIs(ayse.can("hall.enter", H1).allowed, True)
        self.verify()

    def test_pools_that_open_lazily(self):
        os.environ["HOS_TEST_STORE"] = self.store
        self.addCleanup(os.environ.pop, "HOS_TEST_STORE")
        # In the parent too, before it forks.
        self.assertEqual(lazily(0)[1:], (True, True))
        self.addCleanup(lambda: lazy().close())
        for method in METHODS:
            with self.subTest(method=method):
                # A server of forks that runs already has the environment of its own beginning.
                told = {"initializer": told_the_store, "initargs": (self.store,)}
                with multiprocessing.get_context(method).Pool(2, **told) as pool:
                    said = pool.map(lazily, range(20), chunksize=1)
                self.assertEqual({one[1:] for one in said}, {(True, True)})
                self.assertNotIn(os.getpid(), {pid for pid, _, _ in said})
        self.assertEqual(lazily(0)[1:], (True, True))
        self.verify()


if __name__ == "__main__":
    unittest.main()
