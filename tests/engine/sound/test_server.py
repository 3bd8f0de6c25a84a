"""The virtual microphone and the true one, on a sound server made of shell scripts that note what they are told."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from mien.errors import BackendError
from mien.sound.server import FORMAT, RUN, Microphone, VirtualMicrophone
from mien.sound.sound import Sound, SoundFormat

PACTL = """#!/bin/sh
echo "pactl $*" >> "{log}"
case "$1" in load-module) wc -l < "{log}" ;; esac
"""
REFUSING = """#!/bin/sh
echo "Connection failure: Connection refused" >&2
exit 1
"""
PACAT = """#!/bin/sh
echo "pacat $*" >> "{log}"
case "$1" in
  --playback) exec cat > "{folder}/played" ;;
  --record) exec cat "{folder}/spoken" ;;
esac
"""


class Server:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.log.touch()

    def command(self, name: str, text: str) -> None:
        path = self.bin / name
        path.write_text(text.format(log=self.log, folder=self.folder))
        path.chmod(0o755)

    @property
    def told(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server(tmp_path)
    made.command("pactl", PACTL)
    made.command("pacat", PACAT)
    monkeypatch.setenv("PATH", f"{made.bin}:/usr/bin:/bin")
    return made


def _sound(samples: np.ndarray[tuple[int, int], np.dtype[np.float32]], format: SoundFormat) -> Sound:
    return Sound(samples, 0, Fraction(1, format.rate), format)


def test_a_virtual_microphone_is_set_up_fed_and_taken_away(server: Server) -> None:
    format = SoundFormat(rate=48000, channels=2)
    samples = np.random.default_rng(1).uniform(-1, 1, (2, 700)).astype(np.float32)
    with VirtualMicrophone(format) as microphone:
        microphone.play(_sound(samples, format))
        pipe = microphone._process.stdin
        assert pipe is not None
        pipe.close()  # so that the player sees the end, and has all
        microphone._process.wait()
    played = np.frombuffer((server.folder / "played").read_bytes(), "<f4").reshape(-1, 2).T
    np.testing.assert_array_equal(played, samples)
    assert microphone.lost == 0
    loads = [line for line in server.told if "load-module" in line]
    assert all(f"mien-{os.getpid()}" in line for line in loads[:2]), "two runs do not share one"
    assert [line.split()[2] for line in loads[:2]] == ["module-null-sink", "module-remap-source"]
    assert [line.split()[1] for line in loads[2:]] == ["unload-module"] * 2
    assert [line.split()[2] for line in loads[2:]] == ["4", "3"], "the later is unloaded first"
    playing = next(line for line in server.told if line.startswith("pacat"))
    assert "--rate=48000 --channels=2" in playing
    assert "--device=mien" in playing


def test_what_a_killed_run_left_behind_is_taken_away(server: Server) -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    dead, alive = gone.pid, os.getppid()
    left = f"""
22\tmodule-null-sink\tsink_name=else sink_properties=device.description=mien
23\tmodule-null-sink\tsink_name=mien-{dead} rate=48000
24\tmodule-remap-source\tmaster=mien-{dead}.monitor source_name=mien-{dead}-mic
25\tmodule-null-sink\tsink_name=mien-{alive} rate=48000
"""
    (server.folder / "modules").write_text(left)
    server.command("pactl", PACTL + 'case "$1" in list) cat "{folder}/modules" ;; esac\n')
    with VirtualMicrophone(FORMAT):
        told = list(server.told)
    assert [line.split()[2] for line in told if "unload-module" in line] == ["24", "23"]


def test_a_virtual_microphone_is_heard_through_a_true_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PulseAudio's own, where this machine has it, in a folder of its own."""
    if shutil.which("pulseaudio") is None or shutil.which("pacat") is None:
        pytest.skip("this machine has no PulseAudio")
    monkeypatch.setenv("PULSE_RUNTIME_PATH", str(tmp_path))
    monkeypatch.setenv("PULSE_STATE_PATH", str(tmp_path))
    plain = ["pulseaudio", "-n", "--exit-idle-time=-1", "--load=module-native-protocol-unix", "--use-pid-file=yes"]
    subprocess.run([*plain, "--daemonize=yes", f"--log-target=file:{tmp_path}/log"], check=True, timeout=30.0)
    try:
        assert _loudest_heard() > 0.3
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)


def _loudest_heard() -> float:
    """Of a second that a program hears from the virtual microphone while a tone is played, or of more if it must."""
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(RUN) / FORMAT.rate)).astype(np.float32)[None]
    with VirtualMicrophone(FORMAT) as microphone:
        listing = subprocess.run(["pactl", "list", "short", "sources"], capture_output=True, text=True, check=True)
        assert f"mien-{os.getpid()}-mic" in listing.stdout
        command = ["parec", f"--device=mien-{os.getpid()}-mic", "--raw", "--format=float32le", "--latency-msec=10"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as listener:
            assert listener.stdout is not None
            loudest = 0.0
            for _ in range(400):
                microphone.play(_sound(tone, FORMAT))
                heard = np.frombuffer(listener.stdout.read(4 * RUN), "<f4")
                loudest = max(loudest, float(np.abs(heard).max()))
                if loudest > 0.3:
                    break
            listener.terminate()
    left = subprocess.run(["pactl", "list", "short", "modules"], capture_output=True, text=True, check=True)
    assert "mien" not in left.stdout
    return loudest


def test_a_player_that_takes_nothing_holds_nobody_up(server: Server) -> None:
    server.command("pacat", "#!/bin/sh\nexec tail -f /dev/null\n")
    with VirtualMicrophone(FORMAT) as microphone:
        for _ in range(40):
            microphone.play(_sound(np.zeros((1, RUN), np.float32), FORMAT))
    assert microphone.lost > 0


def test_what_waits_counts_as_latency_and_is_made_up_for_by_playing_a_little_faster(server: Server) -> None:
    server.command("pacat", "#!/bin/sh\nexec tail -f /dev/null\n")
    waited = []
    with VirtualMicrophone(FORMAT) as microphone:
        for _ in range(4):
            waited.append(round((microphone.latency - 0.02) * FORMAT.rate))
            microphone.play(_sound(np.zeros((1, RUN), np.float32), FORMAT))
    if waited[1] == 0:
        pytest.skip("this system does not say what waits in a pipe")
    assert waited == [0, RUN, 2 * RUN, 2 * RUN + round(0.99 * RUN)], "up to 15 ms nothing is done"


def test_a_player_that_is_gone_is_told_once_and_no_error(server: Server) -> None:
    server.command("pacat", "#!/bin/sh\nexit 0\n")
    told: list[str] = []
    with VirtualMicrophone(FORMAT, told.append) as microphone:
        microphone._process.wait()
        for _ in range(3):
            microphone.play(_sound(np.zeros((1, RUN), np.float32), FORMAT))
    assert microphone.lost == 3 * 4 * RUN
    assert len(told) == 1
    assert "nobody hears it any more" in told[0]


def test_the_microphone_gives_runs_of_what_is_spoken(server: Server) -> None:
    spoken = np.random.default_rng(2).uniform(-1, 1, 5 * RUN + 100).astype("<f4")
    (server.folder / "spoken").write_bytes(spoken.tobytes())
    with Microphone() as microphone:
        runs = list(microphone)
    assert [run.pts for run in runs] == [RUN * number for number in range(5)]
    np.testing.assert_array_equal(np.concatenate([run.samples[0] for run in runs]), spoken[: 5 * RUN])


def test_closing_ends_a_microphone_that_hears_nothing_more(server: Server) -> None:
    server.command("pacat", "#!/bin/sh\nhead -c 1920 /dev/zero\nexec tail -f /dev/null\n")
    with Microphone() as microphone:
        runs = iter(microphone)
        assert len(list(islice(runs, 1))) == 1
        microphone.close()
        assert list(runs) == []


@pytest.mark.parametrize("kind", [VirtualMicrophone, lambda format: Microphone()], ids=["virtual", "true"])
def test_without_a_sound_server_one_line_says_so(server: Server, kind: type[VirtualMicrophone]) -> None:
    server.command("pactl", REFUSING)
    with pytest.raises(BackendError, match=r"microphone: expected PipeWire or PulseAudio .* Connection refused"):
        kind(FORMAT)


def test_without_its_commands_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackendError, match=r"virtual microphone: expected .* install pulseaudio-utils"):
        VirtualMicrophone(FORMAT)
