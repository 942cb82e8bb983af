"""`shadow`: the world decides, the law watches, and whatever befalls the law the world does not feel it."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import layout
import worlds
from house import AYSE, H1, H2, LAW, MERT, Stored, hos, made_store, run_hos
from test_bad_days import HOLDER


class Watched(Stored):
    """With a store whose law only watches."""

    def setUp(self):
        super().setUp()
        run_hos(self.store, "law", "activate", str(LAW), "--mode", "shadow", "--tenant", "t1", "--as", "Account::ayse")
        self.engine = self.watched()
        self.mert = self.engine.tenant("t1").as_(MERT)

    def watched(self, store=None, **options):
        engine = hos.Engine.open_for_shadow(LAW, store=store or self.store, **options)
        self.assertIsNone(engine.absent)
        self.addCleanup(self.end, engine)
        return engine

    def codes(self, told):
        return {one.code for one in told}


class Healthy(Watched):
    def test_all_worlds(self):
        told = worlds.harmed(self, self.mert)
        self.assertEqual({one.mode for one in told}, {"shadow"})
        self.engine.close()
        self.verify()

    def test_what_the_law_is_told(self):
        for name, (legacy, allowed) in worlds.ALL.items():
            with self.subTest(name):
                told = []
                try:
                    self.mert.shadow_can("hall.enter", H1, legacy=legacy, seen=told.append)
                except Exception:
                    pass
                self.assertIs(told[0].allowed, allowed)

    def test_where_law_and_world_differ(self):
        told = []
        facts = {"owner": MERT, "price": 5}
        self.mert.shadow_begin("ticket", "k-1", "order", legacy=lambda: 7, facts=facts, seen=told.append)
        world = self.mert.shadow(
            "ticket",
            "k-1",
            "pay",
            legacy=lambda: "paid",
            outcome=lambda said: hos.Legacy(allowed=True, state=said),
            args={"amount": 1},
            seen=told.append,
        )
        self.assertIs(self.mert.shadow_can("hall.enter", H2, legacy=lambda: True, seen=told.append), True)
        self.assertIs(self.mert.shadow_can("hall.enter", H1, legacy=lambda: False, seen=told.append), False)
        self.assertEqual(world, "paid")
        said = [(one.allowed, one.code, one.divergence) for one in told]
        self.assertEqual(
            said,
            [
                (True, None, False),
                (True, "ticket.too_little", True),
                (True, "hos.not_permitted", True),
                (False, None, True),
            ],
        )
        self.assertEqual([one.to for one in self.mert.history("ticket", "k-1")], ["new", "paid"], "it follows the world")

    def test_outcome(self):
        gone = worlds.Refusal("gone")
        cases = {
            "of what it gave": (lambda: {"status": "failed"}, lambda said: said["status"] == "ok", False),
            "nothing said": (lambda: False, lambda said: None, False),
            "of what it raised": (worlds.raising(gone), lambda said: said is gone, True),
            "not of what it raised": (worlds.raising(gone), lambda said: said["status"] == "ok", False),
            "a dict": (lambda: 1, lambda said: {"allowed": False}, False),
        }
        for name, (legacy, outcome, allowed) in cases.items():
            with self.subTest(name):
                told = []
                try:
                    self.mert.shadow_can("hall.enter", H1, legacy=legacy, outcome=outcome, seen=told.append)
                except worlds.Refusal as raised:
                    self.assertIs(raised, gone)
                self.assertIs(told[0].allowed, allowed)

    def test_an_outcome_that_is_of_no_use(self):
        async def later(said):
            return True

        for outcome in (lambda said: "yes", lambda: True, "no function", 7, later):
            told = worlds.harmed(self, self.mert, forms=["shadow"], outcome=outcome)
            # What the world raises is a refusal however little `outcome` makes of it.
            self.assertGreater(sum(isinstance(one, Exception) for one in told), len(told) // 2)
        with self.assertRaises(hos.AbsentError):
            self.mert.history("ticket", "k-1")

    def test_seen_may_fail(self):
        async def later(told):
            raise ValueError("x")

        for seen in (worlds.raising(ValueError("x")), lambda told: 1 / 0, "no function", 7, later):
            worlds.harmed(self, self.mert, forms=["shadow_can"], seen=seen)
            for actor in (self.mert, hos.Engine.open_for_shadow(store="/nowhere").tenant("t1").as_(MERT)):
                gone = worlds.Refusal("gone")
                self.assertEqual(actor.shadow_can("hall.enter", H1, legacy=lambda: 5, seen=seen), 5)
                with self.assertRaises(worlds.Refusal) as met:
                    actor.shadow_can("hall.enter", H1, legacy=worlds.raising(gone), seen=seen)
                self.assertIs(met.exception, gone)
                self.assertEqual((gone.__cause__, gone.__context__), (None, None))

    def test_a_coroutine_without_aio_is_not_judged(self):
        told = []

        async def legacy():
            return 5

        given = self.mert.shadow_can("hall.enter", H1, legacy=legacy, seen=told.append)
        self.assertEqual(asyncio.run(given), 5)
        self.assertIsInstance(told[0], hos.CallError)

    def test_an_order_to_stop_is_no_outcome(self):
        for stop in (KeyboardInterrupt(), SystemExit(3), asyncio.CancelledError()):
            told = []
            with self.assertRaises(type(stop)) as met:
                self.mert.shadow_can("hall.enter", H1, legacy=worlds.raising(stop), seen=told.append)
            self.assertEqual((met.exception, told), (stop, []))

            async def story(stop=stop, told=told):
                await self.mert.aio.shadow_can("hall.enter", H1, legacy=worlds.raising(stop), seen=told.append)

            with self.assertRaises(type(stop)):
                asyncio.run(story())
            self.assertEqual(told, [])

    def test_an_order_to_stop_that_comes_while_the_law_is_judged(self):
        for stop in (KeyboardInterrupt(), SystemExit(3)):
            for words in ({"seen": lambda told, stop=stop: worlds.raising(stop)()}, {"outcome": lambda said, stop=stop: worlds.raising(stop)()}):
                with self.assertRaises(type(stop)) as met:
                    self.mert.shadow_can("hall.enter", H1, legacy=lambda: 5, **words)
                self.assertIs(met.exception, stop)

        async def legacy():
            return 5

        async def story():
            reached = asyncio.Event()

            async def seen(told):
                reached.set()
                await asyncio.sleep(60)

            task = asyncio.ensure_future(self.mert.aio.shadow_can("hall.enter", H1, legacy=legacy, seen=seen))
            await reached.wait()
            task.cancel()
            await task

        with self.assertRaises(asyncio.CancelledError):
            asyncio.run(story())

    def test_a_loop_goes_on_while_the_law_is_judged(self):
        holder = held(self)
        ticks, seen = [], []

        async def story():
            task = asyncio.ensure_future(self.mert.aio.shadow_begin("ticket", "k-9", "order", legacy=given, seen=saw))
            while not task.done():
                ticks.append(1)
                if len(ticks) == 20:
                    holder.communicate("\n")
                await asyncio.sleep(0.01)
            return await task

        async def given():
            return 5

        async def saw(told):
            await asyncio.sleep(0)
            seen.append(told)

        self.assertEqual(asyncio.run(story()), 5)
        self.assertGreaterEqual(len(ticks), 20)
        self.assertEqual(len(seen), 1)


def held(test):
    """Another process that writes for long."""
    command = [sys.executable, "-c", HOLDER, test.store]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    test.addCleanup(holder.wait)
    test.assertEqual(holder.stdout.readline(), "held\n")
    return holder


class BadDays(Watched):
    def stood_in(self, engine, kind, code=None):
        self.assertIsInstance(engine.absent, kind)
        if code is not None:
            self.assertEqual(engine.absent.code, code)
        actor = engine.tenant("t1").as_(MERT, language="tr")
        told = worlds.harmed(self, actor)
        self.assertEqual({id(one) for one in told}, {id(engine.absent)})
        aio = actor.aio
        for call in (
            lambda: actor.can("hall.enter", H1),
            lambda: actor.can("hall.enter", H1, legacy=True),
            lambda: actor.begin("ticket", "k", "order"),
            lambda: actor.transition("ticket", "k", "pay", legacy=True),
            lambda: actor.history("ticket", "k"),
            lambda: actor.directory.revoke("g"),
            lambda: actor.principal,
            lambda: engine.tenant("t1").message("x", "en"),
            lambda: engine.call("can", "{}"),
            lambda: asyncio.run(aio.transition("ticket", "k", "pay")),
            lambda: asyncio.run(ask(aio)),
        ):
            with self.assertRaises(kind) as met:
                call()
            self.assertIs(met.exception, engine.absent)
        with engine as same:
            self.assertIs(same, engine)
        engine.close()
        self.assertFalse(hasattr(engine, "__wrapped__"))

    def test_an_engine_that_cannot_be_opened(self):
        place = Path(self.place.name)
        (place / "rotten.db").write_bytes(b"no store" * 1000)
        (place / "law").mkdir()
        (place / "law" / "law.toml").write_text("name = ")
        keyless = made_store(str(place / "keyless"))
        os.unlink(f"{keyless}.key")
        pazar = layout.ROOT / "examples" / "pazar" / "law"
        other = made_store(str(place / "other"))
        for name, words, options, kind, code in (
            ("no store", (), {"store": "/nowhere/hos.db"}, hos.StoreError, "hos.store_unavailable"),
            ("what is no store", (), {"store": place / "rotten.db"}, hos.HosError, None),
            ("a faulty law", (place / "law",), {"store": other}, hos.LawError, "hos.law_invalid"),
            ("another law", (pazar,), {"store": other}, hos.LawError, "hos.law_not_active"),
            ("no key", (), {"store": keyless}, hos.HosError, None),
            ("an option of another name", (), {"stor": "x"}, TypeError, None),
            ("an option of another type", (), {"store": 7}, TypeError, None),
            ("an option that is none", (), {"store": other, "busy_timeout_ms": -1}, hos.CallError, None),
        ):
            with self.subTest(name):
                self.stood_in(hos.Engine.open_for_shadow(*words, **options), kind, code)
        self.stood_in(asyncio.run(hos.aio.open_for_shadow(store="/nowhere")), hos.StoreError)
        self.stood_in(hos.Engine.open_for_shadow(store="/nowhere").on(object()), hos.StoreError)

    def test_no_extension(self):
        """As a program meets it: the package without its module, or with one that is none."""
        for module in (None, b"no library", Path("/lib/x86_64-linux-gnu/libc.so.6")):
            with self.subTest(module), tempfile.TemporaryDirectory() as place:
                shutil.copytree(layout.BINDING / "python" / "hos", Path(place) / "hos")
                file = Path(place) / "hos" / "_hos.abi3.so"
                if isinstance(module, bytes):
                    file.write_bytes(module)
                elif module is not None:
                    shutil.copy(module, file)
                said = self.child(WITHOUT, PYTHONPATH=place)
                self.ends_well(said, "[5, 5, 'gone', 6]\nInternalError hos.internal True True True")

    def test_a_closed_engine(self):
        self.engine.close()
        self.assertEqual(self.codes(worlds.harmed(self, self.mert)), {"hos.engine_closed"})

    def test_a_child_of_a_fork(self):
        said = self.child(
            """
            import os, hos
            mert = hos.Engine.open_for_shadow(os.environ["LAW"], store=os.environ["STORE"]).tenant("t1").as_('S::Account::"mert"')
            print(mert.shadow_can("hall.enter", 'S::Hall::"h1"', legacy=lambda: 5), flush=True)
            if os.fork() == 0:
                told = []
                print(mert.shadow_can("hall.enter", 'S::Hall::"h1"', legacy=lambda: 6, seen=told.append), told[0].code, flush=True)
                os._exit(0)
            os.wait()
            """
        )
        self.ends_well(said, "5\n6 hos.engine_closed")

    def test_a_locked_store(self):
        self.engine.close()
        engine = self.watched(busy_timeout_ms=1)
        holder = held(self)
        begun = time.monotonic()
        told = worlds.harmed(self, engine.tenant("t1").as_(MERT), forms=["shadow", "shadow_begin"])
        self.assertLess(time.monotonic() - begun, len(told), "it holds nobody up for longer than `busy_timeout_ms`")
        holder.communicate("\n")
        self.assertEqual(self.codes(told), {"hos.store_busy"})
        engine.close()
        self.verify()

    def test_planted_panics(self):
        self.engine.close()
        enforced = made_store(os.path.join(self.place.name, "enforced"))
        for store in (self.store, enforced):
            engine = hos.Engine.of_options({"store": store, "clock": "PT0S"})
            self.addCleanup(self.end, engine)

            def actor(engine=engine):
                engine.call("failpoint", {"panic": "clock"})
                return engine.tenant("t1").as_(MERT)

            # The module's own hook writes to the file, not to `sys.stderr`.
            self.assertEqual(self.codes(worlds.harmed(self, actor, forms=["shadow", "shadow_begin"])), {"hos.internal"})
            engine.call("failpoint", {"clock": "PT0S"})
            engine.close()
        self.verify()

    def test_words_of_ours_that_are_wrong(self):
        class Failing:
            def __init__(self, error):
                self.error = error

            def __hos_uid__(self):
                raise self.error

        itself = []
        itself.append(itself)
        values = (None, 0.5, 2**70, "\ud800", itself, object(), "x" * 2_000_000, {"__entity": 1}, {1: 2}, 7, "")
        values += (Failing(worlds.Refusal("x")), Failing(MemoryError()), Failing(RecursionError()))
        for value in values:
            for words in (
                {"args": {"x": value}},
                {"context": {"x": value}},
                {"args": value},
                {"given": [value]},
                {"given": value},
                {"once": value},
                {"reason": value},
                {"request": value},
                {"argz": value},
            ):
                worlds.harmed(self, self.mert, forms=["shadow"], **words)
            worlds.harmed(self, self.mert, value, "k-1", "pay", forms=["shadow"])
            worlds.harmed(self, self.mert, "ticket", value, "pay", forms=["shadow"])
            worlds.harmed(self, self.mert, "ticket", "k-1", value, forms=["shadow"])
            worlds.harmed(self, self.mert, "hall.enter", value, forms=["shadow_can"])
            worlds.harmed(self, self.engine.tenant("t1").as_(value), forms=["shadow_begin"])
        worlds.harmed(self, self.engine.tenant("nowhere").as_(None))


async def ask(aio):
    return await aio.can("hall.enter", H1)


WITHOUT = """
import asyncio, os, hos
engine = hos.Engine.open_for_shadow(os.environ["LAW"], store=os.environ["STORE"])
mert = engine.tenant("t1").as_(hos.Uid("S::Account", "mert"))
told, said = [], []
said.append(mert.shadow("ticket", "k", "pay", legacy=lambda: 5, args={"price": hos.Ext("decimal", "1.50")}, seen=told.append))
said.append(mert.shadow_can("hall.enter", hos.Uid.parse('S::Hall::"h1"'), legacy=lambda: 5, seen=told.append))
def legacy():
    raise ValueError("gone")
try:
    mert.shadow_begin("ticket", "k", "order", legacy=legacy, outcome=lambda said: hos.Legacy(allowed=False), seen=told.append)
except ValueError as error:
    said.append(str(error))
async def later():
    return 6
said.append(asyncio.run(mert.aio.shadow("ticket", "k", "pay", legacy=later, seen=told.append)))
print(said)
try:
    hos.Engine.open(store="x")
except hos.HosError as error:
    same = all(one is engine.absent for one in told) and len(told) == 4
    print(type(error).__name__, error.code, "cannot be loaded" in str(error), isinstance(error.__cause__, ImportError), same)
"""


class Enforced(Stored):
    """What the law says is no longer the world's to overrule; the world's answer is given back all the same."""

    def test_the_worlds_answer_is_given(self):
        engine = self.open()
        mert = engine.tenant("t1").as_(MERT)
        told = worlds.harmed(self, mert, forms=["shadow_can"])
        self.assertEqual({(one.mode, one.allowed) for one in told}, {("enforce", True)}, "the law alone is heeded")
        told = []
        self.assertEqual(mert.shadow("ticket", "none", "pay", legacy=lambda: "paid", seen=told.append), "paid")
        self.assertEqual([(one.mode, one.allowed, one.code) for one in told], [("enforce", False, "hos.instance_unknown")])

    def test_the_law_takes_no_outcome_from_the_world(self):
        mert = self.open().tenant("t1").as_(MERT)
        told = []
        with self.assertRaises(worlds.Refusal):
            legacy, facts = worlds.raising(worlds.REFUSAL), {"owner": MERT, "price": 5}
            mert.shadow_begin("ticket", "k-1", "order", legacy=legacy, facts=facts, seen=told.append)
        self.assertEqual([(one.mode, one.allowed) for one in told], [("enforce", True)])
        self.assertEqual([one.kind for one in mert.history("ticket", "k-1")], ["begun"])

    def test_one_engine_for_each_process(self):
        opened = []

        @hos.per_process
        def law():
            opened.append(1)
            return hos.Engine.open_for_shadow(store="/nowhere")

        for _ in range(3):
            self.assertEqual(law().tenant("t1").as_(AYSE).shadow("ticket", "k", "pay", legacy=lambda: 3), 3)
        self.assertEqual(len(opened), 1)


if __name__ == "__main__":
    unittest.main()
