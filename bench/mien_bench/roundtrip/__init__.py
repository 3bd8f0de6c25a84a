"""Portraits that follow drivers from file to file, and measures on what is found again in the output."""
