"""Training and export of models, and generation of the samples."""

import mien  # noqa: F401  # turns telemetry off before a module here loads ONNX Runtime or OpenVINO
