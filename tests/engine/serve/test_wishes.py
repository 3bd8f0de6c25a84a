from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.config import Gains
from mien.serve.refusal import Refusal, body_of
from mien.serve.wishes import Change, change_of, opening_of, parsed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
NAMES = ("sdp", "portrait", "room", "gains", "target_latency_ms", "background", "resume", "paused", "panic", "rezero")


def _outcome(read: Callable[[Any], object], value: object) -> object:
    try:
        return read(value)
    except Refusal as refusal:
        return refusal


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_refused(text: bytes) -> None:
    read = _outcome(parsed, text)
    if isinstance(read, Refusal):
        assert read.status == 400
    else:
        json.dumps(read, allow_nan=False).encode()


@pytest.mark.parametrize("text", [b"[" * 100_000, b"NaN", b"1e999", b"-Infinity", b'"\\ud800"', b"\xff", b"", b"{"])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(Refusal) as refusal:
        parsed(text)
    assert refusal.value.status == 400


@given(JSON | st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6))
def test_any_json_is_understood_or_refused(value: Any) -> None:
    for read in (opening_of, change_of):
        told = _outcome(read, value)
        assert not isinstance(told, Refusal) or (told.status == 422 and "expected" in str(told))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("gains", {"pose": 3.01}),
        ("gains", {"pose": -0.01}),
        ("gains", {"pose": True}),
        ("gains", {"pose": "1"}),
        ("gains", {"pose": 10**400}),
        ("gains", {"nose": 1}),
        ("gains", [1]),
        ("portrait", ""),
        ("portrait", "x" * 65),
        ("portrait", 7),
        ("target_latency_ms", 19),
        ("target_latency_ms", 1e999),
        ("background", "alpha"),
        ("background", "/etc/passwd"),
        ("background", "#12345"),
        ("paused", 1),
        ("rezero", "yes"),
        ("path", "x"),
    ],
)
def test_what_is_out_of_range_is_refused(member: str, value: Any) -> None:
    with pytest.raises(Refusal, match="expected"):
        change_of({member: value})


def test_null_is_as_good_as_none() -> None:
    assert change_of(dict.fromkeys(NAMES[1:2] + NAMES[3:6] + NAMES[7:])) == Change()
    assert opening_of({"sdp": "v=0", "room": None, "gains": {"pose": None}}).gains == {}


def test_gains_that_are_not_named_stay() -> None:
    change = change_of({"gains": {"pose": 0.5, "brows": 3}})
    assert change.applied_to(Gains(eyes=0.2)) == Gains(eyes=0.2, pose=0.5, brows=3.0)


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ("x: expected a, got b; do c", {"what": "x", "expected": "a", "got": "b", "do": "do c"}),
        ("x: expected a, got b", {"what": "x", "expected": "a", "got": "b"}),
        ("size must be 3", {}),
    ],
)
def test_an_error_is_told_whole_and_in_parts(message: str, parts: dict[str, str]) -> None:
    assert body_of(message) == {"error": {"message": message, **parts}}
