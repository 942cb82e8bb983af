"""A thousand transactions in eight processes at once, of which some roll back, lose their connection, come twice or are killed: in
the end the host's rows and the evidence say the same, one by one."""

import json
import os
import random
import select
import signal
import time
import unittest

import hosts
from hosts import LAW, MERT, hos

PROCESSES, ALL = 8, 1000
IDS, EVENTS = 60, 200


class Rolled(Exception):
    """The host changed its mind."""


def work(host, told, seed, count):
    """One process: so many transactions, each told by a byte when it has ended."""
    dice = random.Random(seed)
    connection = host.connect()
    engine = hos.Engine.open(LAW, store=lambda: connection)
    mert = engine.tenant("t1").as_(MERT)
    for _ in range(count):
        # Few ids and few keys, so that processes meet.
        id, evt, fate = f"n-{dice.randrange(IDS)}", f"evt-{dice.randrange(EVENTS)}", dice.randrange(10)

        def transaction(id=id, evt=evt, fate=fate):
            born = mert.begin("ticket", id, "order", facts={"owner": MERT, "price": 5})
            if born.allowed:
                host.do(connection, "INSERT INTO orders VALUES (%s, 'new')", id)
            elif born.code != "hos.instance_exists":
                raise AssertionError(born.blockers)
            went = mert.transition("ticket", id, "name", args={"name": evt}, once=evt)
            if went.allowed and not went.again:
                host.do(connection, "INSERT INTO pays VALUES (%s, %s)", id, evt)
            elif not went.allowed and went.code != "hos.once_conflict":
                raise AssertionError(went.blockers)
            if fate < 2:
                raise Rolled
            if fate == 2:
                connection.close()
            return went.allowed or born.allowed

        try:
            engine.transaction(transaction, tries=50)
        except Rolled:
            pass
        except Exception:
            if fate != 2:
                raise
            connection = host.connect()
        os.write(told, b".")


class Process:
    def __init__(self, host, seed, count):
        self.left = count
        read, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                work(host, write, seed, count)
                code = 0
            except BaseException as error:
                os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(code)
        os.close(write)
        self.told = read

    def ended(self):
        """How it ended: by a code, or by a signal, which is negative."""
        os.close(self.told)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class Thousand(unittest.TestCase):
    host = None

    def setUp(self):
        self.host.found()
        self.addCleanup(self.host.drop)

    def test_rows_and_evidence_agree(self):
        self.assertGreater(self.storm(), 2)
        self.host.hos("work")
        said = json.loads(self.host.hos("verify", "--json"))
        self.assertEqual((said["level"], said["findings"], said["unsealed"]["records"]), ("intact", [], 0))
        connection = self.host.alone()
        self.addCleanup(connection.close)
        orders = {id for (id,) in self.host.rows(connection, "SELECT id FROM orders")}
        instances = self.host.rows(connection, "SELECT id, version FROM hos_instance WHERE contract = 'ticket'")
        pays = self.host.rows(connection, "SELECT id, evt FROM pays")
        keys = self.host.rows(connection, f"SELECT {self.host.key} FROM hos_once WHERE tenant = 't1'")
        moves = {bytes(id).decode(): version - 1 for id, version in instances}
        self.assertEqual(set(moves), orders)
        self.assertGreater(len(orders), 40)
        self.assertEqual({id: sum(one == id for one, _ in pays) for id in orders}, moves)
        self.assertEqual(sorted(bytes(key).decode() for (key,) in keys), sorted(evt for _, evt in pays))

    def storm(self):
        """Runs all; gives how many were killed in the middle of it."""
        dice, seed, killed, due = random.Random(7), PROCESSES, 0, time.monotonic() + 0.15
        running = [Process(self.host, number, ALL // PROCESSES) for number in range(PROCESSES)]
        while running:
            ready, _, _ = select.select([one.told for one in running], [], [], 0.05)
            for one in [one for one in running if one.told in ready]:
                dots = os.read(one.told, 4096)
                one.left -= len(dots)
                if dots:
                    continue
                running.remove(one)
                code = one.ended()
                if code == -signal.SIGKILL and one.left > 0:
                    running.append(Process(self.host, seed, one.left))
                    seed += 1
                else:
                    self.assertIn(code, (0, -signal.SIGKILL))
            if killed < 12 and time.monotonic() > due and running:
                due = time.monotonic() + 0.15
                os.kill(dice.choice(running).pid, signal.SIGKILL)
                killed += 1
        return killed


def load_tests(loader, tests, pattern):
    return hosts.of([hosts.ALL[0], lambda: hosts.Psycopg(), lambda: hosts.Pymysql()], Thousand)


if __name__ == "__main__":
    unittest.main()
