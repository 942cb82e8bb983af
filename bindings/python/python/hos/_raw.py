"""Calls in the words of the wire, as a host writes them itself: JSON, or a mapping that becomes JSON as it stands."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

from hos.errors import CallError

Raw = Union[Mapping[str, Any], str, bytes]


def text(what: str, value: object) -> str:
    if not isinstance(value, str):
        raise CallError("hos.call_malformed", f"`{what}` is a str, not {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise CallError("hos.call_malformed", f"`{what}` is not UTF-8: it holds a lone surrogate") from None
    return value


def written(call: Raw) -> bytes:
    if isinstance(call, bytes):
        return call
    if isinstance(call, str):
        return text("the call", call).encode()
    if not isinstance(call, Mapping):
        raise CallError("hos.call_malformed", f"a call is a mapping or JSON, not {type(call).__name__}")
    try:
        return _json(dict(call))
    except RecursionError:
        raise CallError("hos.call_too_large", "the call nests too deep") from None
    except (TypeError, ValueError) as error:
        raise CallError("hos.value_invalid", f"the call has no form in JSON: {error}") from None


def outcome(call: Raw) -> Optional[bytes]:
    """What the world's own outcome is told by, where a call that carries it cannot be read: its fields, with `null` in place of what
    has no form, and one more that no call has, so that nobody takes it for the call. ``None`` of a call that carries none, or one that
    is in doubt."""
    try:
        if isinstance(call, Mapping):
            fields = call
        elif b"legacy" in (call if isinstance(call, bytes) else call.encode(errors="replace")):
            fields = json.loads(call, object_pairs_hook=_once)
        else:
            return None
        legacy = fields["legacy"]["allowed"]
        if not isinstance(legacy, bool):
            return None
        said = {_name(name): _value(value) for name, value in fields.items()}
        return _json({**said, "legacy": {"allowed": legacy}, "": None})
    except Exception:
        return None


def _json(fields: Dict[str, Any]) -> bytes:
    return json.dumps(fields, allow_nan=False, ensure_ascii=True).encode()


def _name(name: object) -> str:
    try:
        return text("a name", name)
    except CallError:
        return ""


def _value(value: object) -> object:
    try:
        _json({"": value})
        return value
    except Exception:
        return None


def _once(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    """An object whose keys are there once: of one that is there twice nobody knows what it says."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key is there twice")
    return fields
