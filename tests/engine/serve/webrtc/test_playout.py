from __future__ import annotations

from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensions, HeaderExtensionsMap, RtpPacket, unpack_header_extensions

from mien.serve.webrtc import sending
from mien.serve.webrtc.sending import LONGEST_PLAYOUT, PLAYOUT_URI


def sent(*uris: str) -> dict[int, bytes]:
    """The extensions of a packet of a sender whose receiver knows these."""
    numbered = [RTCRtpHeaderExtensionParameters(id=n, uri=uri) for n, uri in enumerate(uris, start=5)]
    headers = sending._WithPlayout()
    headers.configure(RTCRtpParameters(headerExtensions=numbered))
    packet = RtpPacket(payload=b"picture")
    packet.extensions = HeaderExtensions(mid="0", abs_send_time=1)
    parsed = RtpPacket.parse(packet.serialize(headers), HeaderExtensionsMap())
    assert parsed.payload == b"picture"
    return dict(unpack_header_extensions(*headers.set(packet.extensions)))


def test_a_receiver_is_told_how_long_it_may_hold_pictures_back() -> None:
    mid, time = "urn:ietf:params:rtp-hdrext:sdes:mid", "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
    found = sent(mid, time, PLAYOUT_URI)
    least, largest = int.from_bytes(found[7], "big") >> 12, int.from_bytes(found[7], "big") & 0xFFF
    assert (least, largest / 100) == (0, LONGEST_PLAYOUT)
    assert set(found) == {5, 6, 7}
    assert set(sent(mid, time)) == {5, 6}, "one that does not know it"
