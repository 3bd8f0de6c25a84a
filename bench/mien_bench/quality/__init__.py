"""Picture quality of models against ground truth, and against the figures of papers."""
