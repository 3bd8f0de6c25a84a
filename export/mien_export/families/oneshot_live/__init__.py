"""Family `oneshot-live`: features are warped outside of the graphs, modulation by two 1x1 convolutions."""
