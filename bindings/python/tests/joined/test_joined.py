"""The cases on every kind of connection that is there."""

import unittest

import hosts
from cases import Days, Transactions


def load_tests(loader, tests, pattern):
    return hosts.of(hosts.ALL, Days, Transactions)


if __name__ == "__main__":
    unittest.main()
