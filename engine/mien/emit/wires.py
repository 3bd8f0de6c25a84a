"""Byte sinks for streams: sockets, pipes and child processes, as file objects that libav writes to."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import subprocess
from typing import Any, Protocol
from urllib.parse import urlsplit

from mien.address import host_errors_told, host_of, public_name, scheme_of
from mien.errors import SinkError
from mien.machine.folders import program_with
from mien.machine.outlet import Outlet
from mien.machine.programs import Complaints, ended

SECONDS = 5.0
"""Seconds without progress after which a connection counts as broken."""
DATAGRAM = 1316
"""Bytes: seven packets of MPEG-TS, as many as fit into one of Ethernet."""
_BUFFER = 1 << 15
_ENDING = 4.0
"""Seconds that the program behind an SRT stream has to send the rest; a connection is given up after three."""


class Wire(Protocol):
    """What libav writes to, on one thread. After an error, an interrupt or `stop` nothing is written any more: libav
    goes on writing for a while, and would wait again."""

    packet_size: int
    """The most bytes that are written at once."""

    def write(self, data: bytes) -> int: ...

    def finish(self) -> None:
        """Send what was given.

        Raises:
            OSError: it did not arrive, as far as that can be known.
        """
        ...

    def stop(self) -> None:
        """End a write that waits, and refuse all later ones; from any thread."""
        ...

    def close(self) -> None:
        """Give everything back, at once; not while another thread writes."""
        ...


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
        self._stopped = False
        with host_errors_told():
            if scheme == "udp":
                family, kind, protocol, _, self._place = _udp_place(host, port)
                self._socket = socket.socket(family, kind, protocol)
            else:
                self._socket = socket.create_connection((host, port), SECONDS)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, data: bytes) -> int:
        if self._stopped:
            raise OSError(errno.ECANCELED, "it was stopped")
        try:
            if self._place is not None:
                self._socket.sendto(data, self._place)
            else:
                self._socket.sendall(data)
        except BaseException:
            self._stopped = True
            raise
        return len(data)

    def finish(self) -> None:
        if self._place is None:
            self._socket.shutdown(socket.SHUT_WR)
            number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                raise OSError(number, os.strerror(number))

    def stop(self) -> None:
        self._stopped = True
        with contextlib.suppress(OSError):  # it is not connected any more
            self._socket.shutdown(socket.SHUT_RDWR)

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
    return socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]


def _need_host(address: str) -> None:
    """Refuse a host that nobody knows; an address without one is listened at.

    Raises:
        OSError: there is no such host.
    """
    host = host_of(address)
    if host is not None:
        with host_errors_told():
            socket.getaddrinfo(host, None)


class Interruptible:
    """A wire as libav is given it: of what is raised in a call out of C, only errors come through."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.packet_size = wire.packet_size
        self._interrupt: BaseException | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._wire.write(data)
        except Exception:
            raise
        except BaseException as interrupt:
            self._interrupt = self._interrupt or interrupt
            self._wire.stop()
            raise OSError(errno.ECANCELED, "it was interrupted") from interrupt

    def check(self) -> None:
        """Raise the interrupt that came while libav wrote."""
        interrupt, self._interrupt = self._interrupt, None
        if interrupt is not None:
            raise interrupt


class PipeWire:
    """A descriptor of another program's, or a device's."""

    packet_size = _BUFFER

    def __init__(self, descriptor: int) -> None:
        """Take it over; it is closed with this."""
        self._outlet = Outlet(descriptor)

    def write(self, data: bytes) -> int:
        return self._outlet.write(data)

    def finish(self) -> None:
        """Nothing: what was written is the reader's."""

    def stop(self) -> None:
        self._outlet.stop()

    def close(self) -> None:
        self._outlet.close()


class SrtWire:
    """An `ffmpeg` program that sends its input as SRT."""

    packet_size = _BUFFER

    def __init__(self, address: str, name: str) -> None:
        """Start it.

        Raises:
            SinkError: there is none that speaks SRT.
            OSError: there is no such host.
        """
        program = program_with("srt")
        if program is None:
            raise SinkError(
                f"{name}: expected an ffmpeg program with SRT, got none; install ffmpeg, or send as RTMP or RTSP"
            )
        _need_host(address)
        self._address, self._name = address, name
        given = ["-loglevel", "error", "-fflags", "nobuffer", "-f", "mpegts", "-i", "pipe:0"]
        command = [program, *given, "-c", "copy", "-f", "mpegts", "-flush_packets", "1", address]
        self._complaints = Complaints()
        with self._complaints.written_to() as descriptor:
            taken, given_to = os.pipe()
            try:
                self._process = subprocess.Popen(command, stdin=taken, stderr=descriptor)
            finally:
                os.close(taken)
        self._outlet: Outlet | None = Outlet(given_to)

    def write(self, data: bytes) -> int:
        assert self._outlet is not None
        try:
            return self._outlet.write(data)
        except BrokenPipeError as error:
            raise self._refusal() from error

    def finish(self) -> None:
        """Have it send what was given, and end."""
        assert self._outlet is not None
        outlet, self._outlet = self._outlet, None
        outlet.close()
        try:
            code = self._process.wait(_ENDING)
        except subprocess.TimeoutExpired:
            raise OSError(errno.ETIMEDOUT, f"it did not take the rest within {_ENDING:g} s") from None
        if code:
            raise self._refusal()

    def stop(self) -> None:
        self._process.kill()
        if self._outlet is not None:
            self._outlet.stop()

    def close(self) -> None:
        outlet, self._outlet = self._outlet, None
        if outlet is not None:
            outlet.close()
        ended(self._process, 0)
        self._complaints.close()

    def _refusal(self) -> OSError:
        """Its last words; the address in them may hold a password."""
        said = self._complaints.last().replace(self._address, self._name)
        return OSError(errno.ECONNABORTED, said or "the program that sends it has ended")
