"""Networks as graphs that a runtime loads and runs."""
