from __future__ import annotations

import pytest

from mien.errors import BackendError, SettingError
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


@pytest.mark.parametrize(
    ("sounding", "live", "wanted"),
    [
        (False, True, Hearing("microphone", virtual_microphone=True)),
        (True, True, Hearing("source", virtual_microphone=True)),
        (True, False, Hearing("source", virtual_microphone=True)),
        (False, False, Hearing("none")),
    ],
    ids=["camera", "stream with sound", "clip with sound", "silent clip"],
)
def test_a_call_hears_what_belongs_to_the_picture_in_step(
    server: None, sounding: bool, live: bool, wanted: Hearing
) -> None:
    assert hearing_of("auto", False, call=True, sounding=sounding, live=live) == wanted


@pytest.mark.parametrize("sounding", [False, True])
def test_everything_else_hears_the_source(no_server: None, sounding: bool) -> None:
    assert hearing_of("auto", False, call=False, sounding=sounding, live=True) == Hearing("source")


def test_a_call_without_a_sound_server_goes_on_and_says_so(no_server: None) -> None:
    found = hearing_of("auto", False, call=True, sounding=False, live=True)
    assert found.sound == "none"
    assert found.told is not None
    assert "expected PipeWire or PulseAudio, got none; the picture goes on" in found.told
    assert "\n" not in found.told


def test_who_asks_for_a_virtual_microphone_is_refused_without_a_server(no_server: None) -> None:
    with pytest.raises(BackendError, match="virtual microphone: expected"):
        hearing_of("auto", True, call=True, sounding=True, live=True)


@pytest.mark.parametrize(("sound", "live"), [("source", True), ("none", True), ("auto", False)])
def test_a_virtual_microphone_without_sound_is_refused(server: None, sound: SoundFrom, live: bool) -> None:
    with pytest.raises(SettingError, match="virtual microphone: expected sound to give it, got a source without"):
        hearing_of(sound, True, call=False, sounding=False, live=live)


@pytest.mark.parametrize("sound", ["source", "microphone"])
@pytest.mark.parametrize("virtual", [False, True])
def test_what_is_said_is_done(no_server: None, sound: SoundFrom, virtual: bool) -> None:
    assert hearing_of(sound, virtual, call=True, sounding=True, live=True) == Hearing(sound, virtual)
