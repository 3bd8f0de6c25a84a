#!/usr/bin/env bash
# Builds the CPU kernels with AddressSanitizer and UndefinedBehaviorSanitizer, then with ThreadSanitizer, and runs their
# tests under each. Ends with 1 if a test fails or a sanitizer reports.
#
#   kernels/check_sanitizers.sh        PYTHON=.venv/bin/python by default
#
# Leaks are left out because the interpreter itself leaves memory behind.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-.venv/bin/python}
bin=$(dirname "$python")
export PATH=$bin:$PATH

# An editable install stands before PYTHONPATH; the build under test must come first.
without_editable='
import sys

sys.meta_path = [finder for finder in sys.meta_path if "ScikitBuild" not in type(finder).__name__]
import mien_kernels
import pytest

assert "/site/" in mien_kernels.__path__[0], mien_kernels.__path__
sys.exit(pytest.main(sys.argv[1:]))
'

build() { # name, sanitizers
    local tree=build/$1 site=build/$1/site
    cmake -S . -B "$tree" -G Ninja -DPython_EXECUTABLE="$(command -v "$python")" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
        -DMIEN_CUDA=OFF -DMIEN_SANITIZE="$2" -DMIEN_WERROR=ON >/dev/null
    cmake --build "$tree" >/dev/null
    rm -rf "$site"
    cmake --install "$tree" --prefix "$site" >/dev/null
    cp kernels/mien_kernels/*.py "$site/mien_kernels/"
}

check() { # name, library, tests...
    local name=$1 library=$2
    shift 2
    echo "== $name"
    LD_PRELOAD="$(gcc -print-file-name="$library") $(gcc -print-file-name=libstdc++.so)" \
        ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1 \
        PYTHONMALLOC=malloc PYTHONPATH="build/$name/site" PYTHONDONTWRITEBYTECODE=1 \
        "$python" -c "$without_editable" -p no:cacheprovider -q -k 'not cupy and not torch and not cuda and not import' "$@"
}

build asan address,undefined
build tsan thread
check asan libasan.so tests/kernels
check tsan libtsan.so tests/kernels/test_pool.py tests/kernels/test_rasterize_flow.py
