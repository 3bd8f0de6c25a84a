from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from mien.errors import Stopped
from mien.manifest import Bundle
from mien.runtime import cache
from mien.runtime.cache import alone


def another_process_in(folder: Path) -> subprocess.Popen[str]:
    """It leaves when its standard input is closed."""
    lines = "import sys, pathlib, mien.runtime.cache as c\nwith c.alone(pathlib.Path(sys.argv[1])) as may:\n"
    lines += "    print(may, flush=True)\n    sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", lines, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    return process


def test_one_process_at_a_time_uses_a_runtimes_own_files(tmp_path: Path) -> None:
    with another_process_in(tmp_path) as other:
        with alone(tmp_path, patience=0.0) as may:
            assert not may
        assert other.stdin is not None
        threading.Timer(0.2, other.stdin.close).start()
        with alone(tmp_path) as may:
            assert may
        assert other.wait(10.0) == 0


def test_a_command_that_ends_does_not_wait_for_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([False, True])
    monkeypatch.setattr(cache, "is_ending", lambda: next(looks))
    with alone(tmp_path), pytest.raises(Stopped), alone(tmp_path):
        pass


def test_so_does_one_thread_and_what_raises_lets_go(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), alone(tmp_path), alone(tmp_path, patience=0.0) as may:
        assert not may
        _ = 1 / 0
    with alone(tmp_path, patience=0.0) as may:
        assert may


def test_where_nothing_can_be_kept_nobody_is_waited_for(tmp_path: Path) -> None:
    with alone(tmp_path / "none") as may:
        assert may


def test_a_graph_is_compiled_without_the_cache_that_another_process_is_at(
    whole_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenVINO writes compiled graphs in place: who had one mapped that was written anew was killed."""
    pytest.importorskip("openvino", reason="openvino (extra `cpu`) is needed to run graphs")
    from mien.runtime import openvino

    monkeypatch.setattr(openvino, "alone", partial(alone, patience=0.0))
    graph = whole_bundle.graph("generator", "fp32")
    with another_process_in(tmp_path) as other:
        openvino.OpenVinoSession(graph, precision="fp32", cache=tmp_path).close()
        assert list(tmp_path.glob("*.blob")) == []
        assert other.stdin is not None
        other.stdin.close()
    openvino.OpenVinoSession(graph, precision="fp32", cache=tmp_path).close()
    assert len(list(tmp_path.glob("*.blob"))) == 1


def test_matplotlib_has_a_folder_without_a_home_and_under_any_umask(tmp_path: Path) -> None:
    """Without rights of root, of which a umask takes nothing."""
    without = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if os.geteuid() == 0 and (shutil.which("setpriv") is None or subprocess.run([*without, "true"]).returncode):
        pytest.skip("needs to give up rights of root")
    home = tmp_path / "home"
    home.write_bytes(b"")
    lines = "import mien.runtime.cache as c, os\nc.keep_matplotlib_here()\n"
    lines += "import matplotlib, pathlib\nfolder = pathlib.Path(matplotlib.get_cachedir())\n"
    lines += "(folder / 'kept').write_bytes(b'')\nprint(folder)"
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(tmp_path)}
    command = [*(without if os.geteuid() == 0 else []), sys.executable, "-c", lines]
    done = subprocess.run(command, env=environment, umask=0o777, capture_output=True, text=True, check=True)
    assert "Traceback" not in done.stderr
    assert Path(done.stdout.strip()).parent == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
