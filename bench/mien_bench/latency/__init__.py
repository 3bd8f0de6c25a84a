"""Latency from a frame's capture to the far end of a path, by codes in the frames."""
