"""Frozen networks that losses look through: VGG-16, a face embedding, landmarks."""
