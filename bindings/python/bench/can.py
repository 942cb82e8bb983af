"""What `can` costs in Python above what it costs in Rust, beside others that decide the same in the same run.

    cargo build --release -p hos-cli -p pazar -p hos-ffi -p hos-python -p hos-node -p hos-bench
    pip install cedarpy casbin          # the rivals; one that is missing is left out, and that is said
    python bindings/python/bench/can.py [--seconds N] [--no-large]

The decision: may Mert enter an open hall at noon? Fourteen policies, two entities, one number as context. Rounds of a thousand
calls, those of each candidate in turn, so that a machine that slows down slows down for all; each figure is the median of its
rounds. Ratios say more than nanoseconds. Then an engine's memory and opening time, at 20 and at 100,000 policies.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
RELEASE = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
os.environ["HOS_PYTHON_LIB"] = str(RELEASE / "libhos_python.so")
os.environ["HOS_BIN"] = str(RELEASE / "hos")
sys.path.insert(0, str(HERE.parent / "tests"))

import house  # noqa: E402
from house import H1, MERT, hos, made_store  # noqa: E402

ROUND = 1000
QUESTION = {
    "tenant": "t1",
    "principal": {"type": "S::Account", "id": "mert"},
    "action": "hall.enter",
    "resource": {"type": "S::Hall", "id": "h1"},
    "context": {"hour": 12},
}


def ours(engine):
    mert = engine.tenant("t1").as_(MERT)
    tenant = engine.tenant("t1")
    context = {"hour": 12}
    can = mert.can
    words = json.dumps(QUESTION)
    return {
        "hos can, scalar context": lambda: can("hall.enter", H1, context=context).allowed,
        "hos can, no context": lambda: can("hall.enter", H1).allowed,
        "hos can, the actor made anew": lambda: tenant.as_(MERT).can("hall.enter", H1, context=context).allowed,
        "hos can, names as text": lambda: can("hall.enter", 'S::Hall::"h1"', context=context).allowed,
        "hos can, every field read": lambda: can("hall.enter", H1, context=context).blockers == (),
        "hos call, JSON in and out": lambda: engine.call("can", words)["allowed"],
    }


def cedarpy_parsed():
    import cedarpy

    policies = (house.LAW / "policies" / "all.cedar").read_text(encoding="utf-8")
    parsed = cedarpy.PolicySet.from_str(policies)
    entities = [
        {"uid": {"type": "S::Account", "id": "mert"}, "attrs": {"active": True}, "parents": []},
        {"uid": {"type": "S::Hall", "id": "h1"}, "attrs": {"open": True}, "parents": []},
    ]
    entities = cedarpy.Entities.from_json_str(json.dumps(entities))
    request = {
        "principal": 'S::Account::"mert"',
        "action": 'S::Action::"hall.enter"',
        "resource": 'S::Hall::"h1"',
        "context": {"hour": 12},
    }
    return lambda: cedarpy.is_authorized(request, parsed, entities).allowed


def casbin_model():
    import casbin

    place = Path(tempfile.mkdtemp())
    (place / "model.conf").write_text(
        "[request_definition]\nr = sub, obj, act, hour\n"
        "[policy_definition]\np = act, eft\n"
        "[policy_effect]\ne = some(where (p.eft == allow)) && !some(where (p.eft == deny))\n"
        "[matchers]\nm = r.act == p.act && "
        '((p.eft == "allow" && r.obj.open && r.sub.active) || (p.eft == "deny" && (r.hour < 6 || r.hour > 22)))\n',
        encoding="utf-8",
    )
    (place / "policy.csv").write_text("p, hall.enter, allow\np, hall.enter, deny\n", encoding="utf-8")

    class Account:
        active = True

    class Hall:
        open = True

    enforcer = casbin.Enforcer(str(place / "model.conf"), str(place / "policy.csv"))
    sub, obj = Account(), Hall()
    assert enforcer.enforce(sub, obj, "hall.enter", 23) is False
    return lambda: enforcer.enforce(sub, obj, "hall.enter", 12)


def measured(candidates, seconds):
    """Nanoseconds a call: the median of each one's rounds, taken in turn."""
    rounds = {name: [] for name in candidates}
    for call in candidates.values():
        assert call() is True
    until = time.monotonic() + seconds * len(candidates)
    while time.monotonic() < until:
        for name, call in candidates.items():
            times = range(ROUND)
            begun = time.perf_counter_ns()
            for _ in times:
                call()
            rounds[name].append((time.perf_counter_ns() - begun) / ROUND)
    return {name: statistics.median(each) for name, each in rounds.items()}


def rust(store, place, seconds):
    question = Path(place) / "can.json"
    question.write_text(json.dumps(QUESTION), encoding="utf-8")
    words = ["shell", "--store", store, "--question", str(question), "--seconds", str(seconds)]
    said = subprocess.run([str(RELEASE / "hos-bench"), *words], capture_output=True, text=True, check=True)
    return json.loads(said.stdout)


MEMORY = """
import os, sys, time, hos
def resident():
    with open("/proc/self/statm") as text:
        return int(text.read().split()[1]) * os.sysconf("SC_PAGESIZE")
before = resident()
begun = time.perf_counter()
engine = hos.Engine.open(store=sys.argv[1])
times = [time.perf_counter() - begun]
answer = engine.tenant("t1").as_('S::Account::"mert"').can("hall.enter", 'S::Hall::"h1"', context={"hour": 12})
assert answer.allowed is True
grown = resident() - before
for _ in range(int(sys.argv[2])):
    engine.close()
    begun = time.perf_counter()
    engine = hos.Engine.open(store=sys.argv[1])
    times.append(time.perf_counter() - begun)
print(grown, times[0], sorted(times)[len(times) // 2])
"""


def of_size(policies):
    """An engine's memory in MiB, and seconds to open it at first and then, under a law with so many policies more."""
    with tempfile.TemporaryDirectory() as place:
        law = Path(place) / "law"
        shutil.copytree(house.LAW, law)
        more = (
            f'@id("more-{i}") permit (principal == S::Account::"u{i}", action == S::Action::"hall.enter", '
            f'resource == S::Hall::"h{i}");\n'
            for i in range(policies)
        )
        (law / "policies" / "more.cedar").write_text("".join(more), encoding="utf-8")
        store = str(Path(place) / "hos.db")
        for words in house.FOUND:
            house.run_hos(store, *[str(law) if word == str(house.LAW) else word for word in words])
        again = "0" if policies > 1000 else "20"
        said = subprocess.run([sys.executable, "-c", MEMORY, store, again], capture_output=True, text=True, check=True)
        grown, first, median = said.stdout.split()
        return int(grown) / 2**20, float(first), float(median)


OPEN = """
import sys, time, hos
times = []
for _ in range(21):
    begun = time.perf_counter()
    engine = hos.Engine.open(*sys.argv[2:], store=sys.argv[1])
    times.append(time.perf_counter() - begun)
    engine.close()
print(times[0], sorted(times)[len(times) // 2])
"""


def of_pazar():
    """Seconds to open a store under Pazar's law, at first in a process and then: as it is active, and held against its directory."""
    law = ROOT / "examples" / "pazar" / "law"
    with tempfile.TemporaryDirectory() as place:
        store = str(Path(place) / "hos.db")
        founder = ["--founder", "Account::root", "--role", "Role::operator", "--attr", "active=true"]
        house.run_hos(store, "init", "--law", str(law), *founder, "--tenant", "pazar-tr")
        times = []
        for words in ([store], [store, str(law)]):
            said = subprocess.run([sys.executable, "-c", OPEN, *words], capture_output=True, text=True, check=True)
            times += map(float, said.stdout.split())
        return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="for each candidate")
    parser.add_argument("--no-large", action="store_true", help="leave out 100,000 policies")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        store = made_store(place)
        before = rust(store, place, asked.seconds)
        engine = hos.Engine.open(store=store)
        candidates = ours(engine)
        for name, make in (("cedarpy, all parsed before", cedarpy_parsed), ("casbin", casbin_model)):
            try:
                candidates[name] = make()
            except ImportError:
                print(f"{name}: not installed, left out")
        found = measured(candidates, asked.seconds)
        engine.close()
        after = rust(store, place, asked.seconds)
    ground = (before["can_ns"] + after["can_ns"]) / 2
    print(f"CPython {platform.python_version()}, hos {hos.__version__}")
    print(f"Rust's own before {before['can_ns']} ns, after {after['can_ns']} ns")
    print(f"{'':32} {'ns':>9} {'x Rust':>7} {'us above Rust':>14} {'x hos':>7}")
    own = found["hos can, scalar context"]
    print(f"{'Rust, scalar context':32} {ground:9.0f} {1:7.2f} {0:14.2f} {ground / own:7.2f}")
    for name, each in found.items():
        print(f"{name:32} {each:9.0f} {each / ground:7.2f} {(each - ground) / 1000:14.2f} {each / own:7.2f}")
    print(f"Rust opens this store in {after['open_ns'] / 1e6:.1f} ms")
    first, median, first_held, held = (1000 * each for each in of_pazar())
    print(f"Pazar's law: {first:.1f} ms to open at first in a process, then {median:.1f} ms")
    print(f"     its directory read and compared: {first_held:.1f} ms, then {held:.1f} ms")
    for policies in [6] if asked.no_large else [6, 100_000 - 14]:
        memory, first, median = of_size(policies)
        print(
            f"{policies + 14:>7} policies: {memory:7.1f} MiB more once an engine is open, "
            f"{first * 1000:7.1f} ms to open at first, then {median * 1000:.1f} ms"
        )


if __name__ == "__main__":
    main()
