"""The virtual microphone and the true one, on a sound server made of shell scripts that note what they are told."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from mien.capture.microphone import FORMAT, RUN, Microphone
from mien.emit.microphone import VirtualMicrophone
from mien.errors import BackendError
from mien.sound import Sound, SoundFormat

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
    assert [line.split()[2] for line in loads[:2]] == ["module-null-sink", "module-remap-source"]
    assert [line.split()[1] for line in loads[2:]] == ["unload-module"] * 2
    assert [line.split()[2] for line in loads[2:]] == ["3", "2"], "the later is unloaded first"
    playing = next(line for line in server.told if line.startswith("pacat"))
    assert "--rate=48000 --channels=2" in playing
    assert "--device=mien" in playing


def test_a_player_that_takes_nothing_holds_nobody_up(server: Server) -> None:
    server.command("pacat", "#!/bin/sh\nexec tail -f /dev/null\n")
    with VirtualMicrophone(FORMAT) as microphone:
        for _ in range(40):
            microphone.play(_sound(np.zeros((1, RUN), np.float32), FORMAT))
    assert microphone.lost > 0


def test_a_player_that_is_gone_is_no_error(server: Server) -> None:
    server.command("pacat", "#!/bin/sh\nexit 0\n")
    with VirtualMicrophone(FORMAT) as microphone:
        microphone._process.wait()
        microphone.play(_sound(np.zeros((1, RUN), np.float32), FORMAT))
    assert microphone.lost == 4 * RUN


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
