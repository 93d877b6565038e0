"""Finding, rendering and keeping."""

import logging
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from drivers.sound.pcm import RATE, read_wav, write_wav
from gateway.core.phrases import LONGEST_S, VALUES, Phrase
from gateway.voice import sounds as sounds_module
from gateway.voice.espeak import Engine
from gateway.voice.packs import SHIPPED, load_packs
from gateway.voice.sounds import Sounds
from tests.gateway.voice.voices import FIRST, hum, needs_a_voice

BOTH = ("zh", "en")
BROKEN = Engine("broken", ("/nonexistent",))


def made(
    folder: Path, *languages: str, engines: Iterable[Engine] | None = None, recordings: Path | None = None
) -> Sounds:
    found = [FIRST] if engines is None and FIRST else list(engines or ())
    sounds = Sounds(
        load_packs(SHIPPED), languages or BOTH, folder / "voice", recordings=recordings, engines=lambda: found
    )
    sounds.prepare()
    return sounds


SOME = {"celsius": "36.5", "number": "3", "bay": "2"}


@needs_a_voice
def test_every_phrase_is_heard_and_none_is_long(tmp_path: Path) -> None:
    sounds = made(tmp_path)
    for lang in BOTH:
        for phrase in Phrase:
            path = sounds.file(phrase, SOME if phrase in VALUES else {}, lang)
            assert path is not None, (lang, phrase)
            samples = read_wav(str(path))
            assert 0.5 < len(samples) / RATE <= LONGEST_S, (lang, phrase)
            assert max(samples) > 3000, (lang, phrase)
    assert not list((tmp_path / "voice").glob("*.part"))


@needs_a_voice
def test_rendered_once(tmp_path: Path) -> None:
    path = made(tmp_path).file("granted", {}, "zh")
    assert path is not None
    before = path.stat()
    again = made(tmp_path)
    assert again.file("granted", {}, "zh") == path == again.file("granted", {}, "zh")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@needs_a_voice
def test_what_was_rendered_is_heard_without_a_voice_too(tmp_path: Path) -> None:
    path = made(tmp_path).file("granted", {}, "zh")
    assert made(tmp_path, engines=[BROKEN]).file("granted", {}, "zh") == path


@needs_a_voice
@pytest.mark.parametrize("damage", [b"", b"RIFF", None])
def test_a_file_that_a_power_cut_has_emptied_is_rendered_anew(tmp_path: Path, damage: bytes | None) -> None:
    path = made(tmp_path).file("granted", {}, "zh")
    assert path is not None
    whole = path.read_bytes()
    path.write_bytes(whole[:44] + bytes(len(whole) - 44) if damage is None else damage)
    assert made(tmp_path).file("granted", {}, "zh") == path
    assert path.read_bytes() == whole


@needs_a_voice
def test_phrases_with_values_are_kept_up_to_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sounds_module, "MOST_WITH_VALUES", 3)
    sounds = made(tmp_path, "en")
    first = sounds.file("fever", {"celsius": "38.1"}, "en")
    fixed = sounds.file("granted", {}, "en")
    for celsius in ("38.2", "38.3"):
        sounds.file("fever", {"celsius": celsius}, "en")
    assert sounds.file("fever", {"celsius": "38.1"}, "en") == first  # used again: not the oldest any more
    sounds.file("fever", {"celsius": "38.4"}, "en")
    left = set((tmp_path / "voice").glob("*.wav"))
    assert len(left) == 4
    assert {first, fixed} <= left


@needs_a_voice
def test_what_nobody_says_any_more_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sounds_module, "MOST_WITH_VALUES", 2)
    folder = tmp_path / "voice"
    folder.mkdir()
    for number in range(5):
        old = folder / f"say-en-fire-{number:016x}.wav"
        write_wav(old, hum(0.5))
        os.utime(old, (number, number))
    sounds = made(tmp_path, "en")
    fixed = {sounds.file(phrase, {}, "en") for phrase in sounds.fixed("en")}
    sounds.forget_others()
    assert set(folder.glob("*.wav")) - fixed == {folder / f"say-en-fire-{number:016x}.wav" for number in (3, 4)}


def test_without_a_voice_it_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "menshen.voice")
    sounds = made(tmp_path, engines=[BROKEN])
    assert [sounds.file(phrase, {}, "zh") for phrase in sounds.fixed("zh")] == [None] * len(sounds.fixed("zh"))
    (told,) = caplog.messages
    assert "no voice" in told
    assert "apt install espeak-ng" in told


@needs_a_voice
def test_the_second_engine_speaks_where_the_first_does_not(tmp_path: Path) -> None:
    assert FIRST is not None
    spelling = Engine("spelling", (sys.executable, "-c", "print('(en)tSaI(cmn)')"))
    assert made(tmp_path, engines=[BROKEN, spelling, FIRST]).file("granted", {}, "zh") is not None


def test_an_engine_that_makes_no_sound(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "menshen.voice")
    mute = Engine(
        "mute", (sys.executable, "-c", "import sys; '-w' in sys.argv and open(sys.argv[sys.argv.index('-w') + 1], 'w')")
    )
    sounds = made(tmp_path, "en", engines=[mute])
    assert [sounds.file("granted", {}, "en") for _ in range(3)] == [None] * 3
    (told,) = caplog.messages
    assert "en/granted cannot be spoken: mute made no sound" in told


def test_a_folder_that_takes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "menshen.voice")
    writes = "import sys; '-w' in sys.argv and open(sys.argv[sys.argv.index('-w') + 1], 'w')"
    sounds = made(tmp_path, "en", engines=[Engine("late", (sys.executable, "-c", writes))])
    (tmp_path / "voice").rmdir()
    assert sounds.file("granted", {}, "en") is None
    (told,) = caplog.messages
    assert "en/granted cannot be spoken" in told


def test_recordings_come_first_and_broken_ones_are_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "menshen.voice")
    folder = tmp_path / "own" / "en"
    folder.mkdir(parents=True)
    write_wav(folder / "granted.wav", hum(0.7))
    write_wav(folder / "fever.wav", hum(0.9))
    write_wav(folder / "grated.wav", hum(0.7))
    (folder / "fire.wav").write_bytes(b"RIFF")
    sounds = made(tmp_path, engines=[BROKEN], recordings=tmp_path / "own")
    granted, fever = sounds.file("granted", {}, "en"), sounds.file("fever", {"celsius": "38.5"}, "en")
    assert granted is not None
    assert fever is not None
    assert read_wav(str(granted)) == hum(0.7)
    assert read_wav(str(fever)) == hum(0.9)
    assert sounds.file("granted", {}, "zh") is None
    assert sounds.file("fire", {}, "en") is None
    told = "\n".join(caplog.messages)
    assert f"recording {folder / 'grated.wav'}: there is no such phrase; did you mean granted?" in told
    assert f"the rendered voice speaks instead: {folder / 'fire.wav'}" in told


def test_a_new_recording_replaces_the_old(tmp_path: Path) -> None:
    folder = tmp_path / "own" / "en"
    folder.mkdir(parents=True)
    write_wav(folder / "granted.wav", hum(0.7))
    made(tmp_path, engines=[], recordings=tmp_path / "own")
    write_wav(folder / "granted.wav", hum(0.4))
    path = made(tmp_path, engines=[], recordings=tmp_path / "own").file("granted", {}, "en")
    assert path is not None
    assert read_wav(str(path)) == hum(0.4)


@needs_a_voice
def test_the_last_room_of_a_disk_is_left_to_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sounds = made(tmp_path)
    kept = sounds.file("granted", {}, "zh")
    disk = os.statvfs(tmp_path)
    monkeypatch.setattr(sounds_module, "LEAST_ROOM", disk.f_bavail * disk.f_frsize * 2)
    assert sounds.file("goodbye", {}, "zh") is None
    assert sounds.file("granted", {}, "zh") == kept, "what is there is still heard"
    assert "nearly full" in caplog.text
    assert len(list((tmp_path / "voice").iterdir())) == 1
