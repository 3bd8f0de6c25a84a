"""Training data: portraits with landmarks, and pairs manufactured from them."""
