"""Portraits of nobody: whether they are what was asked for, and nobody."""
