"""`mien serve`: runs the server until it is interrupted."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import secrets
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from mien.config import ReenactSettings
from mien.errors import BackendError, SettingError
from mien.machine.signals import held_back
from mien.machine.streams import is_taken, silence

if TYPE_CHECKING:
    from mien.serve.settings import Limits, ServeSettings
    from mien.serve.webrtc.settings import IceServer, PeerSettings

NEEDED = ("aiohttp", "aiortc", "msgspec", "prometheus_client")
"""Packages of the extra `live` without which nothing is served."""
TOKEN = "MIEN_TOKEN"
"""Variable of the environment that holds the token; no other user of the machine can read it, unlike a command."""
_PORTS = re.compile(r"(\d{1,5})-(\d{1,5})")


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `mien serve` takes beside the options that it shares with `mien reenact`."""
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8080, metavar="N", help="port (8080); 0: a free one")
    parser.add_argument("--token", metavar="TEXT", help=f"that every request must bear; or {TOKEN} in the environment")
    parser.add_argument("--cert", type=Path, metavar="FILE", help="certificate (PEM), to serve by TLS")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its key (PEM)")
    parser.add_argument("--portraits", type=Path, metavar="FOLDER", help="keep uploads there (else until the end)")
    parser.add_argument("--records", type=Path, metavar="FOLDER", help="keep the signed records of sessions there")
    parser.add_argument("--size", type=int, metavar="N", help="longer side of the pictures in pixels")
    parser.add_argument("--latency", type=float, default=100.0, metavar="MS", help="from capture to emit (100)")
    parser.add_argument(
        "--measure", action="store_true", help="show a time code in the driver's picture in the portrait's, too"
    )
    limits = parser.add_argument_group("limits")
    limits.add_argument("--max-sessions", type=int, metavar="N", help="at once (as many as are measured to fit)")
    limits.add_argument("--max-upload", type=float, default=20.0, metavar="MIB", help="size of a portrait's file (20)")
    limits.add_argument("--session-limit", type=float, default=480.0, metavar="MIN", help="length of a session (480)")
    limits.add_argument("--idle", type=float, default=10.0, metavar="S", help="silence after which a peer is gone (10)")
    limits.add_argument("--resume", type=float, default=30.0, metavar="S", help="wait for a peer that is gone (30)")
    nat = parser.add_argument_group("behind NAT")
    nat.add_argument(
        "--ice-server",
        action="append",
        default=[],
        metavar="URL[,USER,SECRET]",
        help="STUN or TURN server, for the server and its peers; repeatable",
    )
    nat.add_argument("--announce", metavar="IP", help="address under which peers reach this machine")
    nat.add_argument("--udp-ports", metavar="FIRST-LAST", help="ports for media")


def run(options: argparse.Namespace, settings: ReenactSettings) -> None:
    """Serve until interrupted.

    Raises:
        MienError: anything that the user can fix, in one line.
    """
    lacking = [name for name in NEEDED if find_spec(name) is None]
    if lacking:
        raise BackendError(f"serve: expected {', '.join(NEEDED)}, got no {lacking[0]}; pip install 'mien[live]'")
    from mien.serve.log import log_to
    from mien.serve.running import run as run_server

    serve = settings_of(options, settings)
    log_to(sys.stderr, quiet=options.quiet, debug=options.debug)
    with held_back():
        asyncio.run(run_server(serve, _tell))


def settings_of(options: argparse.Namespace, settings: ReenactSettings) -> ServeSettings:
    """What the command line and the environment ask for.

    Raises:
        SettingError: something is out of its range.
    """
    from mien.serve.settings import ServeSettings, is_loopback

    token = options.token or os.environ.get(TOKEN) or None
    if token is None and not is_loopback(options.host):
        token = secrets.token_urlsafe(24)
    return ServeSettings(
        host=options.host,
        port=options.port,
        token=token,
        cert=options.cert,
        key=options.key,
        portraits=options.portraits,
        records=options.records,
        most_sessions=options.max_sessions,
        latency=options.latency / 1e3,
        reenact=replace(settings, measured=options.measure),
        peer=_peer(options),
        limits=_limits(options),
    )


def _peer(options: argparse.Namespace) -> PeerSettings:
    from mien.serve.webrtc.settings import PeerSettings

    servers = tuple(_ice_server(text) for text in options.ice_server)
    return PeerSettings(servers, options.announce, _ports(options.udp_ports), idle=_positive("idle", options.idle))


def _limits(options: argparse.Namespace) -> Limits:
    from mien.serve.settings import Limits

    return Limits(
        upload_bytes=round(_positive("max-upload", options.max_upload) * 2**20),
        session=_positive("session-limit", options.session_limit) * 60,
        resume=_positive("resume", options.resume),
    )


def _positive(name: str, value: float) -> float:
    if not 0 < value < 1e6:
        raise SettingError(f"{name} must be more than 0, got {value:g}")
    return value


def _ice_server(text: str) -> IceServer:
    from mien.serve.webrtc.settings import IceServer

    url, *more = text.split(",", 2)
    if len(more) == 1:
        raise SettingError(f"ice-server: expected URL or URL,USER,SECRET, got {url} and a user without a secret")
    return IceServer(url, *more)


def _ports(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = _PORTS.fullmatch(text)
    if found is None:
        raise SettingError(f"udp-ports: expected FIRST-LAST, such as 50000-50100, got {text!r}")
    return int(found[1]), int(found[2])


def _tell(line: str) -> None:
    """On standard output; where nobody reads it any more, or just now, serving goes on."""
    if not is_taken(sys.stdout, 0):
        return
    try:
        sys.stdout.write(f"mien serve: {line}\n")
        sys.stdout.flush()
    except OSError:
        silence(sys.stdout)
