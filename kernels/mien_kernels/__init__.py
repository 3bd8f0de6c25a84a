"""Native array ops of the frame path: `ops` runs them, `reference` says in NumPy what they compute."""
