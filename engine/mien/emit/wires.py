"""Byte sinks for streams: sockets, pipes and child processes, as file objects that libav writes to."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
from typing import Any, Protocol
from urllib.parse import urlsplit

from mien.address import addresses_of, public_name, scheme_of
from mien.errors import SinkError
from mien.machine.folders import program_with

SECONDS = 5.0
"""Seconds without progress after which a connection counts as broken."""
DATAGRAM = 1316
"""Bytes: seven packets of MPEG-TS, as many as fit into one of Ethernet."""
_BUFFER = 1 << 15


class Wire(Protocol):
    """What libav writes to."""

    packet_size: int
    """The most bytes that are written at once."""

    def write(self, data: bytes) -> int: ...

    def close(self) -> None: ...


class SocketWire:
    """A connection over TCP, or datagrams over UDP."""

    def __init__(self, address: str) -> None:
        """Connect.

        Raises:
            OSError: nobody listens, or there is no such host.
            SinkError: an address without host and port.
        """
        scheme, host, port = _parts(address)
        self.packet_size = DATAGRAM if scheme == "udp" else _BUFFER
        self._place: tuple[Any, ...] | None = None
        if scheme == "udp":
            family, kind, protocol, _, self._place = _udp_place(host, port)
            self._socket = socket.socket(family, kind, protocol)
        else:
            addresses_of(host, port, socket.SOCK_STREAM)
            self._socket = socket.create_connection((host, port), SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, data: bytes) -> int:
        if self._place is not None:
            self._socket.sendto(data, self._place)
        else:
            self._socket.sendall(data)
        return len(data)

    def close(self) -> None:
        self._socket.close()


def _parts(address: str) -> tuple[str, str, int]:
    """Scheme, host and port."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:  # half a bracket, a port that is no number
        host = port = None
    scheme = scheme_of(address) or ""
    if not host or not port:
        raise SinkError(f"{public_name(address)}: expected host and port, such as {scheme}://127.0.0.1:5000")
    return scheme, host, port


def _udp_place(host: str, port: int) -> tuple[Any, ...]:
    """The first of what `socket.getaddrinfo` says, of either family."""
    return addresses_of(host, port, socket.SOCK_DGRAM)[0]


class PipeWire:
    """A descriptor of another program's, or a device's."""

    packet_size = _BUFFER

    def __init__(self, descriptor: int, *, owned: bool) -> None:
        """`owned`: whether it closes the descriptor."""
        self._descriptor = descriptor
        self._owned = owned

    def write(self, data: bytes) -> int:
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:  # whoever shares the pipe has set it so
                select.select([], [self._descriptor], [])
        return len(data)

    def close(self) -> None:
        if self._owned:
            os.close(self._descriptor)


class SrtWire:
    """An `ffmpeg` program that sends its input as SRT."""

    packet_size = _BUFFER

    def __init__(self, address: str, name: str) -> None:
        """Start it.

        Raises:
            SinkError: there is none that speaks SRT.
        """
        program = program_with("srt")
        if program is None:
            raise SinkError(
                f"{name}: expected an ffmpeg program with SRT, got none; install ffmpeg, or send as RTMP or RTSP"
            )
        given = ["-loglevel", "error", "-fflags", "nobuffer", "-f", "mpegts", "-i", "pipe:0"]
        command = [program, *given, "-c", "copy", "-f", "mpegts", "-flush_packets", "1", address]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def write(self, data: bytes) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()
        return len(data)

    def close(self) -> None:
        """End it; what was given is sent before."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended by itself
            self._process.stdin.close()
        try:
            self._process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
