"""Runs the call vectors (`testdata/vectors/call/`) both ways: through `call`, and in Python's own words.

    python bindings/python/tests/vectors.py [FILE..]

The last line is `python: N passed, N failed`; the exit code is 0 only when none failed.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import layout

layout.prepare()

import hos  # noqa: E402

VECTORS = layout.ROOT / "testdata" / "vectors" / "call"
LEFT_OUT = {"law", "guard_law", "time"}
KNOWN_OPTIONS = {"store", "law", "key_file", "signer_socket", "signer_command", "mark", "seal", "busy_timeout_ms", "directory_age_max_ms"}


def main(names):
    files = [Path(name) for name in names] or sorted(VECTORS.glob("*.json"))
    passed = failed = 0
    for file in files:
        scenario = json.loads(file.read_text(encoding="utf-8"))
        wrong = {}
        for way in ("call", "words"):
            for name, why in run(scenario, way):
                if why:
                    wrong.setdefault(name, []).append(f"{way}: {why}")
        for case in scenario["cases"]:
            name = case["name"]
            if name in wrong:
                failed += 1
                print(f"{file.stem} / {name}\n    " + "\n    ".join(wrong[name]))
            else:
                passed += 1
    print(f"python: {passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


def run(scenario, way):
    """Yields each case's name, and what was other than expected."""
    with tempfile.TemporaryDirectory() as place:
        store = os.path.join(place, "hos.db")
        words = {"{law}": str(VECTORS / "law"), "{dir}": place, "{store}": store}
        for command in scenario.get("found", []):
            arguments = [put(one, words) for one in command]
            environment = {**os.environ, "HOS_STORE": store}
            said = subprocess.run([str(layout.HOS), *arguments], env=environment, cwd=place, capture_output=True, text=True)
            if said.returncode != 0:
                for case in scenario["cases"]:
                    yield case["name"], f"hos {' '.join(arguments)}: {said.stdout}{said.stderr}"
                return
        engine = hos.Engine.of_options({"store": store, **put(scenario.get("options", {}), words)})
        for case in scenario["cases"]:
            try:
                met = meet(engine, case, way, words)
            except Exception as error:  # a runner that falls over has seen a failure
                met = {"status": f"{type(error).__name__}: {error}"}
            yield case["name"], differs(case["expect"], met)
        try:
            engine.close()
        except hos.HosError:
            pass  # closed already, or what was planted last is met here


def put(value, words):
    """The value with its `{places}` filled."""
    if isinstance(value, str):
        for name, text in words.items():
            value = value.replace(name, text)
        return value
    if isinstance(value, list):
        return [put(one, words) for one in value]
    if isinstance(value, dict):
        return {name: put(one, words) for name, one in value.items()}
    return value


def meet(engine, case, way, words):
    """What comes of a case: its status, and its answer or code."""
    try:
        if case.get("close"):
            engine.close()
            return {"status": "allowed"}
        if "open" in case:
            options = put(case["open"], words)
            known = way == "words" and "store" in options and set(options) <= KNOWN_OPTIONS
            (hos.Engine.open(**options) if known else hos.Engine.of_options(options)).close()
            return {"status": "allowed"}
        operation = case["operation"]
        if "text" in case:
            return as_json(engine, operation, text_of(case["text"]))
        if way == "call" or operation == "failpoint":
            return as_json(engine, operation, json.dumps(case["call"], ensure_ascii=False).encode())
        return in_words(engine, operation, dict(case["call"]))
    except hos.HosError as error:
        return {"status": error.status, "code": error.code}


def text_of(text):
    if isinstance(text, dict):
        text = text.get("before", "") + text["repeat"] * text["times"] + text.get("after", "")
    return text.encode()


def as_json(engine, operation, call):
    reply = engine.call(operation, call)
    return {"status": "refused" if reply.get("allowed") is False else "allowed", "answer": dict(reply)}


def in_words(engine, operation, call):
    tenant = engine.tenant(call.pop("tenant", None))
    language, request = call.pop("language", None), call.pop("request", None)
    if operation == "message":
        return told({"message": tenant.message(call.pop("code", None), language, **call)})
    if operation == "history":
        call["from_"] = call.pop("from", None)
        entries = tenant.history(call.pop("contract", None), call.pop("id", None), **call)
        return told({"history": [entry(one) for one in entries]})
    actor = tenant.as_(named(call.pop("principal", None)), language=language, request=request)
    call = {name: WORDS.get(name, value)(one) for name, one in call.items()}
    if operation == "available":
        found = actor.available(call.pop("contract", None), call.pop("id", None), **call)
        return told({"available": [available(one) for one in found]})
    if operation == "can_all":
        answers = actor.can_all(questions(call.pop("evaluations")), **call)
        allowed = all(one.allowed for one in answers)
        told_ = told({"allowed": allowed, "evaluations": [answered(one)["answer"] for one in answers]})
        return {**told_, "status": "allowed" if allowed else "refused"}
    if operation == "directory":
        change = call.pop("change")
        ((kind, fields),) = change.items()
        return answered(getattr(actor.directory, kind)(**fields, **call))
    if operation == "record" and "payload_hex" in call:
        call["payload"] = bytes.fromhex(call.pop("payload_hex"))
    return answered(getattr(actor, operation)(**call))


def named(said):
    """An entity's identity, in either form; what is none stays what it is."""
    if isinstance(said, dict):
        inner = said.get("__entity", said) if len(said) == 1 else said
        if isinstance(inner, dict) and set(inner) == {"type", "id"} and all(isinstance(one, str) for one in inner.values()):
            return hos.Uid(inner["type"], inner["id"])
    return said


def value(said):
    if isinstance(said, list):
        return [value(one) for one in said]
    if isinstance(said, dict):
        if set(said) == {"__entity"}:
            return named(said)
        extension = said.get("__extn")
        if len(said) == 1 and isinstance(extension, dict) and set(extension) == {"fn", "arg"}:
            if all(isinstance(one, str) for one in extension.values()):
                return hos.Ext(extension["fn"], extension["arg"])
        return {name: value(one) for name, one in said.items()}
    return said


def questions(said):
    if not isinstance(said, list):
        return said
    known = {"action", "resource", "context", "given"}
    return [question(one) if isinstance(one, dict) and {"action", "resource"} <= set(one) <= known else one for one in said]


def question(said):
    words = {name: WORDS.get(name, value)(one) for name, one in said.items()}
    return hos.Question(**words)


def given(said):
    if not isinstance(said, list):
        return said
    return [entity(one) for one in said]


def entity(said):
    if not isinstance(said, dict) or "uid" not in said or not set(said) <= {"uid", "attrs", "parents"}:
        return said
    parents = said.get("parents", [])
    parents = [named(one) for one in parents] if isinstance(parents, list) else parents
    return hos.Entity(named(said["uid"]), value(said.get("attrs", {})), parents)


def change(said):
    names = {"uid", "parent", "principal", "resource"}
    return {
        kind: {name: named(one) if name in names else value(one) for name, one in fields.items()}
        for kind, fields in said.items()
    }


WORDS = {"resource": named, "subject": named, "given": given, "change": change}


def told(answer):
    return {"status": "allowed", "answer": answer}


def answered(answer):
    """An answer, put together again from what the object says."""
    candidate = answer.candidate
    said = {
        "allowed": answer.allowed,
        "code": answer.code,
        "blockers": [blocker(one) for one in answer.blockers],
        "effect": answer.effect,
        "policies": list(answer.policies),
        "errors": [{"policy": one.policy, "kind": one.kind, "message": one.message} for one in answer.errors],
        "mode": answer.mode,
        "divergence": answer.divergence,
        "candidate": candidate
        if candidate is None
        else {
            "law": candidate.law,
            "allowed": candidate.allowed,
            "blockers": [blocker(one) for one in candidate.blockers],
        },
        "law": answer.law,
        "directory_version": answer.directory_version,
        "from": answer.from_,
        "to": answer.to,
        "version": answer.version,
        "fired": list(answer.fired),
        "again": answer.again,
        "receipt": receipt(answer.receipt),
    }
    return {"status": "allowed" if answer.allowed is True else "refused", "answer": present(said)}


def present(said):
    return {name: one for name, one in said.items() if one is not None}


def blocker(one):
    return present({"code": one.code, "detail": one.detail, "message": one.message})


def receipt(one):
    if one is None:
        return None
    seal = one.seal and present({"seq": one.seal.seq, "entry": one.seal.entry, "checkpoint": one.seal.checkpoint})
    return present({"tenant": one.tenant, "thread": one.thread, "n": one.n, "record": one.record, "seal": seal})


def available(one):
    blockers = [blocker(each) for each in one.blockers]
    said = {"event": one.event, "allowed": one.allowed, "code": one.code, "blockers": blockers}
    return present({**said, "to": one.to, "needs": list(one.needs)})


def entry(one):
    said = {
        "n": one.n,
        "kind": one.kind,
        "event": one.event,
        "from": one.from_,
        "to": one.to,
        "decision": one.decision,
        "code": one.code,
        "policies": list(one.policies),
        "mode": one.mode,
        "contract_version": one.contract_version,
        "directory_version": one.directory_version,
        "durability": one.durability,
        "request": one.request,
        "parts": wired(one.parts),
        "erased": list(one.erased),
        "receipt": receipt(one.receipt),
    }
    return present(said)


def wired(one):
    """A value as the wire has it."""
    if isinstance(one, hos.Uid):
        return {"__entity": {"type": one.type, "id": one.id}}
    if isinstance(one, hos.Ext):
        return {"__extn": {"fn": one.function, "arg": one.text}}
    if isinstance(one, list):
        return [wired(each) for each in one]
    if isinstance(one, dict):
        return {name: wired(each) for name, each in one.items()}
    return one


def normal(said):
    """The normal form of the vectors' page."""
    if isinstance(said, list):
        return [normal(one) for one in said]
    if not isinstance(said, dict):
        return said
    out = {}
    for name, one in said.items():
        if name in LEFT_OUT:
            continue
        if name == "deadlines" and isinstance(one, dict):
            out[name] = sorted(one)
        elif name == "receipt" and isinstance(one, dict):
            sealed = one["sealed"] if "sealed" in one else "seal" in one
            out[name] = {"tenant": one["tenant"], "n": one["n"], "sealed": sealed}
        else:
            out[name] = normal(one)
    return out


def differs(expect, met):
    """What is other than expected; nothing where all is as it should be."""
    if met["status"] != expect["status"]:
        return f"{expect['status']} was expected, and it is {met}"
    if "code" in expect and met.get("code") != expect["code"]:
        return f"{expect['code']} was expected, and it is {met.get('code')}"
    if "answer" in expect:
        wanted, found = normal(expect["answer"]), normal(met.get("answer"))
        # As JSON: true is not 1.
        if json.dumps(wanted, sort_keys=True) != json.dumps(found, sort_keys=True):
            told = [json.dumps(one, sort_keys=True, ensure_ascii=False) for one in (wanted, found)]
            return f"the answer differs\n      expected {told[0]}\n      found    {told[1]}"
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
