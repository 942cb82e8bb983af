"""Django's backend, with Django itself."""

import asyncio
import logging
import sys
import unittest
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from house import EDA, H1, H2, LAW, MERT, Stored, hos, run_hos  # noqa: E402

import django  # noqa: E402
from django.conf import settings  # noqa: E402

HERE = __name__
ENGINES = {}


def engine():
    return ENGINES["here"]


def principal(user):
    return None if user.is_anonymous else hos.Uid("S::Account", user.username)


def resource(obj):
    if obj == "strange":
        raise ZeroDivisionError("mine")
    return None if obj is None else hos.Uid("S::Hall", obj)


class Generous:
    """A backend that says yes to everything: what the law refuses it may not give."""

    def has_perm(self, user, perm, obj=None):
        return True

    async def ahas_perm(self, user, perm, obj=None):
        return True


if not settings.configured:
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        AUTHENTICATION_BACKENDS=["hos.contrib.django.HosBackend"],
        HOS={},
    )
    django.setup()

from django.contrib.auth import authenticate  # noqa: E402
from django.contrib.auth.models import AnonymousUser, User  # noqa: E402
from django.core.exceptions import ImproperlyConfigured  # noqa: E402
from django.core.exceptions import PermissionDenied  # noqa: E402
from django.test.utils import override_settings  # noqa: E402

from hos.contrib.django import HosBackend, actor  # noqa: E402

WORDS = {
    "ENGINE": f"{HERE}.engine",
    "TENANT": "t1",
    "PRINCIPAL": f"{HERE}.principal",
    "RESOURCE": f"{HERE}.resource",
}
BOTH = ["hos.contrib.django.HosBackend", f"{HERE}.Generous"]


class Django(Stored):
    def setUp(self):
        super().setUp()
        ENGINES["here"] = self.open()
        self.settings(HOS=WORDS)
        logging.getLogger("hos.django").setLevel(logging.CRITICAL + 1)

    def settings(self, **words):
        changed = override_settings(**words)
        changed.enable()
        self.addCleanup(changed.disable)

    def test_has_perm_asks_can(self):
        mert, eda = User(username="mert"), User(username="eda")
        self.assertIs(mert.has_perm("hall.enter", "h1"), True)
        self.assertIs(mert.has_perm("hall.enter", "h2"), False)
        self.assertIs(eda.has_perm("hall.enter", "h1"), False)
        self.assertIs(User(username="nobody").has_perm("hall.enter", "h1"), False)
        self.assertIs(mert.has_perms(["hall.enter", "hall.enter"], "h1"), True)
        self.assertIs(mert.has_perms(["hall.enter", "hall.burn"], "h1"), False)
        self.assertIs(asyncio.run(mert.ahas_perm("hall.enter", "h1")), True)
        self.assertIs(asyncio.run(mert.ahas_perm("hall.enter", "h2")), False)

    def test_a_no_is_final_and_a_permission_of_another_s_is_left_to_it(self):
        self.settings(AUTHENTICATION_BACKENDS=BOTH)
        mert = User(username="mert")
        self.assertIs(mert.has_perm("hall.enter", "h2"), False)
        self.assertIs(asyncio.run(mert.ahas_perm("hall.enter", "h2")), False)
        self.assertIs(mert.has_perm("auth.add_user", "h1"), True)

    def test_who_or_what_is_missing_is_no_other_backend_s(self):
        self.settings(AUTHENTICATION_BACKENDS=BOTH)
        mert, unsaid = User(username="mert"), {"PRINCIPAL": lambda user: None}
        table = [
            ("anonymous", AnonymousUser(), "h1", {}),
            ("inactive", User(username="mert", is_active=False), "h1", {}),
            ("no object", mert, None, {}),
            ("nothing that is a resource", mert, "h1", {"RESOURCE": lambda obj: None}),
            ("nobody that is a principal", mert, "h1", unsaid),
            ("a principal of no form", mert, "h1", {"PRINCIPAL": lambda user: 7}),
            ("a hook that fails", mert, "h1", {"PRINCIPAL": lambda user: 1 / 0}),
            ("a resource of no form", mert, "h1", {"RESOURCE": lambda obj: "h1"}),
            ("neither", AnonymousUser(), None, {"RESOURCE": None}),
        ]
        for why, user, obj, words in table:
            with self.subTest(why), override_settings(HOS={**WORDS, **words}):
                self.assertIs(user.has_perm("hall.enter", obj), False)
                self.assertIs(asyncio.run(user.ahas_perm("hall.enter", obj)), False)
                with self.assertRaises(PermissionDenied):
                    HosBackend().has_perm(user, "hall.enter", obj)
                self.assertIs(user.has_perm("auth.add_user", obj), True, "no action of the law")
        # A law that gives everybody everything gives nobody nothing.
        yes = SimpleNamespace(can=lambda *words, **more: SimpleNamespace(allowed=True))
        generous = SimpleNamespace(tenant=lambda name: SimpleNamespace(as_=lambda who: yes))
        with override_settings(HOS={**WORDS, "ENGINE": lambda: generous}):
            self.assertIs(mert.has_perm("hall.enter", "h2"), True)
            self.assertIs(mert.has_perm("hall.enter"), False)
            self.assertIs(AnonymousUser().has_perm("hall.enter", "h2"), False)
        # A guest whom the law knows is somebody.
        with override_settings(HOS={**WORDS, "PRINCIPAL": lambda user: MERT}):
            self.assertIs(AnonymousUser().has_perm("hall.enter", "h1"), True)
            self.assertIs(AnonymousUser().has_perm("hall.enter", "h2"), False)

    def test_the_hooks_may_wait(self):
        def slow(user):
            asyncio.run(asyncio.sleep(0))
            return principal(user)

        with override_settings(HOS={**WORDS, "PRINCIPAL": slow}):
            self.assertIs(asyncio.run(User(username="mert").ahas_perm("hall.enter", "h1")), True)

    def test_doubt_is_a_no_for_all(self):
        self.settings(AUTHENTICATION_BACKENDS=BOTH)
        mert = User(username="mert")
        self.assertIs(mert.has_perm("hall.enter", "strange"), False)
        self.assertIs(mert.has_perm(7, "h1"), False)
        for name, value in (
            ("TENANT", "nowhere"), ("TENANT", None), ("PRINCIPAL", None), ("ENGINE", "no.such.path"), ("GIVEN", "no.such.path"),
            ("TENANT", lambda user, obj: 1 / 0), ("PRINCIPAL", lambda user: 7), ("GIVEN", lambda user, obj: [1.5]),
        ):  # fmt: skip
            with override_settings(HOS={**WORDS, name: value}):
                self.assertIs(mert.has_perm("hall.enter", "h1"), False, (name, value))
        self.assertIs(mert.has_perm("hall.enter", "h1"), True)
        engine().close()
        self.assertIs(mert.has_perm("hall.enter", "h1"), False)
        with self.assertRaises(PermissionDenied):
            HosBackend().has_perm(mert, "hall.enter", "h1")

    def test_rows_without_a_form_for_the_law_are_a_no_of_the_law_s_own_actions_alone(self):
        self.settings(AUTHENTICATION_BACKENDS=BOTH)
        mert = User(username="mert")
        for rows in ([1.5], [hos.Entity(H1, {"open": 1.5})]):
            with self.subTest(rows), override_settings(HOS={**WORDS, "GIVEN": lambda user, obj, rows=rows: rows}):
                self.assertIs(mert.has_perm("hall.enter", "h1"), False)
                with self.assertRaises(PermissionDenied):
                    HosBackend().has_perm(mert, "hall.enter", "h1")
                self.assertIs(mert.has_perm("auth.add_user", "h1"), True)
                self.assertIs(HosBackend().has_perm(mert, "auth.add_user", "h1"), False, "it has no vote")

    def test_nobody_in_particular(self):
        self.assertIs(AnonymousUser().has_perm("hall.enter", "h1"), False)
        self.assertIs(User(username="mert", is_active=False).has_perm("hall.enter", "h1"), False)
        self.assertIsNone(authenticate(username="mert", password="x"))
        self.assertEqual(User(username="mert").get_all_permissions(), set())

    def test_where_the_law_only_watches_the_world_decides(self):
        run_hos(self.store, "law", "activate", str(LAW), "--mode", "shadow", "--tenant", "t1", "--as", "Account::ayse")
        engine().close()
        ENGINES["here"] = self.open()
        self.assertIs(User(username="mert").has_perm("hall.enter", "h1"), False)
        self.settings(AUTHENTICATION_BACKENDS=BOTH)
        self.assertIs(User(username="mert").has_perm("hall.enter", "h2"), True)
        self.assertIs(User(username="mert").has_perm("hall.enter"), True)
        self.assertIs(AnonymousUser().has_perm("hall.enter", "h1"), True)
        engine().close()
        self.assertIs(User(username="mert").has_perm("hall.enter", "h2"), False)

    def test_without_hooks_objects_say_themselves(self):
        class Hall:
            def __hos_uid__(self):
                return H1

        words = {name: value for name, value in WORDS.items() if name != "RESOURCE"}
        with override_settings(HOS={**words, "TENANT": lambda user, obj: "t1"}):
            self.assertIs(User(username="mert").has_perm("hall.enter", Hall()), True)
            self.assertIs(User(username="mert").has_perm("hall.enter", H2), False)

    def test_the_actor_of_a_user(self):
        self.assertEqual(actor(User(username="mert")).principal, MERT)
        self.assertEqual(actor(User(username="eda")).principal, EDA)
        self.assertIsNone(actor(AnonymousUser()))
        with override_settings(HOS={}):
            with self.assertRaises(ImproperlyConfigured):
                actor(User(username="mert"))


if __name__ == "__main__":
    unittest.main()
