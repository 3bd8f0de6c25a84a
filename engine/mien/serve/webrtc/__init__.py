"""WebRTC peers as sources and sinks. The only folder that imports aiortc."""
