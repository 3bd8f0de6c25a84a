"""A WebRTC peer that measures: sends coded frames and reads what comes back. Of the benches only this uses aiortc."""
