"""Everything that is done before the engine runs: samples, training and export."""

import mien  # noqa: F401  # turns telemetry off before a module here loads ONNX Runtime or OpenVINO
