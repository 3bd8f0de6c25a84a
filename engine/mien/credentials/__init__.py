"""Content credentials (C2PA) of files, and signed records of calls: made, signed and read."""
