"""What is no call, no value, no name: refused with its code, and never a yes."""

import collections
import decimal
import gc
import pathlib
import traceback
import types
import weakref

from house import H1, H2, LAW, MERT, Stored, hos, run_hos

SURROGATE = "a\ud800"


# What is wrong with a call in the words of the wire, as a mapping and as JSON.
WRONG_FIELDS = (
    {SURROGATE: 1}, {"args": {SURROGATE: 1}}, {"args": {"x": SURROGATE}}, {"args": {"x": 1.5}}, {"args": {"x": float("nan")}},
    {"args": {"x": object()}}, {"args": {(1, 2): 1}}, {7: 1}, {"id": SURROGATE}, {"id": b"k"},
)  # fmt: skip
_CALL = '"tenant": "t1", "contract": "ticket", "id": "k", "event": "order", "legacy": {"allowed": $allowed}'
WRONG_TEXTS = (
    "{" + _CALL + ', "principal": {"type": "S::Account", "id": "mert"}, "\ud800": 1}',
    "{" + _CALL + ', "principal": {"type": "S::Account", "id": "mert"}, "args": {"\ud800": 1}}',
    "{" + _CALL + ', "principal": {"type": "S::Account", "id": "\ud800"}}',
)


def word_of(text, word):
    """A yes or no in JSON, as the text is."""
    said = "true" if word else "false"
    return said if isinstance(text, str) else said.encode()


class Hostile:
    """Its every answer is a raised exception."""

    def __init__(self, raised=ZeroDivisionError):
        self.raised = raised

    def __hos_uid__(self):
        raise self.raised("mine")


class Strange:
    def __hos_uid__(self):
        return 7


class BadInput(Stored):
    def setUp(self):
        super().setUp()
        self.engine = self.open()
        self.tenant = self.engine.tenant("t1")
        self.mert = self.tenant.as_(MERT)

    def tearDown(self):
        # Whatever came before, the engine works on, and judges as ever.
        self.assertIs(self.mert.can("hall.enter", H1).allowed, True)
        self.assertIs(self.mert.can("hall.enter", H2).allowed, False)

    def test_values_without_a_form(self):
        itself = []
        itself.append(itself)
        inside = {}
        inside["x"] = inside
        deep = 1
        for _ in range(60):
            deep = [deep]
        invalid, large, malformed = "hos.value_invalid", "hos.call_too_large", "hos.call_malformed"
        for value, code in (
            (1.0, invalid), (float("nan"), invalid), (float("inf"), invalid), (None, invalid), (2**63, invalid),
            (-(2**63) - 1, invalid), (10**5000, invalid), (1j, invalid), (b"bytes", invalid), (object(), invalid),
            (decimal.Decimal("NaN"), invalid), (range(3), invalid), ((x for x in "ab"), invalid), (print, invalid),
            ([1, 2.5], invalid), ({"a": None}, invalid), ({1: 2}, invalid), ({None: 2}, invalid), (Strange(), invalid),
            (itself, large), (inside, large), (deep, large), ("x" * 10_000_000, large), (["x" * 100] * 100_000, large),
            (SURROGATE, malformed), ([SURROGATE], malformed), ({SURROGATE: 1}, malformed),
            ({"__entity": {"type": "S::Account", "id": "ayse"}}, malformed), ({"__extn": {"fn": "ip", "arg": "::1"}}, malformed),
            ({"__expr": "1"}, malformed), (hos.Uid("S::Account", ""), "hos.id_invalid"), (hos.Ext("eval", "1"), malformed),
        ):  # fmt: skip
            for context in ({"badge": value}, {"badge": [value]}, types.MappingProxyType({"badge": value})):
                with self.subTest(value=type(value).__name__, code=code, context=type(context).__name__):
                    error = self.refused(hos.CallError, code, self.mert.can, "hall.enter", H1, context=context)
                    self.assertTrue(error.message)
        error = self.refused(
            hos.CallError, "hos.value_invalid", self.mert.can, "hall.enter", H1, context={"a": {"b": [1, 0.5]}}
        )
        self.assertEqual(error.message, "`context.a.b`: a float is no value; a decimal.Decimal or an int is")

    def test_contexts_that_are_none(self):
        for context in ([], "x", 1, True, b"", [("a", 1)], object()):
            with self.subTest(context=repr(context)):
                with self.assertRaises(hos.CallError):
                    self.mert.can("hall.enter", H1, context=context)

    def test_words_of_the_wrong_type(self):
        malformed = "hos.call_malformed"
        for word in (None, 1, b"hall.enter", ["hall.enter"], SURROGATE, H1):
            self.refused(hos.CallError, malformed, self.mert.can, word, H1)
        for word in (None, 1, b"x", {}, [], SURROGATE, Strange(), type):
            self.refused(hos.CallError, malformed, self.mert.can, "hall.enter", word)
            self.refused(hos.CallError, malformed, self.tenant.as_(word).can, "hall.enter", H1)
        for word in (None, 1, b"t1", SURROGATE):
            self.refused(hos.CallError, malformed, self.engine.tenant(word).as_(MERT).can, "hall.enter", H1)
            self.refused(hos.CallError, malformed, self.engine.tenant(word).as_(MERT).begin, "ticket", "k", "order")
            code = "hos.value_invalid" if isinstance(word, bytes) else malformed
            self.refused(hos.CallError, code, self.mert.begin, "ticket", word, "order")
            if word is not None:
                self.refused(hos.CallError, malformed, self.tenant.as_(MERT, language=word).can, "hall.enter", H1)
                self.refused(hos.CallError, code, self.mert.begin, "ticket", "k", "order", once=word)
        for word in ("mert", 'S::Account::"mert', "", 'A B::"x"', 'S::Account::""', "x" * 10_000_000):
            self.refused(hos.CallError, "hos.id_invalid", self.tenant.as_(word).can, "hall.enter", H1)
        for uid in (hos.Uid("", "x"), hos.Uid("S::Account", ""), hos.Uid("S Account", "x"), hos.Uid("S::Account", "x" * 10_000)):
            self.refused(hos.CallError, "hos.id_invalid", self.tenant.as_(uid).can, "hall.enter", H1)
        for name in ("T 1", "", "t\x001", "x" * 100):
            self.refused(hos.CallError, "hos.id_invalid", self.engine.tenant(name).as_(MERT).can, "hall.enter", H1)
        self.refused(hos.CallError, "hos.tenant_unknown", self.engine.tenant("t9").as_(MERT).can, "hall.enter", H1)
        self.refused(hos.CallError, malformed, hos.Uid, SURROGATE, "x")
        self.refused(hos.CallError, malformed, hos.Uid.parse, SURROGATE)
        with self.assertRaises(TypeError):
            hos.Uid("S::Account", 7)

    def test_the_world_s_word_mends_nothing_where_the_law_is_enforced(self):
        yes = {"allowed": True}
        self.assertIs(self.mert.can("hall.enter", H2, legacy=yes).allowed, False)
        for call in (
            lambda: self.mert.can("hall.enter", H1, context={"badge": 1.5}, legacy=yes),
            lambda: self.tenant.as_(MERT, language=7).can("hall.enter", H1, legacy=yes),
            lambda: self.tenant.as_(MERT, request=7).can("hall.enter", H1, legacy=yes),
            lambda: self.tenant.as_("mert").can("hall.enter", H1, legacy=yes),
            lambda: self.mert.can("hall.enter", 7, legacy=yes),
            lambda: self.mert.can(7, H1, legacy=yes),
            lambda: self.mert.begin("ticket", "k", "order", facts={"owner": 1.5}, legacy=yes),
            lambda: self.tenant.as_(7).begin("ticket", "k", "order", facts={"owner": MERT, "price": 1}, legacy=yes),
        ):
            with self.assertRaises(hos.CallError):
                call()

    def test_zero_bytes_are_characters_or_refused(self):
        self.assertEqual(self.mert.can("hall.enter\x00", H1).code, "hos.action_unknown")
        self.assertIs(self.mert.can("hall.enter", H1, context={"badge": "a\x00b"}).allowed, True)
        self.assertIs(self.tenant.as_(hos.Uid("S::Account", "mert\x00")).can("hall.enter", H1).allowed, False)
        self.refused(hos.CallError, "hos.call_malformed", hos.Engine.open, store=self.store + "\x00")

    def test_sizes(self):
        large = "x" * 10_000_000
        self.refused(hos.CallError, "hos.call_too_large", self.mert.can, large, H1)
        self.refused(hos.CallError, "hos.call_too_large", self.mert.can, "hall.enter", H1, context={"badge": large})
        self.refused(hos.CallError, "hos.call_too_large", self.mert.record, "notes.page", large)
        self.refused(hos.CallError, "hos.call_too_large", self.mert.record, "notes.page", b"x" * 10_000_000)
        self.refused(hos.CallError, "hos.call_too_large", self.engine.call, "can", large)
        many = {f"k{i}": i for i in range(200_000)}
        self.refused(hos.CallError, "hos.call_too_large", self.mert.can, "hall.enter", H1, context=many)

    def test_what_the_caller_s_objects_raise_is_the_caller_s(self):
        class Broken(collections.abc.Mapping):
            def __getitem__(self, key):
                raise ZeroDivisionError("mine")

            def __iter__(self):
                raise ZeroDivisionError("mine")

            def __len__(self):
                return 1

        for call in (
            lambda: self.mert.can("hall.enter", Hostile()),
            lambda: self.tenant.as_(Hostile()).can("hall.enter", H1),
            lambda: self.tenant.as_(Hostile()).available("ticket", "k"),
            lambda: self.mert.can("hall.enter", H1, context={"by": Hostile()}),
            lambda: self.mert.can("hall.enter", H1, context=Broken()),
            lambda: self.mert.begin("ticket", "k", "order", facts=Broken()),
            # Nothing is mended by the world's word where the law is enforced.
            lambda: self.mert.can("hall.enter", Hostile(), legacy=True),
            lambda: self.tenant.as_(Hostile()).can("hall.enter", H1, legacy=True),
            lambda: self.mert.begin("ticket", "k", "order", facts=Broken(), legacy=True),
        ):
            with self.assertRaisesRegex(ZeroDivisionError, "mine"):
                call()
            try:
                call()
            except ZeroDivisionError as error:
                raised = traceback.extract_tb(error.__traceback__)[-1].line
            self.assertIn('("mine")', raised, "it says where")
        # What was wrong first is said.
        self.refused(hos.CallError, "hos.call_malformed", self.mert.can, "hall.enter", 7, context={"by": Hostile()}, legacy=True)

    def test_an_actor_who_cannot_say_himself_is_no_leak(self):
        def asked():
            who = Hostile()
            actor = self.tenant.as_(who)
            lengths = set()
            for _ in range(3):
                try:
                    actor.can("hall.enter", H1)
                except ZeroDivisionError as error:
                    lengths.add(len(traceback.extract_tb(error.__traceback__)))
            self.assertEqual(len(lengths), 1, "it does not grow by being raised again")
            return weakref.ref(who)

        who = asked()
        gc.collect()
        self.assertIsNone(who())

    def test_maps_that_change_while_they_are_read(self):
        context = {"badge": None, "hour": 1}

        class Changing:
            def __hos_uid__(self):
                context.clear()
                return MERT

        context["badge"] = Changing()
        self.refused(hos.CallError, "hos.call_malformed", self.mert.can, "hall.enter", Strange(), context=context)
        context.update(badge=Changing(), hour=1)
        answer = self.mert.can("hall.enter", H1, context=context)
        self.assertEqual(answer.code, "hos.attribute_type")

    def test_the_wire_s_own_form(self):
        call = {"tenant": "t1", "principal": {"type": "S::Account", "id": "mert"}, "action": "hall.enter"}
        call["resource"] = {"type": "S::Hall", "id": "h1"}
        itself = {}
        itself["x"] = itself
        for value in (1.5, None, 2**64):
            self.refused(hos.CallError, "hos.value_invalid", self.engine.call, "can", {**call, "context": {"hour": value}})
        for value in (object(), float("nan"), b"x", itself, {("a",): 1}):
            self.refused(hos.CallError, "hos.value_invalid", self.engine.call, "can", {**call, "context": value})
        for text in (b"\xff", b"", "[]", '{"a":1,"a":2}', b"\xef\xbb\xbf{}", "{} {}", SURROGATE):
            self.refused(hos.CallError, "hos.call_malformed", self.engine.call, "can", text)
        for form in (None, 7, ["x"], object()):
            self.refused(hos.CallError, "hos.call_malformed", self.engine.call, "can", form)
        for operation in (None, 7, SURROGATE, "", "can\x00", "CAN"):
            self.refused(hos.CallError, "hos.call_malformed", self.engine.call, operation, call)

    def test_openings(self):
        for words in ({"store": ""}, {"store": self.store, "seal": "later"}, {"store": self.store, "busy_timeout_ms": -1}):
            self.refused(hos.CallError, "hos.call_malformed", hos.Engine.open, **words)
        self.refused(hos.CallError, "hos.call_malformed", hos.Engine.of_options, {"stor": "x"})
        self.refused(hos.CallError, "hos.value_invalid", hos.Engine.open, store=self.store, busy_timeout_ms=0.5)
        self.refused(hos.StoreError, "hos.store_unavailable", hos.Engine.open, store=self.place.name + "/none.db")
        self.refused(hos.RetryError, "hos.store_busy", hos.Engine.open, store=self.store)
        self.refused(hos.CallError, "hos.call_malformed", hos.Engine.open, store=self.store + "\udc80")
        urls = ("postgres://u:SECRET@h:1/db", "postgresql+psycopg://u:SECRET@h/db", "mysql://u:SECRET@h/db", "SQLITE:///SECRET")
        for url in (*urls, "pgsql:/u:SECRET@h/db", " mysql:/u:SECRET@h/db", "pgsql:host=h;password=SECRET"):
            for store in (url, pathlib.Path(url)):
                error = self.refused(hos.CallError, "hos.call_malformed", hos.Engine.open, LAW, store=store)
                self.assertIn("not its URL", error.message)
                self.assertNotIn("SECRET", str(error))
            error = self.refused(hos.CallError, "hos.call_malformed", hos.Engine.of_options, {"store": url})
            self.assertNotIn("SECRET", str(error))
        with self.assertRaises(TypeError):
            hos.Engine.open(self.store)
        with self.assertRaises(TypeError):
            hos.Engine.open(store=7)

    def test_keyword_only(self):
        for call in (
            lambda: self.mert.can("hall.enter", H1, {"hour": 1}),
            lambda: self.mert.can("hall.enter", H1, contxt={"hour": 1}),
            lambda: self.mert.transition("ticket", "k", "pay", {"amount": 1}),
        ):
            with self.assertRaises(TypeError):
                call()


class TheWorldsAnswer(Stored):
    """In shadow the world's own answer stands, whatever the call holds."""

    def setUp(self):
        super().setUp()
        run_hos(self.store, "law", "activate", str(LAW), "--mode", "shadow", "--tenant", "t1", "--as", "Account::ayse")
        self.tenant = self.open().tenant("t1")
        self.mert = self.tenant.as_(MERT)

    def test_it_stands(self):
        itself = []
        itself.append(itself)
        strange = (1.5, None, 2**70, SURROGATE, itself, object(), "x" * 5_000_000, {"__entity": 1}, {1: 2})
        for word in (True, False):
            legacy = hos.Legacy(allowed=word)
            self.assertIs(self.mert.can("hall.enter", H1, legacy=word).allowed, word)
            self.assertIs(self.mert.begin("ticket", "k-1", "order", legacy=word).allowed, word)
            for value in strange:
                with self.subTest(value=repr(value)[:40], word=word):
                    answer = self.mert.can("hall.enter", H1, context={"badge": value}, legacy=legacy)
                    self.assertIs(answer.allowed, word)
                    self.assertEqual(answer.mode, "shadow")
                    self.assertIn(answer.code, ("hos.value_invalid", "hos.call_too_large", "hos.call_malformed"))
                    moved = self.mert.begin("ticket", "k-1", "order", facts={"price": value}, legacy=legacy)
                    self.assertIs(moved.allowed, word)
                    many = self.mert.can("hall.enter", H1, context={"x": [value] * 9, "y": [1] * 2_000_000}, legacy=legacy)
                    self.assertIs(many.allowed, word)
            self.assertIs(self.mert.can(7, H1, legacy=legacy).allowed, word)
            # Control characters are six times as long as they are written.
            nul = "\0" * 2_000_000
            large = self.mert.begin("ticket", "k-1", "order", args={"t": nul}, facts={"t": nul}, context={"t": nul}, legacy=legacy)
            self.assertEqual((large.allowed, large.mode), (word, "shadow"))
            for rest in ({"state": Hostile()}, {"state": "x" * 3_000_000}, {SURROGATE: 1}, {7: 1}, {"state": 1.5}):
                # Its yes or no is told wherever it stands.
                for said in ({**rest, "allowed": word}, {"allowed": word, **rest}):
                    self.assertIs(self.mert.can("hall.enter", H1, legacy=said).allowed, word)
                    self.assertIs(self.mert.begin("ticket", "k-1", "order", legacy=said).allowed, word)
            for strange in (7, SURROGATE, ""):
                self.assertIs(self.tenant.as_(MERT, language=strange).can("hall.enter", H1, legacy=legacy).allowed, word)
                self.assertIs(self.tenant.as_(MERT, request=strange).can("hall.enter", H1, legacy=legacy).allowed, word)
                self.assertIs(self.mert.can("hall.enter", H1, request=strange, legacy=legacy).allowed, word)
            for who in ("mert", 7, None, hos.Uid("S::Account", ""), SURROGATE):
                self.assertIs(self.tenant.as_(who).can("hall.enter", H1, legacy=legacy).allowed, word)
                self.assertIs(self.mert.can("hall.enter", who, legacy=legacy).allowed, word)
                self.assertIs(self.tenant.as_(who).begin("ticket", "k", "order", legacy=legacy).allowed, word)
        self.verify()

    def test_it_stands_whatever_the_caller_s_objects_raise(self):
        broken = [1, {"x": Hostile()}]
        for word in (True, False):
            for call in (
                lambda: self.mert.can("hall.enter", Hostile(), legacy=word),
                lambda: self.tenant.as_(Hostile()).can("hall.enter", H1, legacy=word),
                lambda: self.mert.can("hall.enter", H1, context={"a": 1, "by": broken}, legacy=word),
                lambda: self.mert.can("hall.enter", H1, given=[hos.Entity(H1, {"by": Hostile()}, [Hostile()])], legacy=word),
                lambda: self.mert.can("hall.enter", H1, given=[hos.Entity(Hostile())], request=Hostile(), legacy=word),
                lambda: self.mert.begin("ticket", "k-1", "order", facts={"owner": broken, "price": 1}, legacy=word),
                lambda: self.tenant.as_(Hostile()).begin("ticket", "k-1", "order", legacy=word),
                lambda: self.mert.record("notes.page", "x", subject=Hostile(), legacy=word),
            ):
                answer = call()
                self.assertIs(answer.allowed, word)
                self.assertIn(answer.blockers[0].code, ("hos.id_invalid", "hos.value_invalid", "hos.call_malformed"))
        for legacy in ({"allowed": Hostile()}, {"state": "x", "allowed": Hostile()}, Hostile()):
            with self.assertRaises(ZeroDivisionError):
                self.mert.can("hall.enter", H1, legacy=legacy)
        with self.assertRaises(KeyboardInterrupt):
            self.mert.can("hall.enter", Hostile(KeyboardInterrupt), legacy=True)
        with self.assertRaises(ZeroDivisionError):
            self.tenant.as_(Hostile()).can("hall.enter", H1)
        self.verify()

    def test_its_blocker_tells_what_was_wrong(self):
        class Nobody:
            def __hos_uid__(self):
                return hos.Uid.parse("nobody")

        invalid, malformed = "hos.value_invalid", "hos.call_malformed"
        facts = {"owner": None, "price": 1}
        for call, code, words in (
            (lambda: self.mert.can("hall.enter", "mert", legacy=True), "hos.id_invalid", "`resource`: "),
            (lambda: self.tenant.as_("mert").can("hall.enter", H1, legacy=True), "hos.id_invalid", "`principal`: "),
            (lambda: self.mert.can("hall.enter", Nobody(), legacy=True), "hos.id_invalid", "nobody"),
            (lambda: self.mert.can("hall.enter", 7, legacy=True), malformed, "`resource` is a Uid"),
            (lambda: self.mert.can(7, H1, legacy=True), malformed, "`action` is a str"),
            (lambda: self.mert.can("hall.enter", H1, context={"badge": SURROGATE}, legacy=True), malformed, "lone surrogate"),
            (lambda: self.mert.can("hall.enter", H1, context={"badge": 1.5}, legacy=True), invalid, "`context.badge`: a float"),
            (lambda: self.mert.can("hall.enter", H1, context={"x": Hostile()}, legacy=True), invalid, "ZeroDivisionError"),
            (lambda: self.mert.begin("ticket", "k-1", "order", facts=facts, legacy=True), invalid, "`facts.owner`: None"),
            (lambda: self.mert.begin("ticket", SURROGATE, "order", legacy=True), malformed, "`id`: a text that is not UTF-8"),
            (lambda: self.mert.record("notes.page", "x", subject="mert", legacy=True), "hos.id_invalid", "`subject`: "),
        ):
            answer = call()
            self.assertEqual((answer.allowed, answer.mode, answer.code), (True, "shadow", code), words)
            self.assertIn(words, answer.blockers[0].detail)
        self.verify()

    def test_it_stands_in_the_words_of_the_wire(self):
        engine = self.tenant.engine
        for word in (True, False):
            call = {"tenant": "t1", "principal": {"type": "S::Account", "id": "mert"}, "contract": "ticket", "id": "k", "event": "order"}
            call["legacy"] = {"allowed": word}
            for wrong in WRONG_FIELDS:
                told = engine.call("begin", {**call, **wrong})
                self.assertEqual((told["allowed"], told["mode"]), (word, "shadow"), told)
                self.assertIn(told["blockers"][0]["code"], ("hos.call_malformed", "hos.value_invalid"))
            for raw in WRONG_TEXTS:
                for text in (raw, raw.encode(errors="backslashreplace")):
                    told = engine.call("begin", text.replace("$allowed" if isinstance(text, str) else b"$allowed", word_of(text, word)))
                    self.assertEqual((told["allowed"], told["mode"]), (word, "shadow"), told)
        legacy = {"allowed": True, "state": object()}
        self.assertIs(engine.call("begin", {**call, "legacy": legacy})["allowed"], True)
        for doubt in ({"legacy": {"allowed": 1}}, {"legacy": {}}, {"legacy": None}, {"tenant": SURROGATE}):
            with self.assertRaises(hos.CallError):
                engine.call("begin", {**call, SURROGATE: 1, **doubt})
        with self.assertRaises(hos.CallError):
            engine.call("begin", WRONG_TEXTS[0].replace("$allowed", "true")[:-1] + ', "legacy": {"allowed": false}}')
        self.verify()

    def test_it_does_not_stand_in_doubt(self):
        for legacy in ({}, {"allowed": 1}, {"allowed": "yes"}, {"allowed": None}, "x", 1, 0, [True], "true"):
            with self.subTest(legacy=legacy):
                with self.assertRaises(hos.HosError):
                    self.mert.can("hall.enter", H1, context={"badge": 1.5}, legacy=legacy)
        self.assertIs(self.mert.can("hall.enter", H1).allowed, False)
        self.assertEqual(self.mert.can("hall.enter", H1).code, "hos.legacy_missing")
        self.refused(hos.CallError, "hos.value_invalid", self.mert.can, "hall.enter", H1, context={"badge": 1.5})
        self.assertEqual(self.mert.directory.put(H2, {"open": True}, legacy={"allowed": True}).code, "hos.not_permitted")
