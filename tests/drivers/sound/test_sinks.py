"""Where the sound goes: the WAV file as players see it, and a real aplay where there is one."""

import shutil
import wave
from array import array
from pathlib import Path

import pytest

from drivers.errors import DeviceLost
from drivers.sound.pcm import BLOCK, read_wav
from drivers.sound.sinks import AplaySink, FileSink, has_sound_card
from tests.drivers.sound.sounds import level, played, until, wav

NOISE = array("h", range(1, BLOCK + 1))


def test_a_file_is_a_wav_file_at_every_second_and_goes_on_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "below" / "sound.wav"
    sink = FileSink(path)
    for _ in range(51):
        sink.write(NOISE)
    with wave.open(str(path)) as file:
        assert file.getnframes() == 50 * BLOCK
    second = FileSink(path)  # the first was killed: it wrote no header of the last block
    second.write(level(7, 0.02))
    second.close()
    assert read_wav(str(path)) == NOISE * 51 + level(7, 0.02)


def test_long_silence_is_left_out(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "sound.wav")
    sink.write(None)
    sink.write(NOISE)
    for _ in range(FileSink.GAP_BLOCKS + 5):
        sink.write(None)
    with wave.open(str(tmp_path / "sound.wav")) as file:
        assert file.getnframes() == (1 + FileSink.GAP_BLOCKS) * BLOCK
    sink.close()


def test_a_full_file_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FileSink, "LONGEST_BYTES", 3 * 2 * BLOCK)
    path = tmp_path / "sound.wav"
    sink = FileSink(path)
    for value in range(1, 6):
        sink.write(level(value, 0.02))
    sink.close()
    assert read_wav(str(tmp_path / "sound.1.wav")) == level(1, 0.02) + level(2, 0.02) + level(3, 0.02)
    assert read_wav(str(path)) == level(4, 0.02) + level(5, 0.02)


@pytest.mark.parametrize("content", [b"somebody's letters", b"RIFF1234WAVEfmt " + bytes(200)])
def test_a_file_that_holds_something_else_is_left_alone(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "letters.txt"
    path.write_bytes(content)
    with pytest.raises(DeviceLost, match="holds something other than sound"):
        FileSink(path)
    assert path.read_bytes() == content


def test_a_file_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    with pytest.raises(DeviceLost, match="Is a directory"):
        FileSink(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(DeviceLost, match="file"):
        FileSink(tmp_path / "file" / "sound.wav")


# aplay


def program(path: Path, script: str) -> str:
    """A program that stands in for a broken aplay."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def write_until_lost(sink: AplaySink) -> str:
    """Write until the sound card is lost; why it was."""
    try:
        with pytest.raises(DeviceLost) as lost:
            for _ in range(1000):
                sink.wait()
                sink.write(NOISE)
    finally:
        sink.close()
    return str(lost.value)


def test_aplay_that_is_not_installed(tmp_path: Path) -> None:
    with pytest.raises(DeviceLost, match="does not start: No such file"):
        AplaySink("default", str(tmp_path / "aplay"))
    assert not has_sound_card(str(tmp_path / "aplay"))


def test_aplay_that_ends_has_the_last_word(tmp_path: Path) -> None:
    ends = program(tmp_path / "aplay", "echo first >&2; echo 'audio open error: Device or resource busy' >&2")
    assert write_until_lost(AplaySink("default", ends)) == "audio open error: Device or resource busy"


def test_aplay_that_takes_no_sound(tmp_path: Path) -> None:
    assert write_until_lost(AplaySink("default", program(tmp_path / "aplay", "exec tail -f /dev/null"))) == (
        "the sound card takes no sound"
    )


def test_aplay_that_complains_for_ever_goes_on(tmp_path: Path) -> None:
    complains = "while head -c 3528 >/dev/null; do echo underrun underrun underrun underrun underrun >&2; done"
    sink = AplaySink("default", program(tmp_path / "aplay", f"exec sh -c '{complains}'"))
    try:
        for _ in range(2000):  # 80 kB of complaints: more than a pipe holds
            sink.wait()
            sink.write(NOISE)
    finally:
        sink.close()


def test_cards_are_found_by_what_aplay_lists(tmp_path: Path) -> None:
    assert has_sound_card(program(tmp_path / "aplay", "echo 'card 0: vc4hdmi [vc4-hdmi], device 0'"))
    assert not has_sound_card(program(tmp_path / "none", "echo 'no soundcards found...' >&2; exit 1"))


def test_a_real_aplay_is_given_the_sound_at_twice_the_rate_on_both_sides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("aplay") is None:
        pytest.skip("aplay (alsa-utils) is not installed")
    out = tmp_path / "out.raw"
    config = tmp_path / "asound.conf"
    config.write_text(
        f'pcm.kept {{ type file, slave {{ pcm nowhere }}, file "{out}", format raw }}\npcm.nowhere {{ type null }}\n'
    )
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(config))
    sink = AplaySink("kept")
    try:
        for _ in range(40):
            sink.wait()
            sink.write(NOISE)
        expected = array("h", [sample for sample in NOISE for _ in range(4)]) * 40
        until(lambda: out.exists() and out.stat().st_size >= 32_768)
    finally:
        sink.close()
    kept = array("h", out.read_bytes()[:32_768])
    assert kept == expected[: len(kept)]
    assert write_until_lost(AplaySink("there is none")).startswith("aplay: ")


def test_told_apart_is_no_wishful_thinking(tmp_path: Path) -> None:
    assert played(Path(wav(tmp_path / "a.wav", 5, 0.1))) == level(5, 0.1)
