"""The thesis's networks: appearance auto-encoder F, adaptive decoder D, discriminators and FusionNet."""
