"""An impaired network between a peer and a server: a model of losses and delays, and a relay in user space."""
