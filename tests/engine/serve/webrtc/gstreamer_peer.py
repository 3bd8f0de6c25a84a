"""A peer made of GStreamer's webrtcbin, for the system's own Python: publishes by WHIP or plays by WHEP.

    /usr/bin/python3 gstreamer_peer.py publish|play URL CODEC SECONDS

Prints one JSON object: buffers that were sent or received, the longest time between two in seconds, and the reason if
something broke.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import urllib.request
from typing import Any

import gi  # type: ignore[import-not-found, import-untyped, unused-ignore]

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # type: ignore[import-not-found, unused-ignore]  # noqa: E402

ENCODERS = {
    "h264": "x264enc tune=zerolatency speed-preset=superfast key-int-max=50 bitrate=800 ! video/x-h264,profile=PROFILE"
    " ! h264parse ! rtph264pay config-interval=-1 aggregate-mode=zero-latency"
    " ! application/x-rtp,media=video,encoding-name=H264,payload=102,clock-rate=90000",
    "vp8": "vp8enc deadline=1 target-bitrate=800000 keyframe-max-dist=50 ! rtpvp8pay"
    " ! application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000",
}
DECODERS = {"H264": "rtph264depay ! h264parse ! openh264dec", "VP8": "rtpvp8depay ! vp8dec"}
CAPS = {
    "h264": "application/x-rtp,media=video,encoding-name=H264,payload=102,clock-rate=90000,"
    "packetization-mode=(string)1,profile-level-id=(string)42e01f,rtcp-fb-nack-pli=(boolean)true",
    "vp8": "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000,rtcp-fb-nack-pli=(boolean)true",
    "opus": "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,encoding-params=(string)2",
}


class Count:
    """Buffers, and the longest pause between two."""

    def __init__(self) -> None:
        self.count, self.longest, self.last = 0, 0.0, 0.0

    def add(self, *_: Any) -> Any:
        now = time.monotonic()
        if self.count:
            self.longest = max(self.longest, now - self.last)
        self.count, self.last = self.count + 1, now
        return Gst.PadProbeReturn.OK


class Peer:
    """One pipeline around a webrtcbin."""

    def __init__(self, url: str, codec: str, profile: str) -> None:
        self.url, self.codec, self.profile = url, codec, profile
        self.pictures, self.sounds = Count(), Count()
        self.error = ""
        self.location = ""
        self.gathered, self.needed = threading.Event(), threading.Event()
        self.size: list[int] = []

    def publish(self) -> None:
        encoder = ENCODERS[self.codec].replace("PROFILE", self.profile)
        self.begin(
            "webrtcbin name=peer bundle-policy=max-bundle "
            "videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=480,framerate=25/1 "
            f"! videoconvert ! queue max-size-buffers=2 ! {encoder} ! peer. "
            "audiotestsrc is-live=true wave=ticks ! audioconvert ! audioresample ! opusenc ! rtpopuspay "
            "! application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000 ! peer."
        )
        for index in (0, 1):
            transceiver = self.peer.emit("get-transceiver", index)
            transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
        pad = self.peer.get_static_pad("sink_0")
        pad.add_probe(Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST, self.pictures.add)

    def play(self) -> None:
        self.begin("pipeline. ( webrtcbin name=peer bundle-policy=max-bundle latency=50 )")
        self.peer.connect("pad-added", self.added)
        for name in (self.codec, "opus"):
            direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            transceiver = self.peer.emit("add-transceiver", direction, Gst.Caps.from_string(CAPS[name]))
            transceiver.set_property("do-nack", True)

    def begin(self, description: str) -> None:
        self.pipeline = Gst.parse_launch(description)
        self.peer = self.pipeline.get_by_name("peer")
        self.peer.connect("notify::ice-gathering-state", self.gathering)
        self.peer.connect("on-negotiation-needed", lambda _: self.needed.set())
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", self.failed)

    def failed(self, bus: Any, message: Any) -> None:
        self.error = str(message.parse_error())

    def gathering(self, peer: Any, _: Any) -> None:
        if peer.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            self.gathered.set()

    def added(self, peer: Any, pad: Any) -> None:
        caps = pad.get_current_caps().get_structure(0)
        name = caps.get_string("encoding-name")
        if name == "OPUS":
            made, count = "rtpopusdepay ! opusdec ! fakesink name=end sync=false", self.sounds
        else:
            made, count = f"queue ! {DECODERS[name]} ! fakesink name=end sync=false", self.pictures
        chain = Gst.parse_bin_from_description(made, True)
        self.pipeline.add(chain)
        chain.sync_state_with_parent()
        sink = chain.get_by_name("end").get_static_pad("sink")
        sink.add_probe(Gst.PadProbeType.BUFFER, count.add)
        if count is self.pictures:
            sink.add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, self.sized)
        pad.link(chain.get_static_pad("sink"))

    def sized(self, pad: Any, info: Any) -> Any:
        event = info.get_event()
        if event.type == Gst.EventType.CAPS:
            structure = event.parse_caps().get_structure(0)
            self.size = [structure.get_int("width")[1], structure.get_int("height")[1]]
        return Gst.PadProbeReturn.OK

    def run(self, seconds: float) -> None:
        self.pipeline.set_state(Gst.State.PLAYING)
        self.needed.wait(10)
        offer = self.asked("create-offer", "offer")
        self.peer.emit("set-local-description", offer, Gst.Promise.new())
        self.gathered.wait(10)
        text = self.peer.get_property("local-description").sdp.as_text()
        request = urllib.request.Request(self.url, text.encode(), {"Content-Type": "application/sdp"})
        with urllib.request.urlopen(request, timeout=20) as response:
            answer, self.location = response.read().decode(), response.headers["Location"]
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        described = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        promise = Gst.Promise.new()
        self.peer.emit("set-remote-description", described, promise)
        promise.wait()
        time.sleep(seconds)

    def asked(self, signal: str, field: str) -> Any:
        self.promise = Gst.Promise.new()  # what it holds goes with it
        self.peer.emit(signal, None, self.promise)
        self.promise.wait()
        self.reply = self.promise.get_reply()
        return self.reply.get_value(field)

    def end(self) -> None:
        if self.location:
            base = self.url.split("/", 3)
            request = urllib.request.Request(f"{base[0]}//{base[2]}{self.location}", method="DELETE")
            urllib.request.urlopen(request, timeout=20).close()
        self.pipeline.set_state(Gst.State.NULL)


def main() -> None:
    what, url, codec, seconds, *rest = sys.argv[1:]
    Gst.init(None)
    loop = GLib.MainLoop()
    threading.Thread(target=loop.run, daemon=True).start()
    peer = Peer(url, codec, rest[0] if rest else "constrained-baseline")
    try:
        peer.publish() if what == "publish" else peer.play()
        peer.run(float(seconds))
        peer.end()
    except Exception as error:
        peer.error = peer.error or repr(error)
    told = {"pictures": peer.pictures.count, "longest": round(peer.pictures.longest, 3), "sounds": peer.sounds.count}
    sys.stdout.write(json.dumps({**told, "size": peer.size, "error": peer.error}))
    loop.quit()


main()
