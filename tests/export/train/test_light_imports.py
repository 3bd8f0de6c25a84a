import subprocess
import sys

HEAVY = ("mediapipe", "av", "onnxruntime", "openvino")


def test_training_imports_no_landmarker_and_no_codecs() -> None:
    code = (
        "import sys, mien_export.train.loop, mien_export.families.oneshot_live.course;"
        f"print(*(name for name in {HEAVY!r} if name in sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == ""
