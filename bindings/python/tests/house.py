"""What tests stand on: the package, stores under the law of the call vectors, and children that are watched."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path

import layout

layout.prepare()
# A planted panic says where it was on standard error; that is enough.
os.environ["RUST_BACKTRACE"] = "0"

import hos  # noqa: E402

LAW = layout.ROOT / "testdata" / "vectors" / "call" / "law"
AYSE, MERT, EDA = (hos.Uid("S::Account", name) for name in ("ayse", "mert", "eda"))
H1, H2 = hos.Uid("S::Hall", "h1"), hos.Uid("S::Hall", "h2")

FOUND = [
    ["init", "--law", str(LAW), "--founder", "Account::ayse", "--role", "Role::operator", "--attr", "active=true", "--tenant", "t1"],
    ["directory", "put", "Account::mert", "--attr", "active=true", "--tenant", "universe", "--as", "Account::ayse"],
    ["directory", "put", "Account::eda", "--attr", "active=false", "--tenant", "universe", "--as", "Account::ayse"],
    ["directory", "put", "Hall::h1", "--attr", "open=true", "--tenant", "t1", "--as", "Account::ayse"],
    ["directory", "put", "Hall::h2", "--attr", "open=false", "--tenant", "t1", "--as", "Account::ayse"],
]


def run_hos(store, *words):
    """Runs `hos` on a store."""
    environment = {**os.environ, "HOS_STORE": str(store)}
    said = subprocess.run([str(layout.HOS), *words], env=environment, cwd=Path(store).parent, capture_output=True, text=True)
    if said.returncode != 0:
        raise AssertionError(f"hos {' '.join(words)}: {said.stdout}{said.stderr}")
    return said.stdout


_MADE = tempfile.TemporaryDirectory()


def made_store(place):
    """A new store in this directory: a copy of one that is made once."""
    if not os.path.exists(os.path.join(_MADE.name, "hos.db")):
        for words in FOUND:
            run_hos(os.path.join(_MADE.name, "hos.db"), *words)
    shutil.copytree(_MADE.name, place, dirs_exist_ok=True)
    return os.path.join(place, "hos.db")


class Stored(unittest.TestCase):
    """A test with a store of its own."""

    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.addCleanup(self.place.cleanup)
        self.store = made_store(self.place.name)

    def open(self, **options):
        engine = hos.Engine.open(LAW, store=self.store, **options)
        self.addCleanup(self.end, engine)
        return engine

    @staticmethod
    def end(engine):
        try:
            engine.close()
        except hos.ClosedError:
            pass

    def verify(self):
        """The evidence holds, as the program says."""
        said = json.loads(run_hos(self.store, "verify", "--json"))
        self.assertNotIn("error", said)
        return said

    def child(self, code, *words, timeout=60, **environment):
        """Runs Python code in a process of its own, and gives how it ended."""
        code = textwrap.dedent(code)
        environment = {**os.environ, "STORE": self.store, "LAW": str(LAW), **environment}
        command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code, *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout)

    def ends_well(self, said, output=None):
        self.assertEqual((said.returncode, said.stderr), (0, ""), said.stdout)
        if output is not None:
            self.assertEqual(said.stdout.strip(), output)

    def refused(self, kind, code, call, *args, **words):
        """The call has no answer but this error."""
        with self.assertRaises(kind) as met:
            call(*args, **words)
        self.assertEqual(met.exception.code, code, str(met.exception))
        self.assertEqual(met.exception.status, kind.status)
        return met.exception
