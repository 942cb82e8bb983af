"""What `shadow` costs beside the bare old code: a question and an event under a law that is well, and where there is no engine.

    cargo build --release -p hos-cli -p pazar -p hos-ffi -p hos-python -p hos-node -p hos-bench
    python bindings/python/bench/shadow.py
"""

import itertools
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
RELEASE = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent.parent.parent / "target")) / "release"
os.environ.setdefault("HOS_PYTHON_LIB", str(RELEASE / "libhos_python.so"))
os.environ.setdefault("HOS_BIN", str(RELEASE / "hos"))
sys.path.insert(0, str(HERE.parent / "tests"))

from house import H1, LAW, MERT, hos, made_store, run_hos  # noqa: E402


def old():
    return True


def measured(works, rounds, calls):
    """Nanoseconds a call: the median of each one's rounds, taken in turn."""
    times = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            begun = time.perf_counter_ns()
            for _ in range(calls):
                work()
            times[name].append((time.perf_counter_ns() - begun) / calls)
    return {name: statistics.median(each) for name, each in times.items()}


def main():
    with tempfile.TemporaryDirectory() as place:
        store = made_store(place)
        run_hos(store, "law", "activate", str(LAW), "--mode", "shadow", "--tenant", "t1", "--as", "Account::ayse")
        engine = hos.Engine.open_for_shadow(LAW, store=store)
        assert engine.absent is None, engine.absent
        mert = engine.tenant("t1").as_(MERT)
        nobody = hos.Engine.open_for_shadow(store="/nowhere/hos.db").tenant("t1").as_(MERT)
        facts = {"owner": MERT, "price": 5}
        told = []
        mert.shadow_can("hall.enter", H1, legacy=old, seen=told.append)
        mert.shadow_begin("ticket", "first", "order", legacy=old, facts=facts, seen=told.append)
        assert [(one.allowed, one.divergence) for one in told] == [(True, False)] * 2, told
        number = itertools.count()
        found = measured(
            {
                "the old code: a function that says yes": old,
                "shadow_can, no engine": lambda: nobody.shadow_can("hall.enter", H1, legacy=old),
                "shadow_can, law and world agree": lambda: mert.shadow_can("hall.enter", H1, legacy=old),
            },
            41,
            1000,
        )
        found.update(
            measured(
                {
                    "shadow_begin, on the disk": lambda: mert.shadow_begin(
                        "ticket", f"k-{next(number)}", "order", legacy=old, facts=facts
                    )
                },
                21,
                20,
            )
        )
        engine.close()
    for name, each in found.items():
        print(f"{name:44} {each / 1000:10.2f} us")


if __name__ == "__main__":
    main()
