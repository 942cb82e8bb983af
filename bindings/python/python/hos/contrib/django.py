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

A permission that is no action of the law, or for which the law is not enforced, is left to the other backends. Whatever else stands
in the way of an answer is a no for all of them: a refusal, nobody signed in, an inactive user, no object, a hook or a store that
fails. Nothing is a yes but an answer that says so. (Django itself asks no backend for an active superuser.)
"""

from __future__ import annotations

import logging
from typing import Any, Callable, Optional

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.utils.module_loading import import_string

from hos import Actor, Answer, CallError, Engine, HosError, Tenant, Uid

__all__ = ["HosBackend", "actor"]

_log = logging.getLogger("hos.django")

# They stand in for what is missing: with them the law is asked whether it knows the action, and its answer is never a yes.
_NOBODY = Uid("Hos::Nobody", "nobody")
_NOTHING = Uid("Hos::Nothing", "nothing")


def actor(user: Any, obj: Any = None) -> Optional[Actor]:
    """Who this user is to the law; nobody where there is no principal for it."""
    principal = _called("PRINCIPAL")(user)
    if principal is None:
        return None
    return _tenant(user, obj).as_(principal)


class HosBackend(BaseBackend):  # type: ignore[misc]
    """Answers ``has_perm`` by ``can``. It authenticates nobody."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        try:
            return self._decided(user_obj, perm, obj)
        except PermissionDenied:
            raise
        except HosError as error:
            _log.error("%r was not answered: %s", perm, error)
            raise PermissionDenied(error.code) from error
        except Exception as error:
            _log.exception("%r could not be asked", perm)
            raise PermissionDenied("hos.internal") from error

    async def ahas_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """The same, in a thread: the hooks may ask a database, and the store may have to be looked at."""
        allowed: bool = await sync_to_async(self.has_perm)(user_obj, perm, obj)
        return allowed

    def _decided(self, user: Any, perm: str, obj: Any) -> bool:
        """A yes or, by ``False``, no vote; a no is raised, and is final."""
        principal = _named(_called("PRINCIPAL"), user) if _may_act(user) else None
        resource = _named(_called("RESOURCE") if _setting("RESOURCE") else _itself, obj)
        given = None
        if principal is not None and resource is not None and _setting("GIVEN"):
            given = _called("GIVEN")(user, obj)
        tenant = _tenant(user, obj)
        who = tenant.as_(_NOBODY if principal is None else principal)
        try:
            answer = who.can(perm, _NOTHING if resource is None else resource, given=given)
        except CallError:
            # What comes with the question has no form for the law, and need have none where it is not the law's to answer.
            if _is_others(tenant.as_(_NOBODY).can(perm, _NOTHING)):
                return False
            raise
        if answer.allowed is True and (principal is None or resource is None):
            raise PermissionDenied("hos.principal_unknown")
        if answer.allowed is True:
            return True
        if _is_others(answer):
            return False
        raise PermissionDenied(answer.code or "denied")


def _is_others(answer: Answer) -> bool:
    """Whether a no is none of the law's: of an action that it does not know, or does not enforce."""
    return answer.allowed is not True and (answer.code == "hos.action_unknown" or answer.mode != "enforce")


def _may_act(user: Any) -> bool:
    return bool(getattr(user, "is_active", False) or getattr(user, "is_anonymous", False))


def _named(hook: Callable[..., Any], of: Any) -> Optional[Uid]:
    """What a hook names; nobody where it names nobody, or fails: then it is the law's actions that are refused, not all that is
    asked of Django."""
    try:
        name = hook(of)
        own = name if isinstance(name, (Uid, str)) else getattr(name, "__hos_uid__", None)
        own = own() if callable(own) else own
        return own if isinstance(own, Uid) else Uid.parse(own) if isinstance(own, str) else None
    except Exception:
        _log.exception("who or what %r is to the law could not be said", type(of).__name__)
        return None


def _itself(obj: Any) -> Any:
    return obj


def _tenant(user: Any, obj: Any) -> Tenant:
    tenant = _setting("TENANT")
    if callable(tenant):
        tenant = tenant(user, obj)
    engine: Engine = _called("ENGINE")()
    return engine.tenant(tenant)


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
