"""The shapes of what is sent and answered, as JSON Schema."""

from __future__ import annotations

from typing import Any, Final

from mien.config import GAIN_LIMIT
from mien.pipeline.controller import LEVELS
from mien.serve.decoding import KINDS
from mien.serve.settings import LEAST_LATENCY, MOST_LATENCY
from mien.serve.wishes import BACKGROUNDS, GAINS, ROOM, SDP_CHARACTERS

Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
NUMBER: Final[Schema] = {"type": "number"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
FLAG: Final[Schema] = {"type": "boolean"}
ID: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 64}


def named(name: str) -> Schema:
    """The component of this name."""
    return {"$ref": f"#/components/schemas/{name}"}


def whole(members: dict[str, Schema], *left_out: str, open: bool = False) -> Schema:
    """An object with all of `members`, but perhaps `left_out`; and nothing else unless `open`."""
    required = [name for name in members if name not in left_out]
    made: Schema = {"type": "object", "properties": members, "additionalProperties": open}
    return made | ({"required": required} if required else {})


def or_null(schema: Schema) -> Schema:
    """`schema`, or null."""
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return schema | {"type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def any_of(members: dict[str, Schema]) -> Schema:
    """An object with any of `members`, each or null."""
    return whole({name: or_null(schema) for name, schema in members.items()}, *members)


_GAIN: Final[Schema] = {"type": "number", "minimum": 0, "maximum": GAIN_LIMIT}
_LATENCY: Final[Schema] = {"type": "number", "minimum": LEAST_LATENCY * 1e3, "maximum": MOST_LATENCY * 1e3}
_BACKGROUND: Final[Schema] = {
    "type": "string",
    "pattern": f"^({'|'.join(BACKGROUNDS)}|#[0-9a-fA-F]{{6}})$",
}
_ROOM: Final[Schema] = {"type": "string", "pattern": f"^{ROOM}$"}
_STATE: Final[Schema] = {"type": "string", "enum": ["opening", "running", "waiting", "ended"]}
_STEERING: Final = {
    "gains": named("SomeGains"),
    "portrait": ID,
    "target_latency_ms": _LATENCY,
    "background": _BACKGROUND,
}
_SESSION: Final = {
    "id": ID,
    "state": _STATE,
    "ended_because": or_null(TEXT),
    "portrait": ID,
    "room": or_null(_ROOM),
    "gains": named("Gains"),
    "target_latency_ms": _LATENCY,
    "background": TEXT,
    "paused": FLAG,
    "panic": FLAG,
    "mark": FLAG,
    "seconds": NUMBER,
    "whep": TEXT,
    "viewers": COUNT,
}
_ICE: Final[Schema] = {
    "type": "array",
    "items": whole({"urls": TEXT, "username": TEXT, "credential": TEXT}, "username", "credential"),
}

SCHEMAS: Final[dict[str, Schema]] = {
    "Error": whole(
        {
            "error": whole(
                dict.fromkeys(("message", "what", "expected", "got", "do"), TEXT), "what", "expected", "got", "do"
            )
        }
    ),
    "Gains": whole(dict.fromkeys(GAINS, _GAIN)),
    "SomeGains": any_of(dict.fromkeys(GAINS, _GAIN)),
    "Opening": any_of(_STEERING | {"room": _ROOM, "resume": {"type": "string", "minLength": 1, "maxLength": 128}})
    | {"required": ["sdp"]},
    "Change": any_of(_STEERING | {"paused": FLAG, "panic": FLAG, "rezero": FLAG}),
    "Session": whole(_SESSION),
    "Begun": whole(_SESSION | {"sdp": TEXT, "resume_token": TEXT, "ice_servers": _ICE}),
    "Sessions": whole({"sessions": {"type": "array", "items": named("Session")}}),
    "Statistics": whole(
        {
            "id": ID,
            "state": _STATE,
            "portrait": ID,
            "backend": or_null(TEXT),
            "level": or_null({"type": "string", "enum": list(LEVELS)}),
            "cause": or_null(TEXT),
            "latency_ms": or_null(NUMBER),
            "target_latency_ms": _LATENCY,
            "fps_in": NUMBER,
            "fps_out": NUMBER,
            "face": or_null({"type": "string", "enum": ["found", "lost"]}),
            "stalled": FLAG,
            "recording": FLAG,
            "paused": FLAG,
            "panic": FLAG,
            "connection": or_null({"type": "object"}),
            "notices": {"type": "array", "items": whole({"number": COUNT, "text": TEXT})},
            "frames": whole(dict.fromkeys(("in", "out", "dropped", "broken", "without_face"), COUNT)),
            "stages": {"type": "object", "additionalProperties": named("Latency")},
            "live": {"type": "object"},
            "seconds": NUMBER,
            "fps": NUMBER,
            "shots": {
                "type": "array",
                "items": whole({"shot": COUNT, "begin": NUMBER, "frames": COUNT, "cause": TEXT}),
            },
            "warnings": {"type": "array", "items": TEXT},
        },
        *("frames", "stages", "live", "seconds", "fps", "shots", "warnings"),
    ),
    "Latency": whole({"count": COUNT} | {f"{name}_ms": NUMBER for name in ("mean", "p50", "p95", "p99", "max")}),
    "Portrait": whole(
        {
            "id": ID,
            "name": TEXT,
            "sample": FLAG,
            "width": COUNT,
            "height": COUNT,
            "picture": TEXT,
            "consent": or_null(TEXT),
        }
    ),
    "Portraits": whole({"portraits": {"type": "array", "items": named("Portrait")}}),
    "Upload": whole(
        {
            "picture": {"type": "string", "format": "binary", "description": KINDS},
            "consent": {"type": "string", "minLength": 1, "description": "who is seen, and that they agree"},
            "name": {"type": "string"},
        },
        "name",
    ),
    "Room": whole({"name": _ROOM, "sessions": {"type": "array", "items": ID}}),
    "Models": whole({"models": {"type": "array", "items": whole({"name": TEXT, "packaged": FLAG, "used": FLAG})}}),
    "Status": whole({"status": {"type": "string", "enum": ["ok", "ready", "starting"]}}),
    "Server": whole(
        {
            "version": TEXT,
            "token_required": FLAG,
            "authorised": FLAG,
            "ice_servers": _ICE,
            "max_sessions": COUNT,
            "sessions": COUNT,
            "ready": FLAG,
            "mark": FLAG,
            "model": TEXT,
            "backend": or_null(TEXT),
            "resume_seconds": NUMBER,
            "target_latency_ms": _LATENCY,
            "gain_limit": NUMBER,
            "upload": whole(dict.fromkeys(("bytes", "pixels", "consent_characters"), COUNT)),
        }
    ),
    "ServerStatistics": whole(
        {"seconds": NUMBER}
        | dict.fromkeys(
            (
                *("sessions", "max_sessions", "sessions_begun", "sessions_resumed", "sessions_refused"),
                *("sessions_failed", "portraits", "streams", "memory_bytes", "threads"),
            ),
            COUNT,
        )
    ),
}
SCHEMAS["Opening"]["properties"]["sdp"] = {"type": "string", "minLength": 1, "maxLength": SDP_CHARACTERS}
