"""Load and soak tests of the server."""
