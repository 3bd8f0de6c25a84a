"""Training data: portraits with landmarks, and synthetic pairs made from them."""
