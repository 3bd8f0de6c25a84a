"""From trained networks to the graphs of a bundle, in several precisions, and the proof that they agree."""
