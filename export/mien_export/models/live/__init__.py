"""The shape that the live engine runs: features warped outside of the graph, modulation by two 1x1 convolutions."""
