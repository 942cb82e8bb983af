"""H-OS: the law of your application, embedded in it.

    from hos import Engine

    with Engine.open("law", store="hos.db") as engine:
        ayse = engine.tenant("pazar-tr").as_('Pazar::Account::"ayse"')
        answer = ayse.can("order.view", 'Pazar::Order::"o-17"')
        print(answer.allowed, answer.code)

A denial is an answer and never an exception; where there is no answer there is an exception of :mod:`hos.errors`.
"""

import os

try:
    from hos import _hos
except ImportError as error:
    # `Engine.open` says it. A program whose own answers stand runs on all the same.
    from hos import _without

    _without.stand_in(error)
    from hos import _hos

from hos._answers import Available, Blocker, Candidate, Entry, EvaluationError, Receipt, Seal
from hos._engine import Actor, Directory, Engine, Tenant
from hos._hos import Answer, Ext, Uid
from hos._reply import Reply
from hos._values import Call, Entity, HasUid, Legacy, Question
from hos.errors import (
    AbsentError,
    CallError,
    ClosedError,
    Denied,
    Fault,
    HosError,
    InternalError,
    LawError,
    OutcomeUnknownError,
    RetryError,
    StoreError,
)
from hos.joined import JoinedActor, JoinedEngine, JoinedTenant
from hos.process import per_process

__version__: str = _hos.VERSION

__all__ = [
    "AbsentError",
    "Actor",
    "Answer",
    "Available",
    "Blocker",
    "Call",
    "CallError",
    "Candidate",
    "ClosedError",
    "Denied",
    "Directory",
    "Engine",
    "Entity",
    "Entry",
    "EvaluationError",
    "Ext",
    "Fault",
    "HasUid",
    "HosError",
    "InternalError",
    "JoinedActor",
    "JoinedEngine",
    "JoinedTenant",
    "LawError",
    "Legacy",
    "OutcomeUnknownError",
    "Question",
    "Receipt",
    "Reply",
    "RetryError",
    "Seal",
    "StoreError",
    "Tenant",
    "Uid",
    "per_process",
]

# A child can go on only if no thread of its parent was inside an engine at the fork: who forks waits for them.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_hos._before_fork,
        after_in_parent=_hos._after_fork_in_parent,
        after_in_child=_hos._after_fork_in_child,
    )
