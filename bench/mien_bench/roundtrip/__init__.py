"""Portraits animated from file to file, and measurements on landmarks detected in the output."""
