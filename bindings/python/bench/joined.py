"""What a joined call adds to a host's transaction: the same transaction with it and without, on each database that is there.

    cargo build --release -p hos-cli -p pazar -p hos-ffi -p hos-python -p hos-node -p hos-bench
    HOS_TEST_POSTGRES=postgres://.. HOS_TEST_MARIADB=mysql://.. python bindings/python/bench/joined.py

It needs the drivers of `tests/joined/requirements.txt`. Databases are made for it and dropped.
"""

import itertools
import os
import statistics
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
RELEASE = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent.parent.parent / "target")) / "release"
os.environ.setdefault("HOS_PYTHON_LIB", str(RELEASE / "libhos_python.so"))
os.environ.setdefault("HOS_BIN", str(RELEASE / "hos"))
sys.path.insert(0, str(HERE.parent / "tests" / "joined"))

import hosts  # noqa: E402
from hosts import LAW, MERT, hos  # noqa: E402
from together_cases import heard  # noqa: E402

ROUNDS, CALLS = 15, 40
HOSTS = [
    lambda: hosts.Psycopg("PostgreSQL, psycopg"),
    lambda: hosts.Pymysql("MariaDB, PyMySQL"),
    lambda: hosts.Mysqlclient("MariaDB, mysqlclient"),
    lambda: hosts.Sqlite("SQLite, sqlite3"),
]


def measured(host):
    """Milliseconds of a transaction with and without the call, and how often a call says something to the database."""
    connection = host.connect()
    engine = hos.Engine.open(LAW, store=connection)
    mert = engine.tenant("t1").as_(MERT)
    number = itertools.count()

    def bare():
        host.begin(connection)
        host.do(connection, "UPDATE counts SET n = n + 1 WHERE id = 'a'")
        host.do(connection, "INSERT INTO pays VALUES (%s, %s)", "b", f"e-{next(number)}")

    def old():
        bare()
        host.commit(connection)

    def joined():
        bare()
        answer = mert.transition("ticket", "b", "name", args={"name": "x"}, once=f"k-{next(number)}")
        assert answer.allowed, answer.blockers
        host.commit(connection)

    host.begin(connection)
    assert mert.begin("ticket", "b", "order", facts={"owner": MERT, "price": 5}).allowed
    host.commit(connection)
    with heard(engine) as said:
        for _ in range(2):
            said.clear()
            joined()
    times = {old: [], joined: []}
    for _ in range(ROUNDS):
        for work, taken in times.items():
            begun = time.perf_counter()
            for _ in range(CALLS):
                work()
            taken.append((time.perf_counter() - begun) * 1000 / CALLS)
    connection.close()
    return statistics.median(times[old]), statistics.median(times[joined]), len(said)


def main():
    for make in HOSTS:
        host = make()
        if not host.is_there():
            print(f"{host.name:24} {host.variable} names no database")
            continue
        host.found()
        try:
            old, joined, exchanges = measured(host)
        finally:
            host.drop()
        print(f"{host.name:24} {old:7.2f} ms bare, {joined:7.2f} ms joined: {joined / old:5.2f} times; {exchanges} exchanges a move")


if __name__ == "__main__":
    main()
