"""Portraits of nobody: faces drawn at random, their label maps, and the network that makes pictures of them."""
