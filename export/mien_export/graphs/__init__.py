"""Export of trained networks to ONNX graphs in several precisions, and parity checks."""
