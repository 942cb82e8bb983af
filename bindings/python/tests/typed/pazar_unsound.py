"""What the types of a law find. Never run."""

from pazar import PazarActor

import hos


def move(actor: PazarActor) -> None:
    actor.can("order.veiw", hos.Uid("Pazar::Order", "o-1"))  # error
    actor.transition("order", "o-1", "pya", args={"amount": 4200, "psp_ref": "x"})  # error
    actor.transition("order", "o-1", "pay", args={"amount": 4200})  # error
