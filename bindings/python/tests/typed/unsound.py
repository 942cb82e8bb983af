"""What a checker must refuse: one fault on each line that ends with its kind (`mypy --strict`). Never run."""

import sqlite3

import hos


async def wrong(actor: hos.Actor, engine: hos.Engine) -> None:
    actor.can("order.view")  # error: call-arg
    actor.can("order.view", 7)  # error: arg-type
    actor.can("order.view", 'O::"1"', {"hour": 1})  # error: call-arg
    actor.can("order.view", 'O::"1"', contexts={})  # error: call-arg
    actor.can("order.view", 'O::"1"').allowed = True  # error: misc
    actor.can("order.view", 'O::"1"', legacy={"allowd": True})  # error: arg-type
    actor.transition("order", "o-1", "pay", amount=1)  # error: call-arg
    actor.transition("order", "o-1", "pay", once=7)  # error: arg-type
    actor.directory.revoke("g-1", onse="x")  # error: call-arg
    actor.directory.revoke("g-1", once=7)  # error: arg-type
    await actor.aio.transition("order", "o-1", "pay", argz={})  # error: call-arg
    actor.aio.can("order.view", 'O::"1"').allowed  # error: attr-defined
    await actor.aio.can("order.view", 7)  # error: arg-type
    engine.tenant(7)  # error: arg-type
    hos.Engine.open("law")  # error: call-overload
    hos.Uid("A", 1)  # error: arg-type
    actor.can("order.view", 'O::"1"').code.upper()  # error: union-attr
    actor.can("order.view", 'O::"1"').message().upper()  # error: union-attr
    actor.shadow("order", "o-1", "pay")  # error: call-arg
    actor.shadow("order", "o-1", "pay", legacy=5)  # error: arg-type
    actor.shadow("order", "o-1", "pay", legacy=lambda: 5, argz={})  # error: call-arg
    actor.shadow_can("order.view", 'O::"1"', legacy=lambda: 5).code  # error: attr-defined
    connection = sqlite3.connect("shop.db")
    joined = hos.Engine.open("law", store=connection)
    hos.Engine.open("law", store=connection, key_file="hos.key")  # error: call-overload
    hos.Engine.open("law", store=7)  # error: call-overload
    hos.Engine.open_for_shadow("law", stor="hos.db")  # error: call-overload
    hos.Engine.open_for_shadow("law", store="hos.db").on(connection)  # error: attr-defined
    engine.call("can", {})["allowed"] = True  # error: index
    joined.transaction(5)  # error: arg-type
    joined.transaction(lambda: 5).code  # error: attr-defined
    joined.tenant("t").as_("A").transition("order", "o-1", "pay", args=lambda: 5)  # error: arg-type
    joined.tenant("t").as_("A").all(["x"])  # error: list-item
    hos.Call.begin("order", "o-1", "place", legacy=True)  # error: call-arg
    hos.Call.transition("order", "o-1", "pay", args=lambda: {})  # error: arg-type
    engine.tenant("t").as_("A").all([])  # error: attr-defined
    receipt = joined.tenant("t").as_("A").record("notes", "x").receipt
    assert receipt is not None
    receipt.n + 1  # error: operator
