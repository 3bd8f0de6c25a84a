#!/usr/bin/env bash
# On a machine with a GPU: builds the kernels for it, holds them to their reference there, times them, and writes
# check_gpu.json (machine, tests, every row of the benchmark) and check_gpu.txt (a short table) into a folder.
#
#   kernels/check_gpu.sh [FOLDER]        default: build/gpu
#
# Needs nvcc, Python 3.12 or 3.11 (PYTHON=...) with NumPy, nanobind, pytest, torch and CuPy, CMake and Ninja; neither
# mediapipe nor PyAV. hypothesis is used if it is there. Ends with 1 if a test or the benchmark failed.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
out=${1:-build/gpu}
build=build/gpu/cmake
site=$PWD/build/gpu/site
mkdir -p "$out"
out=$(cd "$out" && pwd)

export PATH=$PATH:/usr/local/cuda/bin
for tool in cmake ninja nvcc "$python"; do
    command -v "$tool" >/dev/null || { echo "check_gpu: $tool is not on PATH" >&2; exit 2; }
done
"$python" -c 'import cupy, nanobind, numpy, pytest, torch' ||
    { echo "check_gpu: $python lacks one of cupy, nanobind, numpy, pytest, torch" >&2; exit 2; }

echo '== build'
cmake -S . -B "$build" -G Ninja -DPython_EXECUTABLE="$(command -v "$python")" \
    -DMIEN_CUDA=ON -DMIEN_CUDA_ARCHITECTURES="${MIEN_CUDA_ARCHITECTURES:-native}" -DMIEN_WERROR=ON
cmake --build "$build"
rm -rf "$site"
cmake --install "$build" --prefix "$site" >/dev/null
cp kernels/mien_kernels/*.py "$site/mien_kernels/"

export PYTHONPATH=$site:$PWD/bench:$PWD/engine:$PWD PYTHONDONTWRITEBYTECODE=1 MIEN_REQUIRE_CUDA=1
"$python" -c 'import hypothesis' 2>/dev/null || PYTHONPATH=$PYTHONPATH:$PWD/tests/kernels/stand_in

echo '== tests'
tests=0
# Configured here rather than in pyproject.toml: what other libraries warn of is not our matter.
"$python" -m pytest -c /dev/null --rootdir=. --import-mode=importlib -p no:cacheprovider -q -rfs --maxfail=20 \
    -k 'cupy or torch or driver or module' --junitxml="$out/tests.xml" tests/kernels || tests=$?

sanitizer=none
if command -v compute-sanitizer >/dev/null; then
    echo '== compute-sanitizer'
    sanitizer=clean
    timeout 240 compute-sanitizer --error-exitcode 9 --print-limit 20 "$python" -m pytest -c /dev/null --rootdir=. \
        --import-mode=importlib -p no:cacheprovider -q -k torch tests/kernels/test_cuda.py || sanitizer="exit $?"
fi

echo '== benchmark'
bench=0
timeout "${MIEN_BENCH_SECONDS:-300}" "$python" -m mien_bench.benches.kernels --device cuda ${MIEN_BENCH_COMPILE:+--compile} \
    --json "$out/bench.json" | tee "$out/bench.txt" || bench=$?

"$python" - "$out" "$tests" "$bench" "$sanitizer" <<'PY'
import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import cupy
import numpy
import torch

out, tests, bench, sanitizer = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
report = {
    "machine": {
        "gpu": torch.cuda.get_device_name(),
        "compute_capability": ".".join(map(str, torch.cuda.get_device_capability())),
        "driver": cupy.cuda.runtime.driverGetVersion(),
        "python": sys.version.split()[0],
        "numpy": numpy.__version__,
        "torch": torch.__version__,
        "cupy": cupy.__version__,
    },
    "tests": {"exit": tests},
    "compute_sanitizer": sanitizer,
    "benchmark": {"exit": bench},
}
if (out / "tests.xml").exists():
    suite = next(ElementTree.parse(out / "tests.xml").iter("testsuite"))
    report["tests"] |= {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
if (out / "bench.json").exists():
    report["benchmark"] |= json.loads((out / "bench.json").read_text())
(out / "check_gpu.json").write_text(json.dumps(report, indent=2) + "\n")

lines = ["  ".join(f"{name} {value}" for name, value in report["machine"].items())]
lines.append("tests: " + ", ".join(f"{name} {value}" for name, value in report["tests"].items()))
lines.append(f"compute-sanitizer: {sanitizer}")
for result in report["benchmark"].get("results", []):
    for table in result["tables"]:
        for row in (table["columns"], *table["rows"]):
            lines.append(f"{row[0]:<56}" + "".join(f"{cell:>12}" for cell in row[1:-1]) + f"   {row[-1]}")
(out / "check_gpu.txt").write_text("\n".join(lines) + "\n")
print("\n".join(lines))
PY
((tests == 0 && bench == 0)) && [[ $sanitizer == none || $sanitizer == clean ]]
