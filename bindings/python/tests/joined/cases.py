"""What holds on every connection that can be joined."""

import itertools
import json
import threading
import unittest
from unittest import mock

from hosts import AYSE, H1, LAW, MERT, hos

_NUMBER = itertools.count()


def fresh(word):
    """An id that no other test has."""
    return f"{word}-{next(_NUMBER)}"


class Joined(unittest.TestCase):
    """A test on a host's connection, in a store that it shares with others. What it leaves verifies."""

    host = None

    @classmethod
    def setUpClass(cls):
        cls.host.share()
        # One of the class: what it knows of the law is not read for each test.
        connection = cls.host.connect()
        cls.opened = hos.Engine.open(LAW, store=connection)
        connection.close()
        cls.watch()

    @classmethod
    def watch(cls):
        """Another connection, which sees what is committed."""
        cls.observer = cls.host.alone()
        cls.addClassCleanup(cls.observer.close)

    @classmethod
    def tearDownClass(cls):
        cls.host.hos("work")
        said = json.loads(cls.host.hos("verify", "--json"))
        assert (said["level"], said["findings"]) == ("intact", []), said

    def setUp(self):
        self.connection = self.connect()
        self.engine = self.opened.on(self.connection)
        self.mert = self.engine.tenant("t1").as_(MERT)

    def connect(self):
        connection = self.host.connect()
        self.addCleanup(self.end, connection)
        return connection

    @staticmethod
    def end(connection):
        try:
            connection.close()
        except Exception:
            pass

    def open(self, store, **options):
        return hos.Engine.open(LAW, store=store, **options)

    def birth(self, id, actor=None, **words):
        return (actor or self.mert).begin("ticket", id, "order", facts={"owner": MERT, "price": 5}, **words)

    @staticmethod
    def births(*ids, **words):
        """Births that are made as one."""
        return [hos.Call.begin("ticket", id, "order", facts={"owner": MERT, "price": 5}, once=id, **words) for id in ids]

    def pay(self, id, actor=None, **words):
        return (actor or self.mert).transition("ticket", id, "pay", args={"amount": 5}, **words)

    def insert(self, id, connection=None):
        self.host.do(connection or self.connection, "INSERT INTO orders VALUES (%s, 'new')", id)

    def begin(self, connection=None):
        self.host.begin(connection or self.connection)

    def commit(self, connection=None):
        self.host.commit(connection or self.connection)

    def rollback(self, connection=None):
        self.host.rollback(connection or self.connection)

    def born(self, id, **words):
        """An instance that is there."""
        self.begin()
        answer = self.birth(id, **words)
        self.assertIs(answer.allowed, True, answer.blockers)
        self.commit()
        return answer

    def count(self, sql, *params):
        """As another connection sees it."""
        ((found,),) = self.host.rows(self.observer, sql, *params)
        return found

    def kept(self, id, once=None):
        """How many rows there are of the world's order, of the instance, and of the once-key."""
        return (
            self.count("SELECT count(*) FROM orders WHERE id = %s", id),
            self.count("SELECT count(*) FROM hos_instance WHERE id = %s", id.encode()),
            self.count(f"SELECT count(*) FROM hos_once WHERE {self.host.key} = %s", (once or id).encode()),
        )

    def refused(self, kind, code, call, *args, **words):
        with self.assertRaises(kind) as met:
            call(*args, **words)
        self.assertEqual(met.exception.code, code, str(met.exception))
        return met.exception


class Days(Joined):
    def test_where_the_database_takes_no_writes_nothing_is_judged(self):
        id = fresh("o")
        only_read = {"sqlite": "PRAGMA query_only = ON", "postgres": "SET TRANSACTION READ ONLY", "mysql": "START TRANSACTION READ ONLY"}
        self.host.do(self.connection, "COMMIT" if self.host.dialect == "mysql" else "SELECT 1")
        if self.host.dialect != "mysql":
            self.begin()
        self.host.do(self.connection, only_read[self.host.dialect])
        self.refused(hos.StoreError, "hos.store_read_only", self.birth, id)
        self.rollback()
        self.assertEqual(self.kept(id), (0, 0, 0))

    def test_the_hosts_rows_and_the_evidence_are_one_commit(self):
        id = fresh("o")
        self.begin()
        self.insert(id)
        answer = self.birth(id, once=id)
        self.assertEqual((answer.allowed, answer.to, answer.again), (True, "new", False))
        self.assertIsNone(answer.receipt.seal, "its place in the log comes later")
        self.commit()
        self.assertEqual(self.kept(id), (1, 1, 1))
        self.begin()
        self.host.do(self.connection, "UPDATE orders SET status = 'paid' WHERE id = %s", id)
        answer = self.pay(id)
        self.assertEqual((answer.allowed, answer.from_, answer.to, answer.version), (True, "new", "paid", 2), answer.blockers)
        self.commit()
        self.assertEqual(self.count("SELECT status FROM orders WHERE id = %s", id), "paid")

    def test_a_rollback_leaves_nothing(self):
        id = fresh("o")
        self.begin()
        self.insert(id)
        self.assertIs(self.birth(id, once=id).allowed, True)
        self.assertIs(self.pay(id).allowed, True, "it sees its own writes before")
        self.rollback()
        self.assertEqual(self.kept(id), (0, 0, 0))
        self.begin()
        self.assertEqual(self.pay(id).code, "hos.instance_unknown")
        self.rollback()

    def test_a_commit_that_is_forgotten_leaves_nothing(self):
        id = fresh("o")
        self.begin()
        self.insert(id)
        self.assertIs(self.birth(id, once=id).allowed, True)
        self.connection.close()
        self.assertEqual(self.kept(id), (0, 0, 0))

    def test_a_second_commit_changes_nothing(self):
        id = fresh("o")
        self.begin()
        self.insert(id)
        self.assertIs(self.birth(id, once=id).allowed, True)
        self.commit()
        if not self.host.explicit:
            self.commit()
        self.assertEqual(self.kept(id), (1, 1, 1))

    def test_entities_that_are_given_once_are_there_for_the_claim_and_for_the_call(self):
        id, told, own = fresh("o"), [], hos.JoinedActor._written

        def written(actor, fields, world):
            told.append(list(fields["given"]))
            return own(actor, fields, world)

        self.begin()
        with mock.patch.object(hos.JoinedActor, "_written", written):
            facts, given = {"owner": MERT, "price": 5}, iter([hos.Entity(hos.Uid("S::Hall", id), {"open": True})])
            self.assertIs(self.mert.begin("ticket", id, "order", facts=lambda: facts, given=given).allowed, True)
        self.commit()
        self.assertEqual([[one.uid.id for one in entities] for entities in told], [[id], [id]])

    def test_a_connection_that_is_lost_in_the_middle(self):
        id = fresh("o")
        self.begin()
        self.insert(id)
        self.assertIs(self.birth(id, once=id).allowed, True)
        self.lose(self.connection)
        error = self.refused(hos.StoreError, "hos.store_unavailable", self.pay, id)
        self.assertIsInstance(error.__cause__, self.host.driver.Error)
        cold = self.open(self.connection).tenant("t1").as_(MERT)
        self.refused(hos.StoreError, "hos.store_unavailable", cold.can, "hall.enter", H1)
        self.assertEqual(self.kept(id), (0, 0, 0))
        # The engine is as it was, on another connection.
        self.connection = self.connect()
        self.mert = self.engine.on(self.connection).tenant("t1").as_(MERT)
        self.born(id)

    def lose(self, connection):
        if self.host.dialect == "sqlite":
            return connection.close()
        other = self.connect()
        self.host.kill(other, self.host.id(connection))

    def test_a_refused_call_leaves_nothing_though_the_host_commits(self):
        id = fresh("o")
        self.begin()
        self.insert(id)
        answer = self.mert.transition("ticket", id, "pay", args={"amount": 1}, once=id)
        self.assertEqual((answer.allowed, answer.code, answer.receipt), (False, "hos.instance_unknown", None))
        self.commit()
        self.assertEqual(self.kept(id), (1, 0, 0))
        self.born(id, once=id)

    def test_a_refusal_becomes_evidence_in_another_transaction(self):
        self.begin()
        answer = self.pay(fresh("none"))
        self.assertIs(answer.allowed, False)
        self.rollback()
        self.begin()
        kept = self.engine.refused(answer)
        self.assertEqual((kept.allowed, kept.code, kept.receipt.n), (False, "hos.instance_unknown", None))
        self.commit()
        self.begin()
        self.refused(hos.CallError, "hos.call_malformed", self.engine.refused, answer)
        allowed = self.birth(fresh("o"))
        self.refused(hos.CallError, "hos.call_malformed", self.engine.refused, allowed)
        self.rollback()

    def test_several_calls_are_one_commit(self):
        one, two = fresh("o"), fresh("o")
        self.begin()
        self.insert(one)
        answers = self.mert.all(self.births(one, two))
        self.assertEqual([(each.allowed, each.to, each.again) for each in answers], [(True, "new", False)] * 2)
        self.assertEqual(len({each.receipt.record for each in answers}), 2)
        self.commit()
        self.assertEqual((self.kept(one), self.kept(two)), ((1, 1, 1), (0, 1, 1)))
        self.begin()
        again = self.mert.all(self.births(one, two))
        self.assertEqual([(each.again, each.receipt.record) for each in again], [(True, each.receipt.record) for each in answers])
        pays = [hos.Call.transition("ticket", id, "pay", args={"amount": 5}) for id in (one, two)]
        self.assertEqual([(each.from_, each.to) for each in self.mert.all(iter(pays))], [("new", "paid")] * 2)
        self.commit()

    def test_several_calls_are_of_each_kind(self):
        row, stream = fresh("o"), fresh("notes")
        ayse = self.engine.tenant("t1").as_(AYSE)
        calls = [
            hos.Call.adopt("ticket", row, "paid", facts={"owner": MERT, "price": 5}),
            hos.Call.record(stream, b"\x00\xff", subject=MERT, context={}, given=[]),
            hos.Call.record(stream, "x", subject='S::Account::"mert"', once=row),
        ]
        self.begin()
        answers = ayse.all(calls, request="req-7")
        self.commit()
        self.assertEqual([(each.allowed, each.to) for each in answers], [(True, "paid"), (True, None), (True, None)])
        self.assertEqual(self.kept(row), (0, 1, 1))

    def test_several_calls_of_which_one_is_refused_leave_nothing_though_the_host_commits(self):
        one, two = fresh("o"), fresh("o")
        calls = [*self.births(one), hos.Call.transition("ticket", fresh("none"), "pay", args={"amount": 5}), *self.births(two)]
        self.begin()
        self.insert(one)
        answers = self.mert.all(calls)
        told = [(each.allowed, each.code, each.receipt) for each in answers]
        self.assertEqual(told, [(True, None, None), (False, "hos.instance_unknown", None)], "it ends with the no")
        self.commit()
        self.assertEqual((self.kept(one), self.kept(two)), ((1, 0, 0), (0, 0, 0)))
        self.begin()
        self.refused(hos.CallError, "hos.call_malformed", self.engine.refused, answers[0])
        kept = self.engine.refused(answers[1])
        self.assertEqual((kept.allowed, kept.code, kept.receipt.n), (False, "hos.instance_unknown", None))
        self.commit()
        self.begin()
        self.assertEqual([each.allowed for each in self.mert.all(self.births(one, two))], [True, True])
        self.commit()

    def test_what_cannot_be_one(self):
        id, other = fresh("o"), fresh("o")
        (birth,) = self.births(id)
        same_key = hos.Call.begin("ticket", other, "order", facts={"owner": MERT, "price": 5}, once=id)
        many = self.births(*(f"{id}-{place}" for place in range(17)))
        self.begin()
        self.insert(id)
        for calls in ([birth, birth], [birth, same_key], many, [], [birth, "x"], [{"operation": "begin"}], [hos.Question("a", H1)]):
            self.refused(hos.CallError, "hos.call_malformed", self.mert.all, calls)
        half = hos.Call.transition("ticket", other, "pay", args={"amount": 1.5})
        self.refused(hos.CallError, "hos.value_invalid", self.mert.all, [birth, half])
        self.refused(hos.CallError, "hos.value_invalid", self.mert.all, [birth], context={"x": 1.5})
        self.commit()
        self.assertEqual(self.kept(id), (1, 0, 0))

    def test_a_once_key_brings_the_first_receipt_again(self):
        id, key = fresh("o"), fresh("k")
        records = set()
        for place in range(3):
            self.begin()
            answer = self.birth(id, once=key)
            self.commit()
            self.assertEqual((answer.allowed, answer.again), (True, place > 0))
            records.add(answer.receipt.record)
        self.assertEqual(len(records), 1)
        self.begin()
        self.assertEqual(self.birth(fresh("o"), once=key).code, "hos.once_conflict")
        self.rollback()

    def test_outside_a_transaction_nothing_is_judged(self):
        connection = self.host.alone()
        self.addCleanup(self.end, connection)
        mert = self.engine.on(connection).tenant("t1").as_(MERT)
        id = fresh("o")
        self.refused(hos.CallError, "hos.no_transaction", self.birth, id, mert)
        self.refused(hos.CallError, "hos.no_transaction", mert.record, "notes", "x")
        self.refused(hos.CallError, "hos.no_transaction", mert.all, self.births(id))
        self.refused(hos.CallError, "hos.no_transaction", mert.transition, "ticket", id, "pay", args=lambda: {"amount": 5})
        self.assertIs(mert.can("hall.enter", H1).allowed, True, "what is only read needs none")
        both = [hos.Question("hall.enter", H1), hos.Question("hall.leave", H1)]
        self.assertEqual([one.code for one in mert.can_all(both)], [None, "hos.action_unknown"])
        self.assertFalse(self.host.in_transaction(connection))
        self.assertEqual(self.kept(id), (0, 0, 0))

    def test_can_leaves_no_transaction_behind(self):
        connection = self.connect()
        mert = self.open(connection, directory_age_max_ms=0).tenant("t1").as_(MERT)
        for _ in range(2):
            self.assertIs(mert.can("hall.enter", H1).allowed, True)
            self.assertFalse(self.host.in_transaction(connection))
            self.assertIs(mert.can_all([hos.Question("hall.enter", H1)])[0].allowed, True)
            self.assertFalse(self.host.in_transaction(connection))
        self.begin(connection)
        id = fresh("o")
        self.insert(id, connection)
        self.assertIs(mert.can("hall.enter", H1).allowed, True)
        self.assertTrue(self.host.in_transaction(connection), "the host's own goes on")
        self.commit(connection)
        self.assertEqual(self.kept(id), (1, 0, 0))

    def test_ids_are_the_bytes_that_they_are(self):
        stem = fresh("Id")
        endings = ("", " ", "  ", "\u0131\U0001f600", "\U0001f601", "\0", "\0x", "%s", "'\\")
        ids = [stem.lower(), stem.upper(), *(stem + ending for ending in endings)]
        self.begin()
        for id in ids:
            answer = self.birth(id, once=id)
            self.assertEqual((answer.allowed, answer.again), (True, False), (id, answer.blockers))
        self.commit()
        self.begin()
        self.assertIs(self.pay(ids[0]).allowed, True)
        for id in ids[1:]:
            self.assertEqual(self.pay(id).from_, "new", id)
        self.commit()

    def test_a_record_waits_for_its_place(self):
        stream, key = fresh("notes"), fresh("k")
        self.begin()
        answer = self.engine.tenant("t1").as_(AYSE).record(stream, b"\x00\xff", once=key)
        self.commit()
        self.assertEqual((answer.allowed, answer.receipt.n), (True, None))
        self.host.hos("work")
        self.begin()
        again = self.engine.tenant("t1").as_(AYSE).record(stream, b"\x00\xff", once=key)
        self.rollback()
        self.assertEqual((again.again, again.receipt.n, again.receipt.record), (True, 0, answer.receipt.record))

    def test_who_joins_in_a_transaction_may_from_then_on(self):
        id, who = fresh("o"), fresh("who")
        ayse, everywhere = self.engine.tenant("t1").as_(AYSE), self.engine.tenant("universe").as_(AYSE)
        self.begin()
        put = everywhere.directory.put(hos.Uid("S::Account", who), {"active": False})
        self.assertIs(put.allowed, True, put.blockers)
        member = self.engine.tenant("t1").as_(hos.Uid("S::Account", who))
        self.assertIs(member.can("hall.enter", H1).allowed, False)
        joined = ayse.directory.join(hos.Uid("S::Account", who), H1, once=id)
        self.assertIs(joined.allowed, True, joined.blockers)
        self.rollback()
        other = self.open(self.connect(), directory_age_max_ms=0).tenant("t1").as_(hos.Uid("S::Account", who))
        self.assertIs(other.can("hall.enter", H1).allowed, False)
        self.begin()
        self.assertIs(everywhere.directory.put(hos.Uid("S::Account", who), {"active": False}).allowed, True)
        self.assertIs(ayse.directory.join(hos.Uid("S::Account", who), H1).allowed, True)
        self.assertIs(other.can("hall.enter", H1).allowed, False, "not before it is committed")
        self.commit()
        self.assertIs(other.can("hall.enter", H1).allowed, True)
        self.begin()
        self.assertIs(ayse.directory.leave(hos.Uid("S::Account", who), H1).allowed, True)
        self.commit()
        self.assertIs(other.can("hall.enter", H1).allowed, False)

    def test_a_row_is_adopted(self):
        id = fresh("o")
        ayse = self.engine.tenant("t1").as_(AYSE)
        self.begin()
        answer = ayse.adopt("ticket", id, "paid", facts={"owner": MERT, "price": 5})
        self.commit()
        self.assertEqual((answer.allowed, answer.to), (True, "paid"), answer.blockers)

    def test_arguments_are_made_after_the_claim(self):
        id = fresh("o")
        self.born(id)
        seen = []

        def amount():
            seen.append(self.host.in_transaction(self.connection))
            ((n,),) = self.host.rows(self.connection, "SELECT n + 5 FROM counts WHERE id = 'a'")
            return {"amount": n}

        self.begin()
        answer = self.mert.transition("ticket", id, "pay", args=amount, once=id)
        self.assertEqual((answer.allowed, answer.to, seen), (True, "paid", [True]), answer.blockers)
        self.commit()
        self.begin()
        again = self.mert.transition("ticket", id, "pay", args=amount, once=id)
        self.assertEqual((again.allowed, again.again), (True, True))
        self.commit()

    def test_what_is_said_plainly_is_looked_at_before_a_claim(self):
        id, ran, asked = fresh("o"), [], []
        kind = type(self.engine._kind())
        self.begin()

        def said(each, what):
            asked.append(what)

        with mock.patch.object(kind, "asked", said), mock.patch.object(kind, "together", said):
            for plain, code in ((5, "hos.call_malformed"), ("x", "hos.call_malformed"), ({"x": 1.5}, "hos.value_invalid")):
                words = {"facts": lambda: ran.append(1), "args": plain}, {"args": lambda: ran.append(1), "facts": plain}
                for each in words:
                    self.refused(hos.CallError, code, self.mert.begin, "ticket", id, "order", once=id, **each)
        self.rollback()
        self.assertEqual((ran, asked), ([], []))

    def test_a_claim_without_a_call_leaves_nothing(self):
        class Gone(Exception):
            pass

        def gone():
            raise Gone

        id = fresh("o")
        for args, wanted in ((gone, Gone), (lambda: {"amount": 1.5}, hos.CallError), (lambda: None, None)):
            self.begin()
            if wanted is None:
                self.assertIs(self.mert.transition("ticket", id, "pay", args=args, once=id).allowed, False)
            else:
                with self.assertRaises(wanted):
                    self.mert.transition("ticket", id, "pay", args=args, once=id)
                with self.assertRaises(wanted):
                    self.mert.begin("ticket", id, "order", facts=args, once=id)
            self.commit()
            self.assertEqual(self.kept(id), (0, 0, 0))
        self.born(id, once=id)

    def test_two_births_of_one_at_once_are_one(self):
        for _ in range(5):
            id, gate, told = fresh("o"), threading.Barrier(2), []

            def work(worker, id=id, gate=gate, told=told):
                connection = self.host.connect()
                engine = self.engine.on(connection)
                actor = engine.tenant("t1").as_(MERT)
                gate.wait()
                told.append(engine.transaction(lambda: self.birth(id, actor, once=f"{id}-{worker}"), tries=20))
                connection.close()

            threads = [threading.Thread(target=work, args=(worker,)) for worker in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(sorted((answer.allowed, answer.code or "") for answer in told), [(False, "hos.instance_exists"), (True, "")])
            self.assertEqual(self.count("SELECT count(*) FROM hos_instance WHERE id = %s", id.encode()), 1)

    def test_the_law_says_it_in_a_language(self):
        mert = self.engine.tenant("t1").as_(MERT, language="en")
        self.born(fresh("o"))
        self.begin()
        id = fresh("o")
        self.birth(id)
        answer = mert.transition("ticket", id, "pay", args={"amount": 1})
        self.rollback()
        self.assertEqual(answer.blockers[0].message, "The amount is less than the ticket's price.")
        self.assertEqual(answer.message(), "The amount is less than the ticket's price.")
        self.assertIn("bilet", answer.message("tr"))
        self.assertEqual(answer.message("en"), self.engine.tenant("t1").message("ticket.too_little", "en"))

    def test_the_words_of_the_wire(self):
        self.begin()
        call = {"tenant": "t1", "principal": {"type": "S::Account", "id": "mert"}, "contract": "ticket", "id": "none", "event": "pay"}
        reply = self.engine.call("transition", call)
        self.assertEqual((reply["allowed"], reply["code"]), (False, "hos.instance_unknown"))
        self.refused(hos.CallError, "hos.call_malformed", self.engine.call, "transition", "{")
        self.refused(hos.CallError, "hos.call_malformed", self.engine.call, "history", {"tenant": "t1", "contract": "ticket", "id": "x"})
        self.rollback()

    def test_what_is_no_call(self):
        """What a step is made of: a claim would leave its row, and says neither yes nor no."""
        id = fresh("none")
        who = {"tenant": "t1", "principal": {"type": "S::Account", "id": "mert"}}
        words = {"code": "hos.wrong_state", "language": "tr"}
        self.born(fresh("o"))
        operations = "can can_all begin transition record directory adopt legacy all available message history nothing".split()
        calls = {
            **{operation: {} for operation in operations},
            "claim": {**who, "operation": "transition", "contract": "ticket", "id": id, "event": "pay"},
            "leave": {"step": 1},
            "go_on": {"step": 1, "rows": []},
            "apart": {"step": 1},
            "refused": {"refusal": 1},
            "instead": {"operation": "transition", "call": "{}", "code": "hos.internal", "message": "x"},
        }
        self.begin()
        self.insert(fresh("o"))
        for operation, call in calls.items():
            for said in (call, {**call, "legacy": {"allowed": True}}):
                self.refused(hos.CallError, "hos.call_malformed", self.engine.call, operation, said)
        told = self.engine.tenant("t1").message(words["code"], words["language"])
        self.assertEqual(self.engine.call("message", {"tenant": "t1", **words}), {"message": told})
        self.commit()
        self.assertEqual(self.engine.call("message", {"tenant": "t1", **words}), {"message": told}, "it needs no transaction")
        self.assertFalse(self.host.in_transaction(self.connection))
        self.assertEqual(self.kept(id), (0, 0, 0))
