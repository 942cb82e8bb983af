"""Old code of all kinds, run bare and under `shadow`: both must come to the very same."""

import asyncio
import contextlib
import gc
import inspect
import io
import pickle
import warnings

from house import H1, hos


class Thing:
    """A result of the world's."""


class Refusal(Exception):
    """A no of the world's."""


THING, REFUSAL, BUG = Thing(), Refusal("out of stock"), KeyError("old bug")


def raising(error):
    def legacy():
        raise error

    return legacy


# Each with what the law is told of it.
ALL = {
    "nothing": (lambda: None, True),
    "yes": (lambda: True, True),
    "no": (lambda: False, False),
    "zero": (lambda: 0, True),
    "an empty text": (lambda: "", True),
    "a lone surrogate": (lambda: "\ud800", True),
    "bytes": (lambda: b"\xff\0", True),
    "a float": (lambda: 0.1 + 0.2, True),
    "a list": (lambda: [1, {"x": None}], True),
    "a dict that says no": (lambda: {"allowed": False, "why": "x"}, False),
    "an object": (lambda: THING, True),
    "an outcome": (lambda: hos.Legacy(allowed=False), False),
    "an exception": (raising(REFUSAL), False),
    "a bug": (raising(BUG), False),
    "out of memory": (raising(MemoryError()), False),
    "an assertion": (raising(AssertionError("old")), False),
}

FORMS = {
    "shadow": ("ticket", "k-1", "pay"),
    "shadow_begin": ("ticket", "k-1", "order"),
    "shadow_can": ("hall.enter", H1),
}


def outcome(work):
    """What work comes to: objects as they are, so that another one in their place is noticed; all else byte by byte."""
    try:
        given = work()
    except Exception as raised:
        return "raised", id(raised), raised.__cause__, raised.__context__
    return ("gave", id(given)) if given is THING else ("gave", pickle.dumps(given))


def harmed(test, actor, *own, forms=FORMS, **words):
    """Each world under each form, and under its `async` sister; gives what `seen` was told."""
    told = []
    wanted = 0
    # What other tests left to be collected warns here otherwise.
    gc.collect()
    for form in forms:
        for name, (legacy, _) in ALL.items():
            for sister in (False, True):
                with test.subTest(form=form, world=name, aio=sister):
                    _same(test, actor, form, own or FORMS[form], legacy, sister, {"seen": told.append, **words})
                    wanted += 1
    if "seen" not in words:
        test.assertEqual(len(told), wanted)
    return told


def _same(test, actor, form, own, legacy, sister, words):
    runs = []

    def counted():
        runs.append(1)
        return legacy()

    async def coroutine():
        await asyncio.sleep(0)
        return counted()

    def shadowed():
        who = actor() if inspect.isfunction(actor) else actor
        if sister:
            return asyncio.run(getattr(who.aio, form)(*own, legacy=coroutine, **words))
        return getattr(who, form)(*own, legacy=counted, **words)

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        ours = outcome(shadowed)
    test.assertEqual(ours, outcome(legacy))
    test.assertEqual(len(runs), 1, "how often the old code ran")
    test.assertEqual((printed.getvalue(), [str(one.message) for one in warned]), ("", []))
