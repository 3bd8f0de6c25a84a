"""Picture quality of models beside the truth, and beside the figures of papers."""
