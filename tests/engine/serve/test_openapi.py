"""The served document is true: what it says of every address is tried with what it allows and what it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import schemathesis
from hypothesis import Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from tests.engine.serve.harness import LIMITS, SETTINGS, FakeAnswering, at_once, open_idle, serving

from mien.serve.app import ROUTES
from mien.serve.openapi import document

EXAMPLES = 10
METHODS = ("get", "post", "patch", "delete")
EVENTS = "/events"
"""Streams without an end, which are tried elsewhere."""


class Anything(FakeAnswering):
    """Meets whatever offer, so that what the schema allows is answered."""

    async def answer(self, offer: str, settings: object, **more: Any) -> Any:
        return await super().answer("v=0", settings, **more)


async def verified(upload: Path) -> dict[str, Any]:
    """In place of a process for each file, of which most are none: test_records.py has real ones."""
    assert upload.name.startswith("file")
    return {"good": False, "lines": ["", "", ""]}


class Running:
    """A server on a loop of its own, since those who ask wait."""

    def __init__(self) -> None:
        self.url = ""
        self.session = self.portrait = ""
        self._loop = asyncio.new_event_loop()
        self._done = asyncio.Event()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._thread = Thread(target=self._run, name="server")

    def __enter__(self) -> Running:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._wait(), self._loop).result(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(60)

    async def _wait(self) -> None:
        await self._ready

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        limits = replace(LIMITS, portraits=0)
        settings = replace(SETTINGS, limits=limits, most_sessions=1000)
        async with serving(settings, answering=Anything(), warming=at_once) as place:
            self.url = place.url
            self.session = (await place.begin())["id"]
            self._ready.set_result(None)
            await self._done.wait()


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mien.serve.session.open_live", open_idle)
        patch.setattr("mien.serve.verifying.told_of", verified)
        with Running() as server:
            yield server


schemathesis.serializer.alias(["application/sdp", "application/trickle-ice-sdpfrag"], "text/plain")
API = schemathesis.openapi.from_dict(document("1"))
OPERATIONS = [(path, method) for path in API for method in API[path] if method in METHODS and not path.endswith(EVENTS)]


def _can_be_wrong(path: str, method: str) -> bool:
    """Whether something can be asked that the document forbids; what an offer must be is more than it says."""
    told = document("1")["paths"][path]
    return path not in ("/whip", "/whep/{id}") and ("parameters" in told or "requestBody" in told[method])


MODES = [(*one, GenerationMode.POSITIVE) for one in OPERATIONS]
MODES += [(*one, GenerationMode.NEGATIVE) for one in OPERATIONS if _can_be_wrong(*one)]
WITHOUT = {"ignored_auth"}
"""Checks that cannot be met: on loopback the server wants no token."""


@pytest.mark.parametrize(("path", "method", "mode"), MODES)
def test_the_server_does_what_its_document_says(path: str, method: str, mode: GenerationMode, running: Running) -> None:
    operation = API[path][method]

    @given(operation.as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
    def try_out(case: Any) -> None:
        if path.startswith("/api/v1/sessions/{id}") and method != "delete" and mode is GenerationMode.POSITIVE:
            case.path_parameters["id"] = running.session
        case.call_and_validate(base_url=running.url, excluded_checks=CHECKS.get_by_names(list(WITHOUT)))

    try_out()


def test_every_address_is_in_the_document() -> None:
    told = document("1")["paths"]
    page = {"/", "/room/{name}", "/page/{file}"}
    assert set(told) == {route.path for route in ROUTES} - page
    for route in ROUTES:
        if route.path not in page:
            assert route.method.lower() in told[route.path]


def test_every_reference_leads_somewhere() -> None:
    whole = document("1")
    found: list[str] = []

    def look(value: Any) -> None:
        if isinstance(value, dict):
            found.extend([value["$ref"]] if "$ref" in value else [])
            for inner in value.values():
                look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    look(whole)
    for reference in found:
        place: Any = whole
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
