"""Django asks the law: ``user.has_perm("order.pay", order)``.

In the settings::

    AUTHENTICATION_BACKENDS = ["hos.contrib.django.HosBackend", "django.contrib.auth.backends.ModelBackend"]
    HOS = {
        "ENGINE": "shop.law.engine",        # () -> hos.Engine; see hos.per_process
        "TENANT": "pazar-tr",               # or (user, obj) -> str
        "PRINCIPAL": "shop.law.principal",  # (user) -> Uid | str | object with __hos_uid__ | None
        "RESOURCE": "shop.law.resource",    # optional: (obj) -> Uid | str | object with __hos_uid__ | None
        "GIVEN": "shop.law.given",          # optional: (user, obj) -> [hos.Entity, ..]
    }

A permission that is no action of the law, or for which the law is not enforced, is left to the other backends. One that is
refused, or could not be answered, is refused for all of them. Nothing is a yes but an answer that says so. (Django itself asks no backend for an active superuser.)
"""

from __future__ import annotations

import logging
from typing import Any, Callable, Optional

from django.conf import settings
from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.utils.module_loading import import_string

from hos import Actor, Answer, Engine, HosError

__all__ = ["HosBackend", "actor"]

_log = logging.getLogger("hos.django")


def actor(user: Any, obj: Any = None) -> Optional[Actor]:
    """Who this user is to the law; nobody where there is no principal for it."""
    principal = _called("PRINCIPAL")(user)
    if principal is None:
        return None
    tenant = _setting("TENANT")
    if callable(tenant):
        tenant = tenant(user, obj)
    engine: Engine = _called("ENGINE")()
    return engine.tenant(tenant).as_(principal)


class HosBackend(BaseBackend):  # type: ignore[misc]
    """Answers ``has_perm`` by ``can``. It authenticates nobody."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        try:
            answer = self._answer(user_obj, perm, obj)
        except HosError as error:
            _log.error("%r was not answered: %s", perm, error)
            raise PermissionDenied(error.code) from error
        except Exception as error:
            _log.exception("%r could not be asked", perm)
            raise PermissionDenied("hos.internal") from error
        if answer is None:
            return False
        if answer.allowed is True:
            return True
        if answer.code == "hos.action_unknown" or answer.mode != "enforce":
            return False
        raise PermissionDenied(answer.code or "denied")

    async def ahas_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """The same: it takes microseconds."""
        return self.has_perm(user_obj, perm, obj)

    def _answer(self, user: Any, perm: str, obj: Any) -> Optional[Answer]:
        if not getattr(user, "is_active", False) and not getattr(user, "is_anonymous", False):
            return None
        resource = _called("RESOURCE")(obj) if _setting("RESOURCE") else obj
        if resource is None:
            return None
        who = actor(user, obj)
        if who is None:
            return None
        given = _called("GIVEN")(user, obj) if _setting("GIVEN") else None
        return who.can(perm, resource, given=given)


def _setting(name: str) -> Any:
    value = getattr(settings, "HOS", {}).get(name)
    # A dotted path is a function; a tenant's name has no points.
    return import_string(value) if isinstance(value, str) and "." in value else value


def _called(name: str) -> Callable[..., Any]:
    value = _setting(name)
    if not callable(value):
        raise ImproperlyConfigured(f"HOS[{name!r}] names a function")
    found: Callable[..., Any] = value
    return found
