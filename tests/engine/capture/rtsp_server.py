"""A server of the little of RTSP (RFC 2326) that a player over TCP needs, around libav's own RTP muxer."""

from __future__ import annotations

import re
import socket
import struct
from fractions import Fraction
from threading import Event, Thread

import av
from av.video.frame import VideoFrame

from mien.capture.synthetic import pattern

_SDP = """v=0
o=- 0 0 IN IP4 127.0.0.1
s=pattern
c=IN IP4 127.0.0.1
t=0 0
m=video 0 RTP/AVP 96
a=rtpmap:96 MP4V-ES/90000
a=control:one
"""
RATE = 25


class RtspServer:
    """Plays `count` numbered patterns to the one client that comes, then keeps silent until it is closed."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._server = socket.create_server(("127.0.0.1", 0))
        self._over = Event()
        self.played = Event()
        self.address = f"rtsp://127.0.0.1:{self._server.getsockname()[1]}/pattern"
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(5)
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        try:
            client, _ = self._server.accept()
        except OSError:
            return
        with client, client.makefile("rb") as lines:
            client.settimeout(20)
            while request := self._request(lines):
                method, sequence = request
                client.sendall(self._answer(method, sequence))
                if method == "PLAY":
                    self._play(client)
                    self.played.set()
                    self._over.wait(20)
                    return

    def _request(self, lines: object) -> tuple[str, str] | None:
        text = ""
        for line in lines:  # type: ignore[attr-defined]
            if not line.strip():
                break
            text += line.decode()
        found = re.match(r"([A-Z]+) .*?\r\n(?:.*\r\n)*?CSeq: (\d+)", text)
        return (found.group(1), found.group(2)) if found else None

    def _answer(self, method: str, sequence: str) -> bytes:
        head, body = f"RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\n", ""
        if method == "OPTIONS":
            head += "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
        elif method == "DESCRIBE":
            body = _SDP.replace("\n", "\r\n")
            head += f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
        elif method == "SETUP":
            head += "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
        elif method == "PLAY":
            head += "Session: 1\r\n"
        return f"{head}\r\n{body}".encode()

    def _play(self, client: socket.socket) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inner:
            inner.bind(("127.0.0.1", 0))
            inner.settimeout(0.2)
            with av.open(f"rtp://127.0.0.1:{inner.getsockname()[1]}?pkt_size=1200", "w", format="rtp") as container:
                stream = container.add_stream("mpeg4", rate=RATE)
                stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
                stream.codec_context.gop_size = 1
                for number in range(self._count):
                    frame = VideoFrame.from_ndarray(pattern(160, 120, number))
                    frame.pts, frame.time_base = number, Fraction(1, RATE)
                    container.mux(stream.encode(frame))
                    self._pass_on(inner, client)

    def _pass_on(self, inner: socket.socket, client: socket.socket) -> None:
        """One picture's RTP packets, the last of which is marked."""
        marked = False
        while not marked:
            try:
                data = inner.recv(4096)
            except TimeoutError:
                return
            client.sendall(b"$" + struct.pack(">BH", 0, len(data)) + data)
            marked = bool(data[1] & 0x80)
