"""Paintings as styles: one network that holds several, trained to draw the same strokes in the next frame."""
