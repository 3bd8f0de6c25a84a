"""The columns of table 4.2, trained where they are not there yet, by a process of the package that trains."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mien.errors import BackendError


def train_columns(faces: Path, folder: Path, length: tuple[str, float], threads: int | None) -> None:
    """Have `folder` filled with a bundle for each column, each trained equally long; those that are there stay.

    `length`: ("minutes", M) or ("steps", N).

    Raises:
        BackendError: the training failed; it has said why.
    """
    command = [sys.executable, "-P", "-m", "mien", "export", "ablation", "--data", str(faces), "--out", str(folder)]
    command += [f"--{length[0]}", str(length[1])] + ([] if threads is None else ["--threads", str(threads)])
    done = subprocess.run(command, check=False, stdout=sys.stderr)
    if done.returncode:
        raise BackendError(f"table 4.2: expected its columns to be trained, got exit code {done.returncode}; see above")
