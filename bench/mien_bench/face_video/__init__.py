"""Tables of the face-video paper: styles that do not flicker, and pictures made from segmentation maps."""
