"""The networks of the thesis: appearance auto-encoder, SPADE decoder, FusionNet."""
