"""Portraits of nobody from a label map, a latent and attributes: a spatially constrained GAN."""
