"""FastAPI asks the law: a dependency that binds the actor, and one that requires an action.

::

    from hos.contrib.fastapi import bind, require

    actor = bind(engine, tenant="pazar-tr", principal=current_user)   # current_user: a dependency of yours

    def order(id: str) -> hos.Uid:
        return hos.Uid("Pazar::Order", id)

    @app.get("/orders/{id}", dependencies=[Depends(require(actor, "order.view", order))])
    async def show(id: str): ...

    @app.post("/orders/{id}/pay")
    async def pay(id: str, actor: hos.Actor = Depends(actor)):
        answer = await actor.aio.transition("order", id, "pay", args={"amount": 4200})
"""

from typing import Any, Callable, Dict, Optional, Union

from fastapi import Depends, HTTPException, Request

from hos import Actor, Answer, Engine, HosError

__all__ = ["bind", "require"]

_UNANSWERED = {"call": 400, "absent": 404, "retry": 503, "store": 503}


def bind(
    engine: Callable[[], Engine],
    *,
    tenant: Union[str, Callable[[Request], str]],
    principal: Callable[..., Any],
    language: Optional[Callable[[Request], Optional[str]]] = None,
) -> Callable[..., Any]:
    """A dependency that gives the :class:`hos.Actor` of a request. ``principal`` is a dependency that says who asks (a ``Uid``, a
    text, an object with ``__hos_uid__``); where it says ``None`` the request is refused with 401."""

    # Not `async`: FastAPI runs it in a thread. The first request may open the store, and a hook may ask a database.
    def actor(request: Request, who: Any = Depends(principal)) -> Actor:
        if who is None:
            raise HTTPException(401, "not authenticated")
        of = tenant if isinstance(tenant, str) else tenant(request)
        return engine().tenant(of).as_(who, language=language(request) if language else None)

    return actor


def require(
    actor: Callable[..., Any],
    action: str,
    resource: Callable[..., Any],
    *,
    context: Optional[Callable[..., Dict[str, Any]]] = None,
    given: Optional[Callable[..., Any]] = None,
) -> Callable[..., Any]:
    """A dependency that lets a request through where the law allows it, and gives the answer. A no is 403 with the code and the
    blockers' codes and messages (their details can tell of the store, and are not sent); where there is no answer, or the law only
    watches, the request is refused too. ``resource``, ``context`` and ``given`` are dependencies."""

    async def required(
        who: Any = Depends(actor),
        what: Any = Depends(resource),
        beside: Any = Depends(context or _nothing),
        entities: Any = Depends(given or _nothing),
    ) -> Answer:
        try:
            answer: Answer = await who.aio.can(action, what, context=beside, given=entities)
        except HosError as error:
            raise HTTPException(_UNANSWERED.get(error.status, 500), {"code": error.code}) from error
        if answer.allowed is not True:
            raise HTTPException(403, {"code": answer.code, "blockers": [_told(one) for one in answer.blockers]})
        return answer

    return required


async def _nothing() -> None:
    return None


def _told(blocker: Any) -> Dict[str, str]:
    told = {"code": blocker.code, "message": blocker.message}
    return {name: text for name, text in told.items() if text is not None}
