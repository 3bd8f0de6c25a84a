"""Many sessions of a server at once, and for long."""
