"""Forks while threads write, many and nested, and some are killed; nobody may hang.

    forks.py STORE NAME FORKS SEED

Says what it was told (`hos-testkit/src/told.rs`), and of each child `born NAME`, then `done NAME` or, by who killed it, `killed
NAME`. One that hangs is ended by its own alarm, and has no end.
"""

import os
import random
import signal
import sys
import threading
import time

import writer
from writer import AYSE, LAW, ends_all, hos, say

# A child that takes so long hangs.
ALARM = 240
NESTED = 3


def child(inherited, engine, name, depth, dice):
    """What a child does: nothing goes through what it inherited, and it goes on with an engine of its own."""
    signal.alarm(ALARM)
    say(f"born {name}")
    for work in (lambda: inherited.begin("lamp", f"{name}.x", "make", once=f"{name}.x"), engine.close):
        try:
            work()
            raise AssertionError("an inherited engine was used")
        except hos.ClosedError:
            pass
    own = hos.Engine.open(LAW, store=STORE)
    actor = own.tenant("t1").as_(AYSE)
    threads = [threading.Thread(target=ends_all(writer.write), args=(actor, f"{name}.{n}", 3)) for n in range(2)]
    for thread in threads:
        thread.start()
    if depth < NESTED and dice.random() < 0.5:
        end(fork(actor, own, f"{name}_", depth + 1, dice), dice)
    for thread in threads:
        thread.join()
    own.close()
    say(f"done {name}")


def fork(actor, engine, name, depth, dice):
    seed = dice.random()
    pid = os.fork()
    if pid:
        return pid, name
    try:
        child(actor, engine, name, depth, random.Random(seed))
        os._exit(0)
    except BaseException as error:
        os.write(2, f"{name}: {type(error).__name__} {getattr(error, 'code', '')} {error}\n".encode())
        os._exit(1)


def end(born, dice):
    """Waits for a child, or kills it at some moment."""
    pid, name = born
    if dice.random() < 0.4:
        time.sleep(dice.random() * 0.3)
        # Who says it may be killed behind its own blow.
        say(f"killed {name}")
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return
    status = os.waitpid(pid, 0)[1]
    if status:
        say(f"bad {name} {status}")


def main(store, name, forks, seed):
    global STORE
    STORE = store
    say("")
    dice = random.Random(int(seed))
    engine = hos.Engine.open(LAW, store=store)
    actor = engine.tenant("t1").as_(AYSE)
    stop = threading.Event()

    def busy(name):
        n = 0
        while not stop.is_set():
            writer.write(actor, f"{name}_{n}", 2)
            n += 1

    threads = [threading.Thread(target=ends_all(busy), args=(f"{name}.{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    born = []
    for n in range(int(forks)):
        born.append(fork(actor, engine, f"{name}c{n}", 1, dice))
        # Some of them live at once.
        if len(born) == 4:
            end(born.pop(dice.randrange(4)), dice)
    for one in born:
        end(one, dice)
    stop.set()
    for thread in threads:
        thread.join()
    engine.close()
    say(f"done {name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
