"""The cases on every kind of connection that is there."""

import unittest

import hosts
from cases import Days
from lost_cases import Asked, Lost
from shadow_cases import Harm, Shadow
from together_cases import Together
from transaction_cases import Transactions


def load_tests(loader, tests, pattern):
    suite = hosts.of(hosts.ALL, Days, Transactions)
    suite.addTests(hosts.of(hosts.DRIVERS, Shadow))
    suite.addTests(hosts.of([*hosts.DRIVERS, hosts.ALL[1], hosts.ALL[7], hosts.REMOTE[-1]], Lost))
    suite.addTests(hosts.of(hosts.REMOTE, Together))
    suite.addTests(hosts.of(hosts.ONE_EACH, Harm, Asked))
    return suite


if __name__ == "__main__":
    unittest.main()
