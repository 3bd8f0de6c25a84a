"""Peers: what comes by WebRTC is a source, what goes by WebRTC a sink. Only here is aiortc imported."""
