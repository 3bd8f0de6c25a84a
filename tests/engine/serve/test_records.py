"""Signed records of sessions: what they say, while one runs and when it has ended; and files that are verified."""

from __future__ import annotations

import base64
import io
import json
import stat
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.engine.serve.harness import SETTINGS, FakePeer, Place, limited, open_idle, run, serving

from mien import samples
from mien.cli import main as mien
from mien.config import CredentialSettings
from mien.credentials.claim import consented
from mien.machine.atomic import write_atomically
from mien.provenance import hash_file
from mien.serve.fields import Change


@pytest.fixture(autouse=True)
def _idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.serve.session.open_live", open_idle)


def said(record: dict[str, str]) -> dict[str, Any]:
    payload = record["payload"]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def form(name: str, data: bytes, part: str = "file") -> aiohttp.FormData:
    made = aiohttp.FormData()
    made.add_field(part, io.BytesIO(data), filename=name)
    return made


async def ended(place: Place, id: str) -> dict[str, str]:
    """Its record when it has ended."""
    await place.ask("DELETE", f"/api/v1/sessions/{id}", status=204)
    await place.until("/api/v1/sessions", lambda told: not told["sessions"])
    at = f"/api/v1/sessions/{id}/record"
    return await place.until(at, lambda told: said(told)["ended"] is not None)


def test_a_record_says_who_was_shown_and_is_signed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records: list[dict[str, str]] = []

    async def main() -> None:
        async with serving(replace(SETTINGS, records=tmp_path / "records")) as place:
            mine = await uploaded(place, "aldo")
            begun = await place.begin(portrait="mira")
            at = f"/api/v1/sessions/{begun['id']}"
            await place.until(at, lambda told: told["state"] == "running")
            records.append((await place.ask("GET", f"{at}/record")).json)
            await place.ask("PATCH", at, json={"portrait": mine})
            await place.ask("GET", at)
            records.append(await ended(place, begun["id"]))
            await place.ask("GET", "/api/v1/sessions/0123456789abcdef/record", status=404)
            await place.ask("GET", "/api/v1/sessions/..%2f..%2fx/record", status=404)

    run(main)
    running, over = (said(one) for one in records)
    assert (running["ended"], running["ended_because"]) == (None, None)
    assert [one["portrait"] for one in running["shown"]] == ["mira"]
    assert running["portraits"]["mira"]["sha256"] == hash_file(samples.portraits()["mira"])
    assert over["ended_because"] == "a client ended it"
    assert over["portraits"][over["shown"][1]["portrait"]]["consent"] == consented("nobody, who agreed")
    (kept,) = (tmp_path / "records").glob("*.json")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text()) == records[1]
    assert mien(["verify", str(kept)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"record: session {over['session']} of mien")
    assert lines[2] == "unchanged since it was signed by mien on this machine"


async def uploaded(place: Place, name: str) -> str:
    """Id of a portrait of one's own."""
    upload = form("me.jpg", samples.portraits()[name].read_bytes(), "picture")
    upload.add_field("consent", "nobody, who agreed")
    return str((await place.ask("POST", "/api/v1/portraits", status=201, data=upload)).json["id"])


def test_a_portrait_that_is_deleted_while_it_is_shown_stays_in_the_record(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = []

    async def main() -> None:
        async with serving(replace(SETTINGS, records=tmp_path)) as place:
            mine = await uploaded(place, "aldo")
            id = (await place.begin(portrait="mira", morph=mine))["id"]
            at = f"/api/v1/sessions/{id}"
            await place.until(at, lambda told: told["state"] == "running")
            (session,) = place.server.sessions.all
            session.change(Change(portrait=mine), place.server.portraits.find(mine), None)
            place.server.portraits.remove(mine)  # before the session looks at what is shown
            records.append(said(await ended(place, id)))

    run(main)
    shown = records[0]["shown"]
    assert [(one["portrait"], one["morph"] is None) for one in shown[:1]] == [("mira", False)]
    mine = shown[0]["morph"]
    assert (shown[-1]["portrait"], shown[-1]["morph"]) == (mine, mine)
    assert records[0]["portraits"][mine]["consent"] == consented("nobody, who agreed")


def test_a_record_of_many_changes_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.serve.history.LONGEST", 3)
    records: list[dict[str, Any]] = []

    async def main() -> None:
        async with serving(replace(SETTINGS, records=tmp_path)) as place:
            begun = await place.begin(portrait="mira", morph="teo", degree=0.1)
            at = f"/api/v1/sessions/{begun['id']}"
            await place.until(at, lambda told: told["state"] == "running")
            for degree in (0.2, 0.3, 0.4):
                await place.ask("PATCH", at, json={"degree": degree})
            records.append(said((await place.ask("GET", f"{at}/record")).json))
            for portrait in ("aldo", "mira", "aldo"):
                await place.ask("PATCH", at, json={"portrait": portrait})
            records.append(said(await ended(place, begun["id"])))

    run(main)
    assert [(one["portrait"], one["degree"]) for one in records[0]["shown"]] == [("mira", 0.4)]
    assert [one["portrait"] for one in records[1]["shown"]] == ["aldo", "mira", "aldo"]
    assert (records[1]["left_out"], records[1]["began"]) == (1, records[0]["began"])
    assert set(records[1]["portraits"]) == {"mira", "teo", "aldo"}


def test_a_record_is_there_before_its_session_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writing, go_on = threading.Event(), threading.Event()

    def slow(path: Path, content: bytes, **how: bool) -> None:
        writing.set()
        assert go_on.wait(60)
        write_atomically(path, content, private=how["private"])

    monkeypatch.setattr("mien.serve.records.write_atomically", slow)

    async def main() -> None:
        async with serving(replace(SETTINGS, records=tmp_path)) as place:
            id = (await place.begin())["id"]
            await place.ask("DELETE", f"/api/v1/sessions/{id}", status=204)
            await place.until_true(writing.is_set)
            await place.ask("GET", f"/api/v1/sessions/{id}/record")
            go_on.set()
            await place.until("/api/v1/sessions", lambda told: not told["sessions"])
            await place.ask("GET", f"/api/v1/sessions/{id}/record")

    run(main)


def test_a_record_that_cannot_be_made_ends_no_other_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(said: object, identity: object) -> dict[str, str]:
        raise ValueError("a note that is no text")

    async def main() -> None:
        async with serving(replace(SETTINGS, records=tmp_path)) as place:
            first, second = [(await place.begin())["id"] for _ in range(2)]
            monkeypatch.setattr("mien.serve.records.signed", fails)
            await place.ask("DELETE", f"/api/v1/sessions/{first}", status=204)
            told = await place.until("/api/v1/sessions", lambda told: len(told["sessions"]) == 1)
            assert [one["id"] for one in told["sessions"]] == [second]

    run(main)
    assert "its record is not kept: " in caplog.text


def test_a_record_that_was_changed_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> None:
        async with serving(replace(SETTINGS, records=tmp_path)) as place:
            await ended(place, (await place.begin())["id"])

    run(main)
    (kept,) = tmp_path.glob("*.json")
    record = json.loads(kept.read_text())
    payload = said(record) | {"ended_because": "something else"}
    record["payload"] = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    kept.write_text(json.dumps(record))
    assert mien(["verify", str(kept)]) == 1
    assert "CHANGED since it was signed" in capsys.readouterr().out
    kept.write_text("{}")
    assert mien(["verify", str(kept)]) == 2


def test_without_credentials_there_are_no_records(tmp_path: Path) -> None:
    plain = replace(SETTINGS.reenact, credentials=CredentialSettings(wanted=False))

    async def main() -> None:
        async with serving(replace(SETTINGS, records=tmp_path, reenact=plain)) as place:
            begun = await place.begin()
            await place.ask("GET", f"/api/v1/sessions/{begun['id']}/record", status=404)

    run(main)
    assert not list(tmp_path.iterdir())


def test_a_peer_that_is_gone_leaves_a_record(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(replace(limited(resume=0.05), records=tmp_path)) as place:
            await place.begin()
            peer: FakePeer = place.answering.peers[0]
            await peer.close("it left")
            await place.until("/api/v1/sessions", lambda told: not told["sessions"])
            await place.until_true(lambda: bool(list(tmp_path.glob("*.json"))))

    run(main)
    (kept,) = tmp_path.glob("*.json")
    assert said(json.loads(kept.read_text()))["ended_because"] == "it left"


def test_files_are_verified_and_what_is_none_is_refused(tmp_path: Path) -> None:
    made = tmp_path / "made.png"
    assert mien(["morph", "sample:mira", "sample:teo", "--size", "128", "--quiet", "--output", str(made)]) == 0

    async def main() -> None:
        async with serving(limited(upload_bytes=1 << 20)) as place:
            told = (await place.ask("POST", "/api/v1/verify", data=form("made.png", made.read_bytes()))).json
            assert told["good"]
            assert told["lines"][0].endswith("unchanged since it was signed by mien on this machine")
            assert told["details"]["content_credentials"]["run"]["command"] == "morph"
            plain = samples.portraits()["teo"].read_bytes()
            told = (await place.ask("POST", "/api/v1/verify", data=form("teo.jpg", plain))).json
            assert not told["good"]
            assert told["lines"][2].startswith("nothing found, which proves nothing")
            text = await place.ask("POST", "/api/v1/verify", data=form("a.txt", b"words"), status=422)
            assert str(tmp_path) not in text.message
            await place.ask("POST", "/api/v1/verify", data=form("big.png", bytes(2 << 20)), status=413)
            await place.ask("POST", "/api/v1/verify", data=form("a.png", b"", "other"), status=422)
            await place.ask("POST", "/api/v1/verify", json={}, status=415)

    run(main)
