"""The surface: answers, errors, who acts, what is done."""

import asyncio
import collections
import copy
import datetime
import json
import logging
import pickle
import pprint
import threading

from house import AYSE, EDA, H1, H2, MERT, Stored, hos


class Shop:
    """An object of the caller's that is an entity."""

    def __init__(self, uid):
        self.uid = uid

    def __hos_uid__(self):
        return self.uid


class Answers(Stored):
    def test_a_yes_and_a_no(self):
        mert = self.open().tenant("t1").as_(MERT)
        yes, no = mert.can("hall.enter", H1), mert.can("hall.enter", H2)
        self.assertIs(yes.allowed, True)
        self.assertEqual((yes.code, yes.blockers, yes.policies, yes.effect), (None, (), ("open-halls",), "allow"))
        self.assertIs(no.allowed, False)
        self.assertEqual(no.code, "hos.not_permitted")
        self.assertEqual(no.blockers[0].code, "hos.not_permitted")
        self.assertEqual((no.mode, no.divergence, no.candidate, no.receipt, no.again), ("enforce", False, None, None, False))
        self.assertEqual(len(no.law), 64)
        self.assertEqual(json.loads(no.json())["allowed"], False)
        self.assertEqual(repr(yes), "<Answer allowed=True>")
        self.assertEqual(repr(no), "<Answer allowed=False code='hos.not_permitted'>")

    def test_an_answer_is_no_condition(self):
        engine = self.open()
        mert = engine.tenant("t1").as_(MERT)
        for answer in (mert.can("hall.enter", H1), mert.can("hall.enter", H2)):
            with self.assertRaisesRegex(TypeError, r"\.allowed"):
                bool(answer)
            with self.assertRaises(TypeError):
                if answer:
                    self.fail("it was taken for a yes")
        call = {"tenant": "t1", "principal": {"type": "S::Account", "id": "mert"}, "action": "hall.enter"}
        for hall, allowed in (("h1", True), ("h2", False)):
            reply = engine.call("can", {**call, "resource": {"type": "S::Hall", "id": hall}})
            self.assertIs(reply["allowed"], allowed)
            with self.assertRaisesRegex(TypeError, "allowed"):
                bool(reply)

    def test_a_reply_is_read_as_a_dict_is(self):
        call = {"tenant": "t1", "principal": {"type": "S::Account", "id": "mert"}, "contract": "ticket", "id": "k-1", "event": "order"}
        facts = {"owner": {"__entity": call["principal"]}, "price": 5}
        reply = self.open().call("begin", {**call, "facts": facts})
        self.assertIs(reply["allowed"], True)
        self.assertEqual((reply.get("to"), reply.get("x"), reply.get("x", 5), "to" in reply), ("new", None, 5, True))
        self.assertEqual((list(reply), len(reply)), (list(dict(reply)), len(dict(reply))))
        self.assertEqual((dict(zip(reply.keys(), reply.values())), {**reply}, dict(reply.items())), (dict(reply),) * 3)
        self.assertEqual((json.loads(reply.json()), pickle.loads(pickle.dumps(reply)), copy.deepcopy(reply)), (reply,) * 3)
        self.assertNotEqual(reply, {})
        with self.assertRaises(KeyError):
            reply["x"]
        with self.assertRaises(TypeError):
            reply["allowed"] = False
        # It is stored: who only tells of it is not to be told that it failed.
        said = []
        record = logging.LogRecord("x", logging.INFO, "x", 1, "said %s", (reply,), None)
        for told in (record.getMessage(), pprint.pformat(reply), pprint.pformat([reply]), f"{reply}"):
            said.append("'allowed': True" in told)
        self.assertEqual(said, [True] * 4)

    def test_an_answer_cannot_be_changed_or_made(self):
        answer = self.open().tenant("t1").as_(MERT).can("hall.enter", H2)
        for name in ("allowed", "code", "new"):
            with self.assertRaises(AttributeError):
                setattr(answer, name, True)
        with self.assertRaises(TypeError):
            hos.Answer()
        with self.assertRaises(AttributeError):
            answer.blockers[0].code = "x"

    def test_the_throwing_sisters(self):
        ayse = self.open().tenant("t1").as_(AYSE)
        self.assertIs(ayse.authorize("hall.enter", H1).allowed, True)
        with self.assertRaises(hos.Denied) as met:
            ayse.authorize("hall.enter", H2)
        self.assertEqual(met.exception.code, "hos.not_permitted")
        self.assertEqual(met.exception.answer.code, "hos.not_permitted")
        self.assertEqual(str(met.exception), "hos.not_permitted")
        self.assertNotIsInstance(met.exception, hos.HosError)
        begun = ayse.begin("ticket", "k-1", "order", facts={"owner": AYSE, "price": 100})
        self.assertIs(begun.allowed, True)
        with self.assertRaises(hos.Denied) as met:
            ayse.apply("ticket", "k-1", "pay", args={"amount": 99})
        self.assertEqual(met.exception.code, "ticket.too_little")
        self.assertEqual(ayse.apply("ticket", "k-1", "pay", args={"amount": 100}).to, "paid")

    def test_messages_for_an_end_user(self):
        tenant = self.open().tenant("t1")
        ayse = tenant.as_(AYSE)
        ayse.begin("ticket", "k-1", "order", facts={"owner": AYSE, "price": 100})
        no = ayse.transition("ticket", "k-1", "pay", args={"amount": 99})
        turkish = "Ödenen tutar bilet fiyatından az."
        self.assertIsNone(no.blockers[0].message)
        self.assertEqual(no.message("tr"), turkish)
        self.assertEqual(no.message("en"), "The amount is less than the ticket's price.")
        self.assertEqual((no.message(), no.message("")), (no.message("en"),) * 2)
        no = tenant.as_(AYSE, language="tr").transition("ticket", "k-1", "pay", args={"amount": 99})
        self.assertEqual((no.message(), no.blockers[0].message), (turkish, turkish))
        self.assertEqual(tenant.message("ticket.too_little", "tr"), turkish)
        yes = ayse.can("hall.enter", H1)
        self.assertEqual((yes.message("tr"), yes.message()), (None, None))
        self.assertIsNone(pickle.loads(pickle.dumps(yes)).message())

    def test_a_message_that_an_answer_carries_needs_no_engine(self):
        engine = self.open()
        tenant = engine.tenant("t1")
        tenant.as_(AYSE).begin("ticket", "k-1", "order", facts={"owner": AYSE, "price": 100})
        with self.assertRaises(hos.Denied) as met:
            tenant.as_(AYSE, language="tr").apply("ticket", "k-1", "pay", args={"amount": 99})
        there = pickle.loads(pickle.dumps(met.exception)).answer
        turkish = "Ödenen tutar bilet fiyatından az."
        self.assertEqual((there.message(), there.message("tr")), (turkish, turkish))
        self.without_engine(there, "en")
        without = tenant.as_(AYSE).transition("ticket", "k-1", "pay", args={"amount": 99})
        for language in (None, "en"):
            self.without_engine(pickle.loads(pickle.dumps(without)), language)
        engine.close()
        self.assertEqual(met.exception.answer.message(), turkish)

    def without_engine(self, answer, language):
        error = self.refused(hos.ClosedError, "hos.engine_closed", answer.message, language)
        self.assertIn("pickled has no engine", error.message)

    def test_a_message_of_a_tenant_that_is_known_asks_no_store(self):
        tenant = self.open(directory_age_max_ms=60000).tenant("t1")
        self.assertIs(tenant.as_(AYSE).can("hall.enter", H1).allowed, True)
        # Another process takes the tenants away, and brings them back.
        code = "import os, sqlite3, sys; sqlite3.connect(os.environ['STORE']).execute('ALTER TABLE %s RENAME TO %s' % tuple(sys.argv[1:]))"
        self.ends_well(self.child(code, "hos_tenant", "hos_away"))
        try:
            self.assertEqual(tenant.message("ticket.too_little", "tr"), "Ödenen tutar bilet fiyatından az.")
        finally:
            self.ends_well(self.child(code, "hos_away", "hos_tenant"))

    def test_an_empty_language_is_none(self):
        nobody_s = self.open().tenant("t1").as_(MERT, language="")
        no = nobody_s.can("hall.enter", H2)
        self.assertEqual((no.code, no.blockers[0].message), ("hos.not_permitted", None))
        self.assertEqual(no.message(), no.message("en"))
        self.assertIs(nobody_s.can("hall.enter", H1, context={"hour": 12}).allowed, True)
        self.assertEqual(nobody_s.begin("ticket", "k-1", "order", facts={"owner": AYSE, "price": 100}).blockers[0].message, None)

    def test_parts_are_values(self):
        ayse = self.open().tenant("t1").as_(AYSE)
        answer = ayse.begin("ticket", "k-1", "order", facts={"owner": AYSE, "price": 100}, once="o-1")
        again = ayse.begin("ticket", "k-1", "order", facts={"owner": AYSE, "price": 100}, once="o-1")
        self.assertIs(again.again, True)
        receipt = answer.receipt
        self.assertEqual((receipt.tenant, receipt.n, again.receipt), ("t1", 0, receipt))
        self.assertIsInstance(receipt.seal, hos.Seal)
        self.assertTrue(receipt.seal.checkpoint.startswith("hos/"))
        for part in (receipt, ayse.can("hall.enter", H2).blockers[0]):
            self.assertEqual(pickle.loads(pickle.dumps(part)), part)
            self.assertEqual(copy.copy(part), part)
            self.assertEqual(len({part, copy.copy(part)}), 1)
            self.assertFalse(hasattr(part, "__dict__"))


    def test_answers_travel(self):
        mert = self.open().tenant("t1").as_(MERT, language="en")
        for answer in (mert.can("hall.enter", H1), mert.can("hall.enter", H2)):
            self.assertIs(copy.copy(answer), answer)
            self.assertIs(copy.deepcopy(answer), answer)
            there = pickle.loads(pickle.dumps(answer))
            self.assertEqual(json.loads(there.json()), json.loads(answer.json()))
            self.assertEqual((there.allowed, there.code, there.blockers), (answer.allowed, answer.code, answer.blockers))
        self.assertEqual((there.message(), there.message("en")), (answer.message(), answer.message()))
        self.refused(hos.ClosedError, "hos.engine_closed", there.message, "tr")
        denied = pickle.loads(pickle.dumps(hos.Denied(answer)))
        self.assertEqual((denied.code, denied.answer.allowed), ("hos.not_permitted", False))


class Acting(Stored):
    def test_who_can_be_said_in_three_ways(self):
        tenant = self.open().tenant("t1")
        for who in (MERT, 'S::Account::"mert"', Shop(MERT), Shop('S::Account::"mert"')):
            for where in (H1, 'S::Hall::"h1"', Shop(H1)):
                self.assertIs(tenant.as_(who).can("hall.enter", where).allowed, True)
            self.assertEqual(tenant.as_(who).principal, MERT)

    def test_a_story(self):
        ayse = self.open().tenant("t1").as_(AYSE, request="req-1")
        ayse.begin("ticket", "k-1", "order", facts={"owner": AYSE, "price": 100})
        now = {one.event: one for one in ayse.available("ticket", "k-1")}
        self.assertEqual(now["pay"].needs, ("amount",))
        self.assertIs(now["use"].allowed, False)
        with self.assertRaisesRegex(TypeError, "allowed"):
            bool(now["pay"])
        paid = ayse.transition("ticket", "k-1", "pay", args={"amount": 100}, once="p-1", request="req-2")
        self.assertEqual((paid.from_, paid.to, paid.version), ("new", "paid", 2))
        story = ayse.history("ticket", "k-1")
        self.assertEqual([(one.kind, one.event, one.request) for one in story], [("begun", "order", "req-1"), ("moved", "pay", "req-2")])
        self.assertEqual(story[0].parts["facts"], {"owner": AYSE, "price": 100})
        age = datetime.datetime.now(datetime.timezone.utc) - story[1].time
        self.assertLess(abs(age), datetime.timedelta(minutes=1))
        self.assertEqual([one.n for one in ayse.history("ticket", "k-1", from_=1)], [1])
        self.assertEqual([one.n for one in ayse.history("ticket", "k-1", limit=1)], [0])
        self.assertEqual(pickle.loads(pickle.dumps(story)), story)
        self.refused(hos.AbsentError, "hos.instance_unknown", ayse.history, "ticket", "k-2")
        self.refused(hos.AbsentError, "hos.contract_unknown", ayse.available, "tickets", "k-1")

    def test_the_directory(self):
        ayse = self.open().tenant("t1").as_(AYSE)
        mert = ayse.tenant.as_(MERT)
        for change, allowed in (
            (lambda: ayse.directory.join(MERT, H2), True),
            (lambda: ayse.directory.leave(MERT, H2), False),
            (lambda: ayse.directory.grant("g-1", "guests", principal=MERT, resource=H2), True),
            (lambda: ayse.directory.revoke("g-1"), False),
            (lambda: ayse.directory.put(H2, {"open": True}), True),
            (lambda: ayse.directory.remove(H2), False),
        ):
            self.assertIs(change().allowed, True)
            self.assertIs(mert.can("hall.enter", H2).allowed, allowed)
        no = mert.directory.join(MERT, H1)
        self.assertEqual((no.allowed, no.code), (False, "hos.not_permitted"))
        with self.assertRaisesRegex(TypeError, "onse"):
            ayse.directory.put(H1, {}, onse="x")

    def test_records_and_rows(self):
        ayse = self.open().tenant("t1").as_(AYSE)
        for payload in ("text", b"\x00\xff"):
            note = ayse.record("notes.page", payload, subject=MERT)
            self.assertIs(note.allowed, True, note.code)
            self.assertIsNotNone(note.receipt)
        row = ayse.adopt("ticket", "k-9", "paid", facts={"owner": AYSE, "price": 5})
        self.assertEqual((row.allowed, row.code, row.to), (True, None, "paid"))

    def test_entities_that_come_with_the_call(self):
        mert = self.open().tenant("t1").as_(MERT)
        seat = hos.Uid("S::Seat", "1")
        attrs = {"hall": H1, "price": hos.Ext("decimal", "10.5"), "since": hos.Ext("datetime", "2026-01-31T12:00:00.000Z")}
        one = hos.Entity(seat, attrs, [H1])
        spread = collections.deque([hos.Entity(seat, attrs, collections.deque([H1]))])
        for given in ([one], (one,), [{"uid": seat, "attrs": attrs, "parents": ['S::Hall::"h1"']}], {1: one}.values(), spread):
            words = {"tags": {"friend"}, "by": MERT}
            self.assertIs(mert.can("seat.take", seat, given=given, context=words).allowed, True)
            self.assertIs(mert.can("seat.take", seat, given=given, context={"tags": ["foe"], "by": MERT}).allowed, False)
        words = {"tags": {"friend"}, "by": MERT}
        self.assertIs(mert.can("seat.take", seat, given=(each for each in [one]), context=words).allowed, True)
        self.assertIs(mert.can_all([hos.Question("seat.take", seat)], given=iter([one]), context=words)[0].allowed, True)
        for given in ({"uid": seat}, "x", b"x", list, 7, hos.Entity(seat), [hos.Entity(seat, attrs, 'S::Hall::"h1"')]):
            with self.assertRaises(hos.CallError, msg=repr(given)):
                mert.can("seat.take", seat, given=given)

    def test_contexts(self):
        mert = self.open().tenant("t1").as_(MERT)
        table = [({"hour": 12}, True), ({"hour": 23}, False), ({"hour": 23, "escorted": True}, True), ({"badge": "lost-1"}, False)]
        for context, allowed in table:
            self.assertIs(mert.can("hall.enter", H1, context=context).allowed, allowed)
        self.assertEqual(mert.can("hall.enter", H1, context={"hour": True}).code, "hos.attribute_type")
        self.assertEqual(mert.can("hall.enter", H1, context={"our": 1}).code, "hos.attribute_unknown")

    def test_the_wire_s_own_words(self):
        engine = self.open()
        call = {"tenant": "t1", "code": "ticket.too_little", "language": "en"}
        wanted = {"message": "The amount is less than the ticket's price."}
        for form in (call, json.dumps(call), json.dumps(call).encode()):
            self.assertEqual(dict(engine.call("message", form)), wanted)
        self.refused(hos.CallError, "hos.call_malformed", engine.call, "massage", call)
        self.refused(hos.CallError, "hos.call_malformed", engine.call, "message", "{")


class Async(Stored):
    def test_writes_are_awaited(self):
        engine = self.open()

        async def story():
            ayse = engine.tenant("t1").as_(AYSE).aio
            await ayse.begin("ticket", "k-1", "order", facts={"owner": AYSE, "price": 100})
            paid = await asyncio.gather(
                ayse.transition("ticket", "k-1", "pay", args={"amount": 100}, once="p"),
                ayse.transition("ticket", "k-1", "pay", args={"amount": 100}, once="p"),
            )
            with self.assertRaises(hos.Denied):
                await ayse.apply("ticket", "k-1", "order")
            await ayse.record("notes.page", "x")
            await ayse.directory.put(MERT, {"active": True})
            self.assertIs((await ayse.can("hall.enter", H1)).allowed, True)
            self.assertIs((await ayse.authorize("hall.enter", H1)).allowed, True)
            with self.assertRaises(hos.Denied):
                await ayse.authorize("hall.enter", H2)
            self.assertEqual(len(await ayse.available("ticket", "k-1")), len(ayse.actor.available("ticket", "k-1")))
            return paid, await ayse.history("ticket", "k-1")

        paid, told = asyncio.run(story())
        self.assertEqual(sorted(one.again for one in paid), [False, True])
        self.assertEqual([one.kind for one in told][:2], ["begun", "moved"])

    def test_can_waits_in_a_thread_and_answers_at_once_from_memory(self):
        asked_in = []

        class Hall:
            def __hos_uid__(self):
                asked_in.append(threading.get_ident())
                return H1

        async def story(engine, **words):
            asked_in.clear()
            mert = engine.tenant("t1").as_(MERT)
            mert.can("hall.enter", H1)
            for _ in range(3):
                self.assertIs((await mert.aio.can("hall.enter", Hall(), **words)).allowed, True)
            return {"here" if thread == threading.get_ident() else "elsewhere" for thread in asked_in}

        with self.open(directory_age_max_ms=60_000) as young:
            self.assertEqual(asyncio.run(story(young)), {"here"})
            self.assertEqual(asyncio.run(story(young, legacy=True)), {"elsewhere"}, "it may write")
        with self.open(directory_age_max_ms=0) as never_young:
            self.assertEqual(asyncio.run(story(never_young)), {"elsewhere"})
        with self.assertRaises(hos.ClosedError):
            asyncio.run(story(young))

    def test_what_was_not_awaited_is_no_condition(self):
        mert = self.open().tenant("t1").as_(MERT).aio
        for asked in (mert.can("hall.enter", H1), mert.authorize("hall.enter", H1)):
            with self.assertRaisesRegex(TypeError, "await"):
                bool(asked)

    def test_the_loop_goes_on_while_a_write_waits(self):
        engine = self.open()

        async def story():
            actor = engine.tenant("t1").as_(AYSE).aio
            ticks = 0
            writes = [asyncio.ensure_future(actor.record("notes.page", "x")) for _ in range(50)]
            while not all(one.done() for one in writes):
                ticks += 1
                await asyncio.sleep(0)
            return ticks, [one.result().allowed for one in writes]

        ticks, written = asyncio.run(story())
        self.assertEqual(written, [True] * 50)
        self.assertGreater(ticks, 50)


class Names(Stored):
    def test_uids(self):
        one = hos.Uid("S::Account", 'a"\\\n\x00é')
        self.assertEqual(hos.Uid.parse(str(one)), one)
        self.assertEqual(str(MERT), 'S::Account::"mert"')
        self.assertEqual(repr(MERT), "Uid('S::Account', 'mert')")
        self.assertEqual({MERT: 1}[hos.Uid("S::Account", "mert")], 1)
        self.assertNotEqual(MERT, EDA)
        self.assertNotEqual(MERT, "mert")
        self.assertEqual(pickle.loads(pickle.dumps(one)), one)
        self.assertEqual((one.type, one.id), ("S::Account", 'a"\\\n\x00é'))
        with self.assertRaises(AttributeError):
            one.id = "x"
        for text in ("mert", "S::Account::mert", 'S::Account::"a"b"', ""):
            self.refused(hos.CallError, "hos.id_invalid", hos.Uid.parse, text)
        ext = hos.Ext("ip", "::1")
        self.assertEqual((ext.function, ext.text, repr(ext)), ("ip", "::1", "Ext('ip', '::1')"))
        self.assertEqual(pickle.loads(pickle.dumps(ext)), ext)


class Errors(Stored):
    def test_each_class_is_met(self):
        engine = self.open()
        table = {
            "hos.store_full": hos.StoreError,
            "hos.store_busy": hos.RetryError,
            "hos.outcome_unknown": hos.OutcomeUnknownError,
            "hos.law_in_use": hos.LawError,
            "hos.tenant_unknown": hos.CallError,
            "hos.instance_unknown": hos.AbsentError,
            "hos.engine_closed": hos.ClosedError,
            "hos.internal": hos.InternalError,
        }
        for code, kind in table.items():
            error = self.refused(kind, code, engine.call, "failpoint", {"code": code})
            self.assertIsInstance(error, hos.HosError)
            self.assertEqual((error.message, error.faults, str(error)), ("planted", (), f"{code}: planted"))
            again = pickle.loads(pickle.dumps(error))
            self.assertEqual((type(again), again.code, again.message), (kind, code, "planted"))

    def test_faults_of_a_law_have_places(self):
        place = self.place.name
        error = self.refused(hos.LawError, "hos.law_invalid", hos.Engine.open, place, store=self.store)
        self.assertTrue(error.faults)
        self.assertIsInstance(error.faults[0], hos.Fault)
        self.assertIn(error.faults[0].message, str(error))
