"""Reading of requests, and error answers: an HTTP status and a one-line message in parts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import inspect, structs

from mien.errors import MienError
from mien.serve import fields

_PARTS = re.compile(r"(?P<what>.+?): expected (?P<expected>.+?), got (?P<got>.+?)(?:; (?P<do>.+))?", re.DOTALL)
_SEE = "see /api/v1/openapi.json"
_Table = TypeVar("_Table", bound=fields.Table)


class Refusal(MienError):
    """A request that is not met: `status` is the HTTP status, `headers` go along."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})


def later(status: int, message: str, seconds: float) -> Refusal:
    """A refusal that says after how many seconds to come again."""
    return Refusal(status, message, {"Retry-After": str(max(math.ceil(seconds), 1))})


def missing(what: str, do: str) -> Refusal:
    """That there is no such thing."""
    return Refusal(404, f"{what}: expected one that is here, got none; {do}")


def error_of(message: str) -> fields.Error:
    """The answer that tells a one-line error, with the parts that it has."""
    found = _PARTS.fullmatch(message)
    parts = {} if found is None else {name: text for name, text in found.groupdict().items() if text is not None}
    return fields.Error(error=fields.Fault(message=message, **parts))


def parsed(text: bytes) -> object:
    """The JSON value in a body.

    Raises:
        Refusal: it holds none (400).
    """
    try:
        value: object = msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:  # numbers out of range and lone surrogates too
        raise Refusal(400, f"body: expected JSON, got what is none ({str(error)[:80]}); look at its encoding") from None
    return value


def opening_of(value: object) -> fields.Opening:
    """Of the body of POST /api/v1/sessions.

    Raises:
        Refusal: a member is unknown, missing or out of its range (422).
    """
    return _read(value, fields.Opening)


def change_of(value: object) -> fields.Change:
    """Of the body of PATCH /api/v1/sessions/ID.

    Raises:
        Refusal: a member is unknown or out of its range (422).
    """
    return _read(value, fields.Change)


def somebody_of(value: object) -> fields.Somebody:
    """Of the body of POST /api/v1/avatars.

    Raises:
        Refusal: a member is unknown or out of its range (422).
    """
    return _read(value, fields.Somebody)


def room_of(name: str | None) -> str | None:
    """The room's name.

    Raises:
        Refusal: it is none (422).
    """
    try:
        return msgspec.convert(name, fields.RoomName | None)
    except msgspec.ValidationError:
        expected = _expected(fields.RoomName)
        raise Refusal(422, f"room: expected {expected}, got {str(name)[:80]!r}; choose another name") from None


def _read(value: object, table: type[_Table]) -> _Table:
    """`value` as one of the classes of `fields`; null is as good as a member left out."""
    try:
        return msgspec.convert(value, table)
    except (msgspec.ValidationError, OverflowError):
        raise _why_not(value, table) from None


def _why_not(value: object, table: type[fields.Table], within: str = "") -> Refusal:
    """What is wrong with the first member that is, in one line: msgspec's own does not say what came."""
    if not isinstance(value, dict):
        return Refusal(422, f"{within or 'body'}: expected a JSON object, got {_kind(value)}; {_SEE}")
    members = {member.encode_name: member for member in structs.fields(table)}
    unknown = next((name for name in value if name not in members), None)
    if unknown is not None:
        return Refusal(422, f"{unknown[:40]!r}: expected one of {', '.join(members)}, got another member; leave it out")
    for name, member in members.items():
        told = f"{within}.{name}" if within else name
        if name not in value and member.required:
            return Refusal(422, f"{told}: expected {_expected(member.type)}, got none; {_SEE}")
        if name in value and not _fits(value[name], member.type):
            return _why_not_member(value[name], member.type, told)
    return Refusal(422, f"{within or 'body'}: expected what the API takes, got something else; {_SEE}")


def _why_not_member(value: object, kind: object, told: str) -> Refusal:
    table = _table_in(kind)
    if table is not None:
        return _why_not(value, table, told)
    got = _kind(value) if isinstance(value, dict | list) else msgspec.json.encode(value).decode()[:60]
    return Refusal(422, f"{told}: expected {_expected(kind)}, got {got}; {_SEE}")


def _fits(value: object, kind: object) -> bool:
    try:
        msgspec.convert(value, kind)
    except (msgspec.ValidationError, OverflowError):
        return False
    return True


def _table_in(kind: object) -> type[fields.Table] | None:
    """The class of `fields` that a member is an object of; None where it is no object."""
    for one, _ in _alternatives(kind):
        if isinstance(one, inspect.StructType) and issubclass(one.cls, fields.Table):
            return one.cls
    return None


def _expected(kind: object) -> str:
    """A member's type and limits in words."""
    for one, extra in _alternatives(kind):
        if "expected" in extra:
            return str(extra["expected"])
        if isinstance(one, inspect.BoolType):
            return "true or false"
        if isinstance(one, inspect.FloatType):
            return f"a number from {one.ge:g} to {one.le:g}"
        if isinstance(one, inspect.LiteralType):
            return f"one of {', '.join(map(str, one.values))}"
        if isinstance(one, inspect.StrType):
            return f"text of {one.min_length:,} to {one.max_length:,} characters"
    return "a JSON object"


def _alternatives(kind: object) -> Iterator[tuple[inspect.Type, dict[str, Any]]]:
    """The types that a member may be of, each with what is noted beside it."""
    yield from _unwrapped(inspect.type_info(kind), {})


def _unwrapped(found: inspect.Type, extra: dict[str, Any]) -> Iterator[tuple[inspect.Type, dict[str, Any]]]:
    if isinstance(found, inspect.Metadata):
        yield from _unwrapped(found.type, extra | (found.extra or {}))
    elif isinstance(found, inspect.UnionType):
        for one in found.types:
            yield from _unwrapped(one, extra)
    elif not isinstance(found, inspect.NoneType):
        yield found, extra


def _kind(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")
