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
