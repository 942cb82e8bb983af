"""A foreign SQLite library, and plain reads, in the process that writes: Python's own `sqlite3` beside the engine's.

    foreign.py write STORE NAME COUNT SEED HANDS   three threads write, each its count of lamps, while a fourth touches the file:
                                             by plain reads (`reads`), or by an SQLite library as well (`library`)
    foreign.py touch STORE                   another process that opens, reads and closes, until it is killed
    foreign.py once STORE                    the same, once
    foreign.py plain STORE NAME              planted: a writer without a guard

Says what it was told (`hos-testkit/src/told.rs`), and each refusal's code as `met CODE`.
"""

import os
import random
import sqlite3
import sys
import threading
import time

PATIENCE = 60


def say(line):
    os.write(1, f"{line}\n".encode())


def read(store):
    """As any program does that looks at a file."""
    with open(store, "rb") as file:
        file.read(4096)


def query(store):
    """As any program does that has an SQLite of its own. The last one that closes moves the log into the file and removes it."""
    other = sqlite3.connect(store, timeout=0.2)
    try:
        other.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        pass
    other.close()


def write(store, name, count, seed, hands):
    import writer
    from writer import AYSE, LAW, ends_all, hos

    dice = random.Random(int(seed))
    actor = hos.Engine.open(LAW, store=store).tenant("t1").as_(AYSE)
    busy = [True]

    def touch():
        while busy[0]:
            # The vault is a file of the engine's as well.
            dice.choice([read, query] if hands == "library" else [read])(dice.choice([store, store, store + ".vault"]))
            # Sometimes again at once, and on the whole seldom enough that somebody gets on.
            time.sleep(dice.choice([0, 0.01, 0.1, 0.3]) * dice.random())

    def until_it_is_known(key):
        since = time.monotonic()
        while True:
            say(f"try {key}")
            try:
                answer = writer.done(actor, key)
            except hos.HosError as error:
                say(f"met {error.code} {error}")
                if error.code == "hos.store_integrity":
                    say(f"not {key}")
                assert time.monotonic() - since < PATIENCE, f"it does not go on: {error}"
                continue
            assert answer.allowed, answer
            say(f"ack {key} {answer.receipt.record}")
            return

    def work(name):
        for k in range(int(count)):
            until_it_is_known(f"{name}-{k}")

    toucher = threading.Thread(target=ends_all(touch))
    threads = [threading.Thread(target=ends_all(work), args=(f"{name}.{n}",)) for n in range(3)]
    for thread in [toucher, *threads]:
        thread.start()
    for thread in threads:
        thread.join()
    busy[0] = False
    toucher.join()
    say(f"done {name}")


def plain(store, name):
    """Acknowledges what its SQLite said is committed, and durable."""
    file = sqlite3.connect(store, isolation_level=None)
    file.execute("PRAGMA journal_mode = WAL")
    file.execute("PRAGMA synchronous = FULL")
    file.execute("CREATE TABLE IF NOT EXISTS log (key TEXT PRIMARY KEY)")
    for k in range(40):
        if k == 20:
            # Its locks are gone; another process then thinks that nobody has the file.
            read(store)
            say("touched")
            while not os.path.exists(os.path.splitext(store)[0] + ".go"):
                time.sleep(0.005)
        say(f"try {name}-{k}")
        file.execute("INSERT INTO log VALUES (?)", [f"{name}-{k}"])
        say(f"ack {name}-{k}")
    say("done")
    # Killed, and not closed: closing would write what it has.
    time.sleep(600)


def main(way, store, *rest):
    say("")
    if way == "write":
        write(store, *rest)
    elif way == "plain":
        plain(store, *rest)
    elif way == "once":
        query(store)
        say("touched")
    else:
        while True:
            query(store)
            query(store + ".vault")
            time.sleep(0.003)


if __name__ == "__main__":
    main(*sys.argv[1:])
