"""Python's values in Cedar's words, and back."""

from __future__ import annotations

import datetime
import decimal
import ipaddress
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Protocol, Sequence, TypedDict, Union

from hos._hos import Ext, Uid

_MILLISECOND = datetime.timedelta(milliseconds=1)
_IP = (
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
    ipaddress.IPv4Interface,
    ipaddress.IPv6Interface,
)


class HasUid(Protocol):
    """An object that is an entity: it says which."""

    def __hos_uid__(self) -> Union[Uid, str]: ...


class _Outcome(TypedDict):
    allowed: bool


class Legacy(_Outcome, total=False):
    """The world's own outcome, for the modes ``off`` and ``shadow``: ``Legacy(allowed=True, state="paid")``. Where there is no
    state to tell, ``True`` or ``False`` says the same."""

    state: str


@dataclass(frozen=True)
class Entity:
    """An entity that comes with a call: a resource of the caller's world, with its attributes and parents."""

    uid: Union[Uid, str, HasUid]
    attrs: Mapping[str, Any] = field(default_factory=dict)
    parents: Sequence[Union[Uid, str, HasUid]] = ()


@dataclass(frozen=True)
class Question:
    """A question among several. What it says of ``context`` and ``given`` stands in place of what is said for all."""

    action: str
    resource: Union[Uid, str, HasUid]
    context: Optional[Mapping[str, Any]] = None
    given: Optional[Sequence[Entity]] = None


@dataclass(frozen=True)
class Call:
    """A call among several that are made as one (``all`` of a :class:`hos.JoinedActor`), with the words of the actor's call of that
    name. What it says of ``context`` and ``given`` stands in place of what is said for all."""

    operation: str
    words: Mapping[str, Any]

    @staticmethod
    def begin(
        contract: str,
        id: str,
        event: str,
        *,
        facts: Optional[Mapping[str, Any]] = None,
        args: Optional[Mapping[str, Any]] = None,
        once: Optional[str] = None,
        context: Optional[Mapping[str, Any]] = None,
        given: Optional[Sequence[Entity]] = None,
    ) -> Call:
        """The birth of an instance."""
        words = present(contract=contract, id=id, event=event, facts=facts, args=args, once=once)
        return Call("begin", {**words, **present(context=context, given=given)})

    @staticmethod
    def transition(
        contract: str,
        id: str,
        event: str,
        *,
        args: Optional[Mapping[str, Any]] = None,
        once: Optional[str] = None,
        reason: Optional[str] = None,
        context: Optional[Mapping[str, Any]] = None,
        given: Optional[Sequence[Entity]] = None,
    ) -> Call:
        """An event or an override (which needs a ``reason``)."""
        words = present(contract=contract, id=id, event=event, args=args, once=once, reason=reason)
        return Call("transition", {**words, **present(context=context, given=given)})

    @staticmethod
    def record(
        stream: str,
        payload: Union[str, bytes],
        *,
        subject: Union[Uid, str, HasUid, None] = None,
        once: Optional[str] = None,
        context: Optional[Mapping[str, Any]] = None,
        given: Optional[Sequence[Entity]] = None,
    ) -> Call:
        """A free record; ``subject`` is the person whose data the payload holds."""
        words = present(stream=stream, payload=payload, subject=subject, once=once)
        return Call("record", {**words, **present(context=context, given=given)})

    @staticmethod
    def adopt(
        contract: str,
        id: str,
        state: str,
        *,
        facts: Optional[Mapping[str, Any]] = None,
        once: Optional[str] = None,
        context: Optional[Mapping[str, Any]] = None,
        given: Optional[Sequence[Entity]] = None,
    ) -> Call:
        """An existing row of the caller's world, brought under the law as it is."""
        words = present(contract=contract, id=id, state=state, facts=facts, once=once)
        return Call("adopt", {**words, **present(context=context, given=given)})


def read(value: object) -> Union[Uid, Ext, Dict[Any, Any], str]:
    """The value in Cedar's words; or, as a text, why it has none."""
    if isinstance(value, decimal.Decimal):
        return _decimal(value)
    if isinstance(value, datetime.datetime):
        return _datetime(value)
    if isinstance(value, datetime.timedelta):
        return _duration(value)
    if isinstance(value, _IP):
        return _ip(value)
    own = getattr(value, "__hos_uid__", None)
    if own is not None:
        uid = own() if callable(own) else own
        if isinstance(uid, Uid):
            return uid
        if isinstance(uid, str):
            return Uid.parse(uid)
    if isinstance(value, Mapping):
        return dict(value)
    return f"a {type(value).__name__} has no form here"


def _decimal(value: decimal.Decimal) -> Union[Ext, str]:
    if not value.is_finite():
        return "a decimal is a finite number"
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    # At most so many digits can be meant; a giant exponent must not become a giant integer.
    if value != 0 and value.adjusted() > 14:
        return "a decimal lies between -922337203685477.5808 and 922337203685477.5807"
    written = "".join(map(str, digits))
    # Zeros at the end mean nothing, and Python reads no number of thousands of digits.
    meant = written.rstrip("0")
    exponent += len(written) - len(meant)
    if meant and exponent < -4:
        return "a decimal has at most four digits after the point"
    scaled = int(meant) * 10 ** (exponent + 4) if meant else 0
    if not -(2**63) <= (-scaled if sign else scaled) < 2**63:
        return "a decimal lies between -922337203685477.5808 and 922337203685477.5807"
    before, after = divmod(scaled, 10_000)
    text = f"{before}.{after:04d}".rstrip("0")
    minus = "-" if sign and scaled else ""
    return Ext("decimal", f"{minus}{text}0" if text.endswith(".") else f"{minus}{text}")


def _datetime(value: datetime.datetime) -> Union[Ext, str]:
    if value.utcoffset() is None:
        return "a datetime has a time zone here: datetime.now(timezone.utc)"
    try:
        utc = value.astimezone(datetime.timezone.utc)
    except OverflowError:
        return "a datetime lies in the years 1 to 9999"
    # Thousandths of a second; finer parts are left off.
    text = (
        f"{utc.year:04d}-{utc.month:02d}-{utc.day:02d}T{utc.hour:02d}:{utc.minute:02d}:{utc.second:02d}"
        f".{utc.microsecond // 1000:03d}Z"
    )
    return Ext("datetime", text)


def _duration(value: datetime.timedelta) -> Ext:
    left = abs(value) // _MILLISECOND
    text = ""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)):
        count, left = divmod(left, size)
        if count:
            text += f"{count}{unit}"
    if not text:
        return Ext("duration", "0ms")
    return Ext("duration", f"-{text}" if value < datetime.timedelta(0) else text)


def _ip(value: Any) -> Union[Ext, str]:
    address = getattr(value, "network_address", getattr(value, "ip", value))
    if getattr(address, "scope_id", None) is not None:
        return "an address with a scope has no form here"
    text = str(value)
    if value.version == 6 and "." in text:
        # Some versions write an IPv4 address that is mapped into IPv6 with points, which Cedar does not read.
        number = int(address)
        groups = ":".join(f"{number >> shift & 0xFFFF:x}" for shift in range(112, -1, -16))
        text = groups + text[text.index("/") :] if "/" in text else groups
    return Ext("ip", text)


def read_back(value: Any) -> Any:
    """A value of an answer: entities become :class:`Uid`, extension values :class:`Ext`, sets lists."""
    if isinstance(value, list):
        return [read_back(item) for item in value]
    if isinstance(value, dict):
        if len(value) == 1:
            if "__entity" in value:
                return Uid(value["__entity"]["type"], value["__entity"]["id"])
            if "__extn" in value:
                return Ext(value["__extn"]["fn"], value["__extn"]["arg"])
        return {key: read_back(item) for key, item in value.items()}
    return value


def present(**fields: Any) -> Dict[str, Any]:
    """The fields that were given."""
    return {name: value for name, value in fields.items() if value is not None}
