"""How long things take: the numbers in the README come from here."""

import mien  # noqa: F401  # turns telemetry off before a module here loads ONNX Runtime or OpenVINO
