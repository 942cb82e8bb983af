"""The types of a law and the package's own actor. Never run."""

from pazar import PazarActor

import hos


def move(engine: hos.Engine, user: hos.Uid) -> None:
    actor: PazarActor = engine.tenant("pazar-tr").as_(user)
    actor.can("order.view", hos.Uid("Pazar::Order", "o-1"))
    actor.begin("order", "o-1", "place", facts={"buyer": user, "shop": hos.Uid("Pazar::Shop", "s1"), "total": 4200})
    actor.transition("order", "o-1", "pay", args={"amount": 4200, "psp_ref": "x"}, once="psp-1")
