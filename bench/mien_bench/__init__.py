"""Measuring: latency, load, endurance, kernels, picture quality. The published figures come from here."""

import mien  # noqa: F401  # turns telemetry off before a module here loads ONNX Runtime or OpenVINO
