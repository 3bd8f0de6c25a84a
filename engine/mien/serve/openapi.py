"""OpenAPI 3.1 document of the API; tests compare it with the server."""

from __future__ import annotations

from typing import Any

import msgspec

from mien.serve import fields
from mien.serve.fields import SDP_CHARACTERS, Table

Operation = dict[str, Any]
Schema = dict[str, Any]

JSON, SDP, TRICKLE = "application/json", "application/sdp", "application/trickle-ice-sdpfrag"
ALWAYS = (401, 403, 429)
"""Of every address that is not open: no token, another origin, too often."""
READING = (400, 408, 413, 415, 422)
"""Of every address that takes a body."""
_ROOM: Schema = msgspec.json.schema(fields.RoomName)
_SHORT: Schema = {"type": "string", "maxLength": 128}
_FILE: Schema = {
    "type": "object",
    "properties": {"file": {"type": "string", "format": "binary"}},
    "required": ["file"],
    "additionalProperties": False,
}
_REF = "#/components/schemas/{name}"
WORDS = {
    400: "It cannot be read as what it should be",
    401: "A token is needed",
    403: "Not from another origin without a token, or not with a sample",
    404: "There is no such thing",
    408: "The body came too slowly",
    409: "Not now: the room, or the shelf, is full",
    412: "Another ICE session is meant",
    413: "It is too large",
    415: "Another kind of content was expected",
    422: "It was read, and is refused",
    429: "Too many requests from one address",
    503: "There is no room, or the server is starting",
    507: "The server's disk is full",
}


def document(version: str) -> dict[str, Any]:
    """The whole document; `version` of mien."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mien serve",
            "version": version,
            "description": "One portrait, one live face: the portrait moves, in a call.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}, {}],
        "paths": _paths(),
        "components": {
            "schemas": schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {str(status): _refusal(status) for status in WORDS},
        },
    }


def schemas() -> dict[str, Schema]:
    """The shape of every object that is sent or answered, by its class in `mien.serve.fields`."""
    _, found = msgspec.json.schema_components((*fields.REQUESTS, *fields.ANSWERS), ref_template=_REF)
    return found


def _ref(table: type[Table]) -> Schema:
    return {"$ref": _REF.format(name=table.__name__)}


def _paths() -> dict[str, dict[str, Any]]:
    id = _in_path("id")
    return {
        "/healthz": {"get": _operation("Whether the server lives", _gives(fields.Status), always=())},
        "/readyz": {
            "get": _operation(
                "Whether sessions may begin", _gives(fields.Status) | _gives(fields.Status, 503), always=()
            )
        },
        "/metrics": {"get": _operation("Counters for Prometheus", {"200": _text("text/plain")})},
        "/api/v1/openapi.json": {"get": _operation("This document", {"200": _content(JSON, {"type": "object"})})},
        "/api/v1/server": {"get": _operation("What the server is", _gives(fields.Server), always=(403, 429))},
        "/api/v1/models": {"get": _operation("The models that are here", _gives(fields.Models))},
        "/api/v1/statistics": {"get": _operation("How the server fares", _gives(fields.ServerStatistics))},
        "/api/v1/sessions": {
            "get": _operation("All sessions", _gives(fields.Sessions)),
            "post": _operation(
                "Begin or resume a session",
                _gives(fields.Begun, 201),
                404,
                409,
                *(503, *READING),
                takes=_takes(JSON, _ref(fields.Opening)),
            ),
        },
        "/api/v1/sessions/{id}": {
            "parameters": [id],
            "get": _operation("A session", _gives(fields.Session), 404),
            "patch": _operation(
                "Change it while it runs",
                _gives(fields.Session),
                404,
                *READING,
                takes=_takes(JSON, _ref(fields.Change)),
            ),
            "delete": _operation("End it", _nothing(204), 404),
        },
        "/api/v1/sessions/{id}/record": {
            "parameters": [id],
            "get": _operation("Its signed record, also when it has ended", _gives(fields.Record), 404),
        },
        "/api/v1/sessions/{id}/statistics": {
            "parameters": [id],
            "get": _operation("How it fares", _gives(fields.Statistics), 404),
        },
        "/api/v1/sessions/{id}/events": {
            "parameters": [id],
            "get": _operation("How it fares, four times a second", {"200": _text("text/event-stream")}, 404, 503),
        },
        **_of_portraits(),
        **_of_peers(),
    }


def _of_portraits() -> dict[str, dict[str, Any]]:
    """Of portraits and rooms."""
    id = _in_path("id")
    return {
        "/api/v1/portraits": {
            "get": _operation("All portraits", _gives(fields.Portraits)),
            "post": _operation(
                "Upload one, with consent",
                _gives(fields.Portrait, 201),
                409,
                *(503, 507, *READING),
                takes=_takes("multipart/form-data", _ref(fields.Upload)),
            ),
        },
        "/api/v1/verify": {
            "post": _operation(
                "What a file says of itself",
                _gives(fields.Verified),
                *(503, 507, *READING),
                takes=_takes("multipart/form-data", _FILE),
            ),
        },
        "/api/v1/avatars": {
            "post": _operation(
                "Make a portrait of nobody",
                {"200": _pictures()},
                *(503, *READING),
                takes=_takes(JSON, _ref(fields.Somebody)),
            ),
        },
        "/api/v1/portraits/{id}": {
            "parameters": [id],
            "get": _operation("A portrait", _gives(fields.Portrait), 404),
            "delete": _operation("Delete an uploaded one", _nothing(204), 404),
        },
        "/api/v1/portraits/{id}/picture": {
            "parameters": [id],
            "get": _operation("Its picture", {"200": _pictures()}, 404),
        },
        "/api/v1/rooms/{name}": {
            "parameters": [_room()],
            "get": _operation("Who is in a room", _gives(fields.Room), 422, 404),
        },
        "/api/v1/rooms/{name}/events": {
            "parameters": [_room()],
            "get": _operation("The same, as it changes", {"200": _text("text/event-stream")}, 404, 422, 503),
        },
    }


def _of_peers() -> dict[str, dict[str, Any]]:
    words = {"type": "string", "minLength": 1, "maxLength": SDP_CHARACTERS}
    offer, fragment = _takes(SDP, words), _takes(TRICKLE, words)
    id, viewer = _in_path("id"), _in_path("viewer")
    query = [_in_query("portrait", _SHORT), _in_query("room", _ROOM), _in_query("resume", _SHORT)]
    answered = {"201": _content(SDP, {"type": "string"}, "Location", "ETag", "Link")}
    return {
        "/whip": {
            "post": _operation("Bring picture and sound", answered, 404, 409, 503, *READING, takes=offer)
            | {"parameters": query}
        },
        "/whip/{id}": {
            "parameters": [id],
            "patch": _operation("Trickle", _nothing(204), 404, 412, *READING, takes=fragment),
            "delete": _operation("End it", _nothing(200), 404),
        },
        "/whep/{id}": {
            "parameters": [id],
            "post": _operation("Watch a session", answered, 404, 503, *READING, takes=offer),
        },
        "/whep/{id}/{viewer}": {
            "parameters": [id, viewer],
            "patch": _operation("Trickle", _nothing(204), 404, 412, *READING, takes=fragment),
            "delete": _operation("Leave", _nothing(200), 404),
        },
    }


def _operation(
    summary: str,
    answers: dict[str, Any],
    *refusals: int,
    takes: dict[str, Any] | None = None,
    always: tuple[int, ...] = ALWAYS,
) -> Operation:
    refs = {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted({*always, *refusals})}
    return {"summary": summary, "responses": refs | answers} | ({} if takes is None else {"requestBody": takes})


def _takes(kind: str, schema: Schema) -> dict[str, Any]:
    return {"required": True, "content": {kind: {"schema": schema}}}


def _gives(table: type[Table], status: int = 200) -> dict[str, Any]:
    headers = ("Location",) if status == 201 else ()
    return {str(status): _content(JSON, _ref(table), *headers)}


def _content(kind: str, schema: Schema, *headers: str) -> dict[str, Any]:
    told = {"headers": {name: {"schema": {"type": "string"}} for name in headers}} if headers else {}
    return {"description": "Done", "content": {kind: {"schema": schema}}} | told


def _text(kind: str) -> dict[str, Any]:
    return _content(kind, {"type": "string"})


def _pictures() -> dict[str, Any]:
    return {"description": "Done", "content": {"image/jpeg": {}, "image/png": {}}}


def _nothing(status: int) -> dict[str, Any]:
    return {str(status): {"description": "Done"}}


def _refusal(status: int) -> dict[str, Any]:
    waits = {"headers": {"Retry-After": {"schema": {"type": "string"}}}} if status in (429, 503) else {}
    return {"description": WORDS[status], "content": {JSON: {"schema": _ref(fields.Error)}}} | waits


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": msgspec.json.schema(fields.Id)}


def _room() -> dict[str, Any]:
    return {"name": "name", "in": "path", "required": True, "schema": _ROOM}


def _in_query(name: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}
