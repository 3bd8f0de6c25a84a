"""Frozen feature networks for losses: VGG-16, a face embedding, landmarks."""
