from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from mien import cli
from mien.commands import serve as serve_command
from mien.config import ReenactSettings
from mien.errors import SettingError
from mien.serve.running import address_of
from mien.serve.settings import ServeSettings
from mien.serve.webrtc.settings import IceServer

TOKEN = "correct-horse-battery"


def settings(*given: str, environment: dict[str, str] | None = None) -> ServeSettings:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(serve_command.TOKEN, raising=False)
        for name, value in (environment or {}).items():
            patch.setenv(name, value)
        parser = argparse.ArgumentParser()
        serve_command.add_options(parser)
        return serve_command.settings_of(parser.parse_args(given), ReenactSettings())


def test_without_options_it_is_loopback_without_a_token_and_with_the_mark() -> None:
    plain = settings()
    assert (plain.host, plain.port, plain.token, plain.portraits) == ("127.0.0.1", 8080, None, None)
    assert plain.reenact.mark
    assert plain.most_sessions is None
    assert address_of(plain, 8080) == "http://127.0.0.1:8080/"


def test_elsewhere_a_token_is_made_and_told_once_in_the_address() -> None:
    one, two = settings("--host", "0.0.0.0"), settings("--host", "0.0.0.0")
    assert one.token is not None
    assert len(one.token) >= 32
    assert one.token != two.token
    assert address_of(one, 80) == f"http://127.0.0.1:80/#token={one.token}"


def test_a_token_is_taken_from_the_option_or_the_environment() -> None:
    environment = {"MIEN_TOKEN": TOKEN}
    assert settings(environment=environment).token == TOKEN
    assert settings("--token", TOKEN[::-1], environment=environment).token == TOKEN[::-1]


def test_options_become_settings() -> None:
    given = "--host ::1 --port 0 --cert c.pem --key k.pem --portraits kept --latency 80 --max-sessions 3"
    given += " --max-upload 1 --session-limit 2 --idle 3 --resume 4 --announce 192.0.2.1 --udp-ports 50000-50100"
    given += " --ice-server stun:s.example --ice-server turn:t.example,me,se,cret"
    made = settings(*given.split())
    assert (made.cert, made.key, made.portraits) == (Path("c.pem"), Path("k.pem"), Path("kept"))
    assert (made.latency, made.most_sessions) == (0.08, 3)
    assert (made.limits.upload_bytes, made.limits.session, made.limits.resume) == (2**20, 120.0, 4.0)
    assert (made.peer.idle, made.peer.announced, made.peer.ports) == (3.0, "192.0.2.1", (50000, 50100))
    assert made.peer.ice_servers == (IceServer("stun:s.example"), IceServer("turn:t.example", "me", "se,cret"))
    assert address_of(made, 7) == "https://[::1]:7/"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("--port 70000", "port must be from 0 to 65535"),
        ("--token short", "at least 16"),
        ("--max-sessions 0", "sessions must be from 1"),
        ("--latency 5", "latency must be from 20"),
        ("--latency nan", "latency must be from 20"),
        ("--idle 0", "idle must be more than 0"),
        ("--resume -1", "resume must be more than 0"),
        ("--max-upload nan", "max-upload must be more than 0"),
        ("--udp-ports 5", "udp-ports: expected FIRST-LAST"),
        ("--udp-ports 60000-50000", "UDP ports: expected two"),
        ("--announce here", "announced address: expected an IP address"),
        ("--ice-server http://x", "an ICE server: expected stun:"),
        ("--ice-server turn:x,user", "a user without a secret"),
        ("--cert c.pem", "cert and key: expected both or neither"),
    ],
)
def test_what_is_out_of_range_is_refused(given: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        settings(*given.split())


@pytest.mark.parametrize("given", [["--consent", "me"], ["--thumbnails"]])
def test_what_records_do_not_take_is_not_offered(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve", *given]) == 2
    assert f"unrecognized arguments: {given[0]}" in capsys.readouterr().err


def test_a_refusal_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve", "--background", "alpha"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("mien: background must be one that WebRTC can show")
    assert said.count("\n") == 1


def test_without_the_extra_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def find_spec(name: str) -> Any:
        return None if name == "aiortc" else object()

    monkeypatch.setattr(serve_command, "find_spec", find_spec)
    assert cli.main(["serve"]) == 2
    assert capsys.readouterr().err == (
        "mien: serve: expected aiohttp, aiortc, msgspec, prometheus_client, got no aiortc; pip install 'mien[live]'\n"
    )
