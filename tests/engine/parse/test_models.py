from __future__ import annotations

import subprocess
import sys

AT_ONCE = """
import os, sys, threading
import numpy as np
from mien import samples
from mien.capture import image
from mien.parse.models import FaceMesh, segment_person

picture = image.read(samples.portraits()["mira"])
place = os.readlink("/proc/self/fd/2")
places = set()

def start():
    with FaceMesh(still=False) as mesh:
        mesh(picture)
        mesh.forget()
        assert len(mesh(picture)) == len(mesh.boxes(picture)) == 1
    assert segment_person(picture).shape == picture.shape[:2]

threads = [threading.Thread(target=start) for _ in range(3)]
for thread in threads:
    thread.start()
lines = 0
while any(thread.is_alive() for thread in threads):
    os.write(2, b"log\\n")
    places.add(os.readlink("/proc/self/fd/2"))
    lines += 1
    threads[0].join(0.002)
assert places <= {place}, places
print(lines)
"""


def test_graphs_that_start_at_once_take_no_line_of_the_log_and_add_none() -> None:
    done = subprocess.run([sys.executable, "-c", AT_ONCE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = int(done.stdout)
    assert lines > 10
    assert done.stderr == "log\n" * lines


FORKED = """
import os
import numpy as np
from mien.errors import BackendError
from mien.parse.models import FaceMesh, segment_person
picture = np.zeros((64, 64, 3), np.uint8)
if {used}:
    segment_person(picture)
child = os.fork()
if child == 0:
    try:
        segment_person(picture)
        with FaceMesh(still=True) as mesh:
            print("found", len(mesh(picture)), flush=True)
    except BackendError as error:
        print(error, flush=True)
    os._exit(0)
print("status", os.waitpid(child, 0)[1])
"""


def forked(*, used: bool) -> list[str]:
    """What a child and then its parent say, where faces were or were not looked for before the fork."""
    command = [sys.executable, "-W", "ignore", "-c", FORKED.format(used=used)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.splitlines()


def test_a_fork_of_a_process_that_looked_for_faces_is_told_so_in_place_of_dying() -> None:
    said, status = forked(used=True)
    assert said.startswith("landmarks: expected a process in which nobody looked for faces before it was forked")
    assert status == "status 0"


def test_a_fork_of_a_process_that_has_not_may_look() -> None:
    assert forked(used=False) == ["found 0", "status 0"]
