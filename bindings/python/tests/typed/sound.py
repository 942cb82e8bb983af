"""What a checker must find sound (`mypy --strict`). Never run."""

import datetime
import sqlite3
from decimal import Decimal
from typing import Iterator, List, Optional, Tuple, Union

import hos
from hos.aio import AsyncActor


class Order:
    def __init__(self, id: str) -> None:
        self.id = id

    def __hos_uid__(self) -> hos.Uid:
        return hos.Uid("Pazar::Order", self.id)


def decide(engine: hos.Engine, user: hos.Uid) -> Tuple[bool, Optional[str], List[str]]:
    actor: hos.Actor = engine.tenant("pazar-tr").as_(user, language="tr", request="r-1")
    answer: hos.Answer = actor.can("order.view", Order("o-1"), context={"hour": 12, "price": Decimal("1.5")})
    given = [hos.Entity(Order("o-1"), {"buyer": user}, [user])]
    answer = actor.authorize("order.view", 'Pazar::Order::"o-1"', given=given, legacy=hos.Legacy(allowed=True))
    codes = [blocker.code for blocker in answer.blockers]
    seal: Optional[hos.Seal] = answer.receipt.seal if answer.receipt else None
    assert seal is None or seal.seq >= 0
    return answer.allowed, answer.code, codes


def move(actor: hos.Actor) -> None:
    try:
        answer = actor.apply("order", "o-1", "pay", args={"amount": 4200}, once="psp-1")
        said: Optional[str] = answer.message("en")
        print(answer.from_, answer.to, said)
    except hos.Denied as denied:
        print(denied.code, denied.answer.blockers)
    except hos.HosError as error:
        print(error.code, error.status, [fault.line for fault in error.faults])
    actor.directory.grant("g-1", "shop-viewer", principal=actor.principal, once="x")
    entries: List[hos.Entry] = actor.history("order", "o-1", from_=1, limit=10)
    times: List[datetime.datetime] = [entry.time for entry in entries]
    print(times, [one.needs for one in actor.available("order", "o-1")])


async def moves(actor: hos.Actor) -> hos.Answer:
    later: AsyncActor = actor.aio
    if not (await later.can("order.view", Order("o-1"), context={"hour": 12})).allowed:
        return await later.authorize("order.view", Order("o-1"))
    return await later.transition("order", "o-1", "pay", args={"amount": 1})


def watched(actor: hos.Actor) -> int:
    def seen(told: Union[hos.Answer, Exception]) -> None:
        print(told.code if isinstance(told, hos.Answer) else told)

    def outcome(said: object) -> hos.Legacy:
        return hos.Legacy(allowed=said == 5, state="paid")

    number: int = actor.shadow("order", "o-1", "pay", legacy=lambda: 5, args={"amount": 5}, outcome=outcome, seen=seen)
    may: bool = actor.shadow_can("order.view", Order("o-1"), legacy=lambda: True)
    text: str = actor.shadow_begin("order", "o-1", "place", legacy=lambda: "x", facts={"total": 1}, once="c-1")
    return number if may else len(text)


async def watched_later(actor: hos.Actor) -> int:
    async def legacy() -> int:
        return 5

    given: int = await actor.aio.shadow("order", "o-1", "pay", legacy=legacy)
    return given


def standing_in() -> Optional[BaseException]:
    return hos.Engine.open_for_shadow("law", store="hos.db", busy_timeout_ms=100).absent


def standing_in_for_others() -> hos.JoinedEngine:
    return hos.Engine.open_for_shadow("law", store=connection, directory_age_max_ms=0).on(connection())


def told(engine: hos.Engine, law: hos.JoinedEngine) -> Optional[str]:
    reply: hos.Reply = engine.call("can", {"tenant": "pazar-tr"})
    said = {**law.transaction(lambda: law.call("can", b"{}")), **dict(reply)}
    code: Optional[str] = reply.get("code")
    return code if reply["allowed"] is not True and "allowed" in said else reply.json()


def given(actor: hos.Actor) -> Iterator[hos.Entity]:
    yield hos.Entity(actor.principal)
    actor.can("order.view", Order("o-1"), given=given(actor))


@hos.per_process
def engine() -> hos.Engine:
    return hos.Engine.open("law", store="hos.db", busy_timeout_ms=100)


@hos.per_process
def joined() -> hos.JoinedEngine:
    return hos.Engine.open("law", store=connection)


def connection() -> sqlite3.Connection:
    return sqlite3.connect("shop.db")


def in_a_transaction(user: hos.Uid) -> bool:
    law = hos.Engine.open("law", store=connection(), directory_age_max_ms=0).on(connection())
    actor: hos.JoinedActor = law.tenant("pazar-tr").as_(user, language="tr")

    def amount() -> dict[str, int]:
        return {"amount": 4200}

    def pay() -> hos.Answer:
        return actor.transition("order", "o-1", "pay", args=amount, once="psp-1")

    def all() -> List[hos.Answer]:
        note = hos.Call.record("notes", b"x", subject=user, context={"hour": 12}, given=[hos.Entity(Order("o-1"))])
        return actor.all([hos.Call.begin("order", "o-2", "place", facts={"buyer": user}, once="c-1"), note], request="r-2")

    print([one.code for one in law.transaction(all)])
    answer = law.transaction(pay, tries=3)
    if not answer.allowed:
        law.transaction(lambda: law.refused(answer))
    same: hos.Actor = actor
    place: Optional[int] = answer.receipt.n if answer.receipt else None
    return place is None and joined().tenant("t").as_(user).can("order.view", Order("o-1")).allowed and same.directory is not None


with engine() as opened:
    decide(opened, hos.Uid("Pazar::Account", "ayse"))
