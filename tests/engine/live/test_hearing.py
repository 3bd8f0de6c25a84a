from __future__ import annotations

import pytest

from mien.errors import BackendError
from mien.live import hearing
from mien.live.hearing import Hearing, SoundFrom, hearing_of


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "need_server", lambda wanted: None)


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(wanted: str) -> None:
        raise BackendError(f"{wanted}: expected PipeWire or PulseAudio, got none")

    monkeypatch.setattr(hearing, "need_server", refuse)


def test_a_call_hears_the_microphone_in_step(server: None) -> None:
    for source in ("camera:0", "/dev/video2", "rtsp://10.0.0.2/door"):
        assert hearing_of("auto", False, source, "virtual") == Hearing("microphone", virtual_microphone=True)


@pytest.mark.parametrize(
    ("source", "output"),
    [("clip.mp4", "virtual"), ("camera:0", "out.mp4"), ("camera:0", "window"), (object(), object())],
)
def test_everything_else_hears_the_source(no_server: None, source: object, output: object) -> None:
    assert hearing_of("auto", False, source, output) == Hearing("source")


def test_a_call_without_a_sound_server_goes_on_and_says_so(no_server: None) -> None:
    found = hearing_of("auto", False, "camera:0", "virtual:/dev/video9")
    assert found.sound == "none"
    assert found.told is not None
    assert "expected PipeWire or PulseAudio, got none; the picture goes on without sound" in found.told
    assert "\n" not in found.told


def test_who_asks_for_a_virtual_microphone_is_refused_without_a_server(no_server: None) -> None:
    with pytest.raises(BackendError, match="virtual microphone: expected"):
        hearing_of("auto", True, "camera:0", "virtual")


@pytest.mark.parametrize("sound", ["source", "microphone", "none"])
@pytest.mark.parametrize("virtual", [False, True])
def test_what_is_said_is_done(no_server: None, sound: SoundFrom, virtual: bool) -> None:
    assert hearing_of(sound, virtual, "camera:0", "virtual") == Hearing(sound, virtual)
