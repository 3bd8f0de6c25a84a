"""Says what a built wheel lacks: a wheel that builds is not yet a wheel that runs."""

from __future__ import annotations

import fnmatch
import os
import sys
import zipfile

NEEDED = (
    "mien/py.typed",
    "mien/face/canonical.npz",
    "mien/portrait/rest.*",
    "mien/samples/*.jpg",
    "mien/samples/*.png",
    "mien/samples/*.mp4",
    "mien/bundles/oneshot-live/manifest.toml",
    "mien/bundles/oneshot-live/appearance.onnx",
    "mien/bundles/oneshot-live/generator*.onnx",
    "mien/bundles/landmarks/landmarks.onnx",
    "mien/bundles/landmarks/NOTICE",
    "mien/serve/page/index.html",
    "mien/serve/page/*.css",
    "mien/serve/page/*.js",
    "mien/serve/page/*.svg",
    "mien_bench/quality/basis68.*",
    "mien_bench/page/page.css",
    "mien_bench/page/theme.css",
    "mien_bench/page/page.js",
    "mien_kernels/_native*.so",
    "mien_kernels/_native.pyi",
    "mien_kernels/py.typed",
    "*.dist-info/licenses/LICENSE",
)
NEEDED_WITH_NVCC = ("mien_kernels/_cuda*.so", "mien_kernels/_cuda.pyi")
BUNDLES = "mien/bundles/*"
MOST_OF_BUNDLES = 51_000_000
"""Bytes that the bundles of all families together may have."""
UNWANTED = ("*/__pycache__/*", "*.cpp", "*.cu", "*.h", "tests/*")


def main(path: str) -> str | None:
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
        bundles = sum(wheel.getinfo(name).file_size for name in fnmatch.filter(names, BUNDLES))
    needed = NEEDED + (NEEDED_WITH_NVCC if os.environ.get("MIEN_REQUIRE_NVCC") == "1" else ())
    lacking = [pattern for pattern in needed if not fnmatch.filter(names, pattern)]
    extra = [name for pattern in UNWANTED for name in fnmatch.filter(names, pattern)]
    if bundles > MOST_OF_BUNDLES:
        return f"{path}: expected bundles of at most {MOST_OF_BUNDLES} bytes in all, got {bundles}"
    return f"{path}: lacks {lacking}, holds {extra}" if lacking or extra else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
