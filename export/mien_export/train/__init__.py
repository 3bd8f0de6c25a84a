"""Losses, optimisers and the loop that trains."""
