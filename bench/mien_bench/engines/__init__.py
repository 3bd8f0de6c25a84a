"""Other engines on the same machine: each in a process of its own, by adapters that need a path to a checkout."""
