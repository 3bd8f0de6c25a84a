from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.config import Gains
from mien.serve.fields import GAINS, Change, SomeGains
from mien.serve.fields import Gains as ToldGains
from mien.serve.refusal import Refusal, change_of, error_of, opening_of, parsed, room_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
NAMES = (
    *("sdp", "portrait", "room", "gains", "target_latency_ms", "background", "resume", "paused", "panic", "rezero"),
    *("relax", "wrinkles"),
)


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
        ("relax", 1.01),
        ("relax", -0.01),
        ("wrinkles", 2.01),
        ("wrinkles", "1"),
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
    opening = opening_of({"sdp": "v=0", "room": None, "gains": {"pose": None}})
    assert opening.applied_to(Gains(pose=0.3)) == Gains(pose=0.3)


def test_gains_that_are_not_named_stay() -> None:
    change = change_of({"gains": {"pose": 0.5, "brows": 3}})
    assert change.applied_to(Gains(eyes=0.2)) == Gains(eyes=0.2, pose=0.5, brows=3.0)


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({"gains": {"pose": 3.5}}, "gains.pose: expected a number from 0 to 3, got 3.5; see /api/v1/openapi.json"),
        ({"portrait": ["x"]}, "portrait: expected text of 1 to 64 characters, got an array; see /api/v1/openapi.json"),
        ({"paused": 1}, "paused: expected true or false, got 1; see /api/v1/openapi.json"),
        ({"gains": 7}, "gains: expected a JSON object, got a number; see /api/v1/openapi.json"),
        ([], "body: expected a JSON object, got an array; see /api/v1/openapi.json"),
        (
            {"background": "blur\n"},
            (
                "background: expected one of keep, blur, black, white, grey, green, blue or a colour as #rrggbb, "
                'got "blur\\n"; see /api/v1/openapi.json'
            ),
        ),
        (
            {"gains": {"nose": 1}},
            (
                "'nose': expected one of expression, pose, eyes, lips, brows, gaze, translation, got another member; "
                "leave it out"
            ),
        ),
    ],
)
def test_a_refusal_names_the_member_what_was_expected_and_what_came(value: Any, line: str) -> None:
    with pytest.raises(Refusal) as refusal:
        change_of(value)
    assert str(refusal.value) == line


@pytest.mark.parametrize("value", [{}, {"sdp": None}])
def test_an_opening_without_an_offer_is_refused(value: Any) -> None:
    with pytest.raises(Refusal, match="sdp: expected an offer of 1 to 65,536 characters, got n"):
        opening_of(value)


@pytest.mark.parametrize("name", ["tea\n", "", "x" * 65, "Tea", "a b"])
def test_a_room_of_another_name_is_refused(name: str) -> None:
    with pytest.raises(Refusal, match="room: expected 1 to 64 of a-z, 0-9 and -, got"):
        room_of(name)


def test_gains_of_the_api_are_those_of_the_engine() -> None:
    assert SomeGains.__struct_fields__ == ToldGains.__struct_fields__ == GAINS


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ("x: expected a, got b; do c", {"what": "x", "expected": "a", "got": "b", "do": "do c"}),
        ("x: expected a, got b", {"what": "x", "expected": "a", "got": "b"}),
        ("size must be 3", {}),
    ],
)
def test_an_error_is_told_whole_and_in_parts(message: str, parts: dict[str, str]) -> None:
    assert msgspec.to_builtins(error_of(message)) == {"error": {"message": message, **parts}}
