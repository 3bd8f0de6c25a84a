"""Fidelity of motion: whether a portrait does what its driver does, measured in the output's pixels."""
