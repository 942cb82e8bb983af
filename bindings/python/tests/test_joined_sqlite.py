"""The joined transaction in a host's SQLite file, which every Python has. `joined/` has the other databases."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "joined"))

import hosts  # noqa: E402
from cases import Days  # noqa: E402
from lost_cases import Asked, Lost  # noqa: E402
from shadow_cases import Harm, Shadow  # noqa: E402
from test_connections import Engines, OwnSqlite  # noqa: E402
from transaction_cases import Transactions  # noqa: E402


def load_tests(loader, tests, pattern):
    suite = hosts.of(hosts.SQLITE, Days, Transactions)
    suite.addTests(hosts.of(hosts.SQLITE[:1], Shadow, Harm, Lost, Asked, Engines, OwnSqlite))
    return suite


if __name__ == "__main__":
    unittest.main()
