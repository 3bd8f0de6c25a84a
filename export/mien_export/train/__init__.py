"""Training: losses, optimisers, the training loop."""
