"""What stands in for an engine that could not be opened: ``shadow`` runs the world's own code and no more, all else raises why."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Optional, Type, cast

from hos._shadow import Watching

if TYPE_CHECKING:
    from hos._engine import Actor
    from hos.aio import AsyncActor


class _Absent:
    """Whatever is asked of it that it does not have raises why."""

    def __init__(self, absent: BaseException) -> None:
        self.absent = absent

    def __getattr__(self, name: str) -> NoReturn:
        # What Python itself looks for is not there, as of any object.
        if name == "absent" or (name.startswith("__") and name.endswith("__")):
            raise AttributeError(name)
        # Raised again and again, it would remember each time.
        raise self.absent.with_traceback(None)


class AbsentEngine(_Absent):
    """Stands in for a :class:`hos.Engine`, or a :class:`hos.JoinedEngine`; ``absent`` says why."""

    closed = False

    def tenant(self, name: str) -> AbsentTenant:
        return AbsentTenant(self.absent, name)

    def on(self, store: object) -> AbsentEngine:
        """Nor is there one on another connection."""
        return self

    def close(self) -> None:
        """Nothing was opened."""

    def __enter__(self) -> AbsentEngine:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        return None

    def __repr__(self) -> str:
        return f"<no Engine: {self.absent}>"


class AbsentTenant(_Absent):
    """Stands in for a :class:`hos.Tenant`."""

    def __init__(self, absent: BaseException, name: str) -> None:
        super().__init__(absent)
        self.name = name

    def as_(self, principal: object, **words: Any) -> AbsentActor:
        return AbsentActor(self.absent, self)


class AbsentActor(_Absent, Watching):
    """Stands in for a :class:`hos.Actor`."""

    def __init__(self, absent: BaseException, tenant: AbsentTenant) -> None:
        super().__init__(absent)
        self.tenant = tenant

    @property
    def aio(self) -> AsyncActor:
        from hos.aio import AsyncActor

        return AsyncActor(cast("Actor", self))
