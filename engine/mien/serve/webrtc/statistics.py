"""Statistics of a peer's connection, and its liveness."""

from __future__ import annotations

from typing import Any

from mien.serve.webrtc.decoding import MediaDecoder
from mien.serve.webrtc.wiring import Wiring
from mien.stats import Latency

FLOOD = 20_000
"""Packets a second above which a peer is no caller: 200 Mbit/s."""


class Liveness:
    """Times are in seconds of any one clock."""

    def __init__(self, begun: float, *, first_media: float, idle: float) -> None:
        """`first_media`, `idle`: see `PeerSettings`."""
        self._begun = begun
        self._first_media = first_media
        self._idle = idle
        self._heard_at: float | None = None
        self._packets = 0
        self._looked_at = begun

    def heard(self, now: float) -> None:
        """Take note of an authentic packet."""
        self._heard_at = now

    def silent_for(self, now: float) -> float | None:
        """Seconds since something was heard; None before."""
        return None if self._heard_at is None else now - self._heard_at

    def verdict(self, packets: int, now: float) -> str:
        """Why the peer is to be closed; empty where it is not. `packets`: datagrams that came so far, of any kind."""
        rate = (packets - self._packets) / max(now - self._looked_at, 0.5)
        self._packets, self._looked_at = packets, now
        if rate > FLOOD:
            return f"it sent {rate:.0f} packets a second"
        if self._heard_at is None:
            return f"nothing came within {self._first_media:g} s" if now - self._begun > self._first_media else ""
        return f"nothing came for {self._idle:g} s" if now - self._heard_at > self._idle else ""


class PeerStatistics:
    """Reads what the parts of a connection count; lives on the event loop."""

    def __init__(self, wiring: Wiring, decoding: MediaDecoder, now: float) -> None:
        self._wiring, self._decoding = wiring, decoding
        self._measured = (now, 0, 0)
        self._bits_in: int | None = None
        self._bits_out: int | None = None

    def measure(self, now: float) -> None:
        """Take the rates since the last call; about once a second."""
        then, bytes_in, bytes_out = self._measured
        self._measured = (now, *self._bytes())
        if now > then:
            self._bits_in = round((self._measured[1] - bytes_in) * 8 / (now - then))
            self._bits_out = round((self._measured[2] - bytes_out) * 8 / (now - then))

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values; None where nothing is known yet.

        `codec`: h264 or vp8; `bitrate_in`, `bitrate_out`, `target_bitrate_out`: bits a second; `packets_in`;
        `packets_lost`: that were sent to us and did not come; `frames_in`; `frames_lost`: that never came whole;
        `packets_recovered`: that came when they were asked for again; `sound_concealed`: gaps that were made up for;
        `frames_broken`: that did not decode; `frames_unread`: that came faster than they were decoded; `width_in`,
        `height_in`; `frames_out`, `key_frames_out`; `loss_out`: share of what went that did not arrive;
        `round_trip_ms`; `receive_ms`: from a frame's last packet to its pixels, and `send_ms`: from a picture's showing
        to its encoded form, both means of the latest.
        """
        return {**self._received(), **self._sent()}

    def _received(self) -> dict[str, Any]:
        decoding, wiring = self._decoding, self._wiring
        intakes = [intake for intake in (wiring.pictures, wiring.sounds) if intake is not None]
        width, height = decoding.size or (None, None)
        return {
            "bitrate_in": self._bits_in,
            "packets_in": sum(intake.packets for intake in intakes),
            "packets_lost": wiring.packets_lost,
            "packets_recovered": 0 if wiring.pictures is None else wiring.pictures.nacks.recovered,
            "sound_concealed": decoding.concealed,
            "frames_in": decoding.frames,
            "frames_lost": sum(intake.lost for intake in intakes),
            "frames_broken": decoding.broken,
            "frames_unread": decoding.waiting.dropped,
            "width_in": width,
            "height_in": height,
            "receive_ms": _recent(decoding.latency),
        }

    def _sent(self) -> dict[str, Any]:
        track, pictures = self._wiring.picture_track, self._wiring.pictures
        codec = pictures.codec if pictures is not None else None
        told = {"codec": codec, "bitrate_out": self._bits_out, "target_bitrate_out": None, "frames_out": 0}
        told |= {"key_frames_out": 0, "loss_out": None, "round_trip_ms": None, "send_ms": None}
        if track is None:
            return told
        return {
            "codec": codec or track.codec,
            "bitrate_out": self._bits_out,
            "target_bitrate_out": track.control.target,
            "frames_out": track.frames,
            "key_frames_out": track.keys,
            "loss_out": track.loss,
            "round_trip_ms": None if track.round_trip is None else round(track.round_trip * 1e3, 1),
            "send_ms": _recent(track.latency),
        }

    def _bytes(self) -> tuple[int, int]:
        wiring = self._wiring
        received = sum(intake.bytes for intake in (wiring.pictures, wiring.sounds) if intake is not None)
        sent = sum(track.bytes for track in (wiring.picture_track, wiring.sound_track) if track is not None)
        return received, sent


def _recent(latency: Latency) -> float | None:
    return round(latency.recent * 1e3, 2) if latency.count else None
