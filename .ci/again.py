"""Runs tests again, alone, that failed while parts of the suite ran side by side.

Many tests run servers, browsers and live sources in real time, and two processors that are busy with another part are
late now and then. What is wrong fails alone, too. Both results are printed; more than a few failures are not run again.

    again.py FOLDER     folder with a pytest cache for each part
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

MOST = 6
"""Failures that may be due to a busy machine."""


def main(folder: Path) -> int:
    """The exit code: 0 if nothing failed, or all that did passes alone."""
    failed = sorted(name for path in folder.glob("*/v/cache/lastfailed") for name in json.loads(path.read_text()))
    if not failed:
        return 0
    print(f"failed beside another part ({len(failed)}):", *failed, sep="\n  ", flush=True)
    if len(failed) > MOST:
        print(f"more than {MOST} are not run again")
        return 1
    code = subprocess.run([sys.executable, "-m", "pytest", "-o", f"cache_dir={folder}/again", *failed]).returncode
    print("they pass alone" if code == 0 else "they fail alone, too")
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
