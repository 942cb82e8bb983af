"""An answer in the words of the wire, as :meth:`hos.Engine.call` gives it."""

from __future__ import annotations

import json
from typing import Any, Dict, ItemsView, Iterator, KeysView, Mapping, ValuesView


class Reply:
    """An answer in the words of the wire, to be read as a ``dict`` is: ``reply["allowed"]``, ``reply.get("code")``. ``dict(reply)``
    is one, and ``reply.json()`` its JSON.

    Not a condition: whether it is true raises, for a reply that says no is not empty. Nor a ``Mapping``: of those logging,
    ``pprint`` and ``json`` ask by themselves whether they are empty, and it would be raised there, of a call that is stored by then.
    """

    __slots__ = ("_told",)

    # Equal to a `dict`, which may change.
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._told: Dict[str, Any] = dict(told)

    def __getitem__(self, name: str) -> Any:
        return self._told[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self._told.get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._told

    def __iter__(self) -> Iterator[str]:
        return iter(self._told)

    def __len__(self) -> int:
        return len(self._told)

    def keys(self) -> KeysView[str]:
        return self._told.keys()

    def values(self) -> ValuesView[Any]:
        return self._told.values()

    def items(self) -> ItemsView[str, Any]:
        return self._told.items()

    def json(self) -> str:
        return json.dumps(self._told, ensure_ascii=False)

    def __eq__(self, other: object) -> bool:
        told: bool = self._told == (other._told if isinstance(other, Reply) else other)
        return told

    def __bool__(self) -> bool:
        raise TypeError("a reply is neither true nor false: ask for its `['allowed']`")

    def __repr__(self) -> str:
        return f"Reply({self._told!r})"
