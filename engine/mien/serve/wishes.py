"""What a client wants, read from JSON: checked whole before anything is done."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from mien.config import GAIN_LIMIT, Gains
from mien.fuse.background import COLOURS, colour_of
from mien.serve.refusal import Refusal
from mien.serve.settings import LEAST_LATENCY, MOST_LATENCY

GAINS: Final = tuple(item.name for item in fields(Gains))
BACKGROUNDS: Final = ("keep", "blur", *COLOURS)
"""Beside colours as #rrggbb; never a file's name."""
ROOM: Final = "[a-z0-9-]{1,64}"
SDP_CHARACTERS: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Change:
    """Of a session that runs; None: as it is."""

    gains: Mapping[str, float] = field(default_factory=dict)
    portrait: str | None = None
    latency: float | None = None
    """Seconds."""
    background: str | None = None
    paused: bool | None = None
    panic: bool | None = None
    rezero: bool = False

    def applied_to(self, gains: Gains) -> Gains:
        """Those that are not named stay."""
        return replace(gains, **self.gains)


@dataclass(frozen=True, slots=True)
class Opening:
    """Of a new session."""

    sdp: str
    portrait: str | None = None
    room: str | None = None
    gains: Mapping[str, float] = field(default_factory=dict)
    latency: float | None = None
    background: str | None = None
    resume: str | None = None


def parsed(text: bytes) -> object:
    """The JSON value in a body.

    Raises:
        Refusal: it holds none (400).
    """
    try:
        value: object = json.loads(text.decode("utf-8"), parse_constant=_no_number)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")  # 1e999, and lone surrogates
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"body: expected JSON, got what is none ({str(error)[:80]}); look at its encoding") from None
    return value


def opening_of(value: object) -> Opening:
    """Of the body of POST /api/v1/sessions.

    Raises:
        Refusal: a member is unknown, missing or out of its range (422).
    """
    members = _Members(value, ("sdp", "portrait", "room", "gains", "target_latency_ms", "background", "resume"))
    sdp = members.text("sdp", SDP_CHARACTERS)
    if sdp is None:
        raise Refusal(422, "sdp: expected an offer, got none; see /api/v1/openapi.json")
    return Opening(
        sdp,
        members.text("portrait", 64),
        room_of(members.text("room", 64)),
        members.gains(),
        members.latency(),
        members.background(),
        members.text("resume", 128),
    )


def change_of(value: object) -> Change:
    """Of the body of PATCH /api/v1/sessions/ID.

    Raises:
        Refusal: a member is unknown or out of its range (422).
    """
    names = ("gains", "portrait", "target_latency_ms", "background", "paused", "panic", "rezero")
    members = _Members(value, names)
    return Change(
        members.gains(),
        members.text("portrait", 64),
        members.latency(),
        members.background(),
        members.flag("paused"),
        members.flag("panic"),
        members.flag("rezero") or False,
    )


def room_of(name: str | None) -> str | None:
    """The room's name.

    Raises:
        Refusal: it is none (422).
    """
    if name is not None and not re.fullmatch(ROOM, name):
        raise Refusal(422, f"room: expected 1 to 64 of a-z, 0-9 and -, got {name[:80]!r}; choose another name")
    return name


class _Members:
    """Of a JSON object; null is as good as none."""

    def __init__(self, value: object, names: Collection[str]) -> None:
        if not isinstance(value, dict):
            raise Refusal(422, f"body: expected a JSON object, got {_kind(value)}; see /api/v1/openapi.json")
        for name in value:
            if name not in names:
                expected = ", ".join(names)
                raise Refusal(422, f"{name[:40]!r}: expected one of {expected}, got another member; leave it out")
        self._value: dict[str, Any] = value

    def text(self, name: str, most: int) -> str | None:
        value = self._value.get(name)
        if value is not None and not (isinstance(value, str) and 0 < len(value) <= most):
            raise _wrong(name, f"text of 1 to {most:,} characters", value)
        return value

    def flag(self, name: str) -> bool | None:
        value = self._value.get(name)
        if value is not None and not isinstance(value, bool):
            raise _wrong(name, "true or false", value)
        return value

    def latency(self) -> float | None:
        name, value = "target_latency_ms", self._value.get("target_latency_ms")
        return None if value is None else _number(name, value, LEAST_LATENCY * 1e3, MOST_LATENCY * 1e3) / 1e3

    def gains(self) -> dict[str, float]:
        value = self._value.get("gains")
        if value is None:
            return {}
        given = {name: gain for name, gain in _Members(value, GAINS)._value.items() if gain is not None}
        return {name: _number(f"gain {name}", gain, 0.0, GAIN_LIMIT) for name, gain in given.items()}

    def background(self) -> str | None:
        value = self.text("background", 32)
        if value is not None and value not in BACKGROUNDS and colour_of(value) is None:
            raise _wrong("background", f"one of {', '.join(BACKGROUNDS)} or a colour as #rrggbb", value)
        return value


def _number(name: str, value: object, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise _wrong(name, f"a number from {low:g} to {high:g}", value)
    return float(value)


def _wrong(name: str, expected: str, value: object) -> Refusal:
    got = _kind(value) if isinstance(value, dict | list) else json.dumps(value)[:60]
    return Refusal(422, f"{name}: expected {expected}, got {got}; see /api/v1/openapi.json")


def _kind(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")
