"""Python's values in Cedar's words."""

import datetime
import decimal
import enum
import ipaddress
import json
import types
import unittest
from datetime import timedelta, timezone
from decimal import Decimal

from house import AYSE, H1, MERT, Stored, hos

from hos._values import read

UTC = timezone.utc


class Forms(unittest.TestCase):
    def test_decimals(self):
        table = {
            "1": "1.0", "1.5": "1.5", "-1.50": "-1.5", "0.0001": "0.0001", "0": "0.0", "-0": "0.0", "1E+3": "1000.0",
            "0E-50": "0.0", "0E+50": "0.0", "1.00000": "1.0", "922337203685477.5807": "922337203685477.5807",
            "-922337203685477.5808": "-922337203685477.5808", "-0.00010000": "-0.0001",
        }  # fmt: skip
        for text, wanted in table.items():
            self.assertEqual(read(Decimal(text)), hos.Ext("decimal", wanted), text)
        for text in (
            "0.00001", "1E-5", "922337203685477.5808", "-922337203685477.5809", "1E+15", "1E+999999", "1E-999999",
            "NaN", "sNaN", "Infinity", "-Infinity", "1234567890123456789012345678901234567890",
        ):  # fmt: skip
            self.assertIsInstance(read(Decimal(text)), str, text)
        # Longer than Python reads a number.
        zeros = "0" * 5000
        for text, wanted in ((f"1.{zeros}", "1.0"), (f"-1.25{zeros}", "-1.25"), (f"0.{zeros}", "0.0")):
            self.assertEqual(read(Decimal(text)), hos.Ext("decimal", wanted))
        for text in (f"1.{zeros}1", f"1{zeros}", f"0.{zeros}1", "1" * 5000):
            self.assertIsInstance(read(Decimal(text)), str)

    def test_decimals_under_a_strange_context(self):
        with decimal.localcontext() as context:
            context.prec = 2
            context.traps[decimal.Inexact] = True
            self.assertEqual(read(Decimal("123456.7891")), hos.Ext("decimal", "123456.7891"))

    def test_times(self):
        table = {
            datetime.datetime(2026, 1, 31, 12, tzinfo=UTC): "2026-01-31T12:00:00.000Z",
            datetime.datetime(2026, 1, 31, 12, 0, 0, 1999, tzinfo=UTC): "2026-01-31T12:00:00.001Z",
            datetime.datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=3))): "2026-01-31T09:00:00.000Z",
            datetime.datetime(1, 1, 1, tzinfo=UTC): "0001-01-01T00:00:00.000Z",
            datetime.datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC): "1969-12-31T23:59:59.999Z",
        }
        for value, wanted in table.items():
            self.assertEqual(read(value), hos.Ext("datetime", wanted))
        naive = datetime.datetime(2026, 1, 31)
        before_all = datetime.datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=3)))
        for value in (naive, before_all, datetime.date(2026, 1, 31), datetime.time(12)):
            self.assertIsInstance(read(value), str, value)

    def test_durations(self):
        table = {
            timedelta(days=1, hours=2, minutes=3, seconds=4, milliseconds=5): "1d2h3m4s5ms",
            timedelta(0): "0ms",
            timedelta(hours=-25): "-1d1h",
            timedelta(microseconds=1999): "1ms",
            timedelta(microseconds=-1): "0ms",
            timedelta(days=100): "100d",
        }
        for value, wanted in table.items():
            self.assertEqual(read(value), hos.Ext("duration", wanted))

    def test_addresses(self):
        for text in ("10.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32"):
            value = ipaddress.ip_network(text) if "/" in text else ipaddress.ip_address(text)
            self.assertEqual(read(value), hos.Ext("ip", text))
        self.assertEqual(read(ipaddress.ip_interface("10.0.0.1/8")), hos.Ext("ip", "10.0.0.1/8"))
        mapped = read(ipaddress.ip_address("::ffff:10.0.0.1"))
        self.assertNotIn(".", mapped.text)
        self.assertEqual(ipaddress.ip_address(mapped.text), ipaddress.ip_address("::ffff:10.0.0.1"))
        self.assertIsInstance(read(ipaddress.ip_address("fe80::1%eth0")), str)


class Told(Stored):
    """What is stored is what was said, and the engine takes each form."""

    def test_every_form_is_taken_by_the_engine(self):
        engine = self.open()
        mert = engine.tenant("t1").as_(MERT)
        for value in (
            True, 0, -(2**63), 2**63 - 1, "", "é\x00🔒", [], [1, 1], (1, 2), {1, 2}, frozenset({"a"}), {"a": {"b": [True]}}, MERT,
            types.MappingProxyType({"a": 1}), Decimal("1.5"), datetime.datetime.now(UTC), timedelta(days=1),
            ipaddress.ip_address("::ffff:10.0.0.1"), ipaddress.ip_network("10.0.0.0/8"), hos.Ext("decimal", "1.0"),
        ):  # fmt: skip
            answer = mert.can("hall.enter", H1, context={"x": value})
            self.assertEqual(answer.code, "hos.attribute_unknown", repr(value))

    def test_the_engine_judges_by_them(self):
        mert = self.open().tenant("t1").as_(MERT)
        seat = hos.Uid("S::Seat", "1")
        given = [hos.Entity(seat, {"hall": H1, "price": Decimal("10.5"), "since": datetime.datetime.now(UTC)})]
        for offer, allowed in ((Decimal("10.5"), True), (Decimal("10.4999"), False), (Decimal("1E+3"), True)):
            self.assertIs(mert.can("seat.take", seat, given=given, context={"offer": offer}).allowed, allowed)

    def test_scalars_and_json_say_the_same(self):
        mert = self.open().tenant("t1").as_(MERT)
        for hour in (12, 23):
            plain = mert.can("hall.enter", H1, context={"hour": hour})
            # A mapping that is no dict goes as JSON.
            other = mert.can("hall.enter", H1, context=types.MappingProxyType({"hour": hour}))
            self.assertEqual(json.loads(plain.json()), json.loads(other.json()))

    def test_subclasses_are_what_they_are(self):
        class Hour(enum.IntEnum):
            NOON = 12

        class Badge(str):
            pass

        mert = self.open().tenant("t1").as_(MERT)
        self.assertIs(mert.can("hall.enter", H1, context={"hour": Hour.NOON, "badge": Badge("x")}).allowed, True)
        self.assertIs(mert.can("hall.enter", H1, context={"badge": Badge("lost-1")}).allowed, False)

    def test_stored_values_come_back(self):
        ayse = self.open().tenant("t1").as_(AYSE)
        ayse.begin("ticket", "k-1", "order", facts={"owner": AYSE, "price": 2**62, "name": 'q"\\\n\x00\x1f é🔒'})
        facts = ayse.history("ticket", "k-1")[0].parts["facts"]
        self.assertEqual(facts, {"owner": AYSE, "price": 2**62, "name": 'q"\\\n\x00\x1f é🔒'})
