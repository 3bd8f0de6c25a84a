"""Each address and what answers it."""
