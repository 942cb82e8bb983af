"""Writes to a store until somebody kills it, and says what it was told (`hos-testkit/src/told.rs`).

    writer.py write STORE NAME      from two threads
    writer.py again STORE KEY..     these once more, which changes nothing
    writer.py early STORE NAME      planted: says so before it is true, and then nothing comes
"""

import os
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "bindings/python/tests"))

import layout  # noqa: E402

layout.prepare()

import hos  # noqa: E402

LAW = layout.ROOT / "testdata" / "vectors" / "call" / "law"
AYSE = hos.Uid("S::Account", "ayse")


def say(line):
    # One write, which no other line comes into.
    os.write(1, f"{line}\n".encode())


def opened(store):
    return hos.Engine.open(LAW, store=store).tenant("t1").as_(AYSE)


def done(actor, key):
    """Does what a key stands for: `x` makes the lamp `x`, `x+step` lets it go out."""
    lamp, _, step = key.partition("+")
    if step:
        return actor.transition("lamp", lamp, "step", once=key)
    return actor.begin("lamp", lamp, "make", once=key)


def write(actor, name, count=1 << 60):
    for k in range(count):
        for key in (f"{name}-{k}", f"{name}-{k}+step")[: 1 + (k % 3 == 0)]:
            say(f"try {key}")
            answer = done(actor, key)
            assert answer.allowed and not answer.again, answer
            say(f"ack {key} {answer.receipt.record}")


def main(way, store, *names):
    say("")
    actor = opened(store)
    if way == "again":
        for key in names:
            answer = done(actor, key)
            assert answer.allowed and answer.again, answer
            say(f"ack {key} {answer.receipt.record}")
        return
    if way == "early":
        say(f"try {names[0]}\nack {names[0]} 00")
        time.sleep(600)
    threads = [threading.Thread(target=ends_all(write), args=(actor, f"{names[0]}.{n}")) for n in range(2)]
    for thread in threads:
        thread.start()


def ends_all(work):
    """One thread that fails is the end of the process, so that it is seen."""

    def run(*args):
        try:
            work(*args)
        except BaseException as error:
            os.write(2, f"{type(error).__name__} {getattr(error, 'code', '')} {error}\n".encode())
            os._exit(1)

    return run


if __name__ == "__main__":
    main(*sys.argv[1:])
