"""A bad network between a peer and a server: what it does to packets, and a relay in user space that does it."""
