"""WAV files in, the one format out; and the tones."""

import wave
from array import array
from pathlib import Path

import pytest

from drivers.sound.pcm import RATE, BadSound, read_any_wav, read_wav, write_wav
from drivers.sound.tones import TONES, tone_file
from drivers.sound.wire import pack, unpack


def stored(path: Path, *, rate: int = RATE, channels: int = 1, width: int = 2, frames: bytes = b"\1\0" * 100) -> str:
    """A WAV file of any format."""
    with wave.open(str(path), "wb") as file:
        file.setframerate(rate)
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.writeframes(frames)
    return str(path)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    samples = array("h", [0, 1, -1, 32767, -32768])
    write_wav(tmp_path / "a.wav", samples)
    assert read_wav(str(tmp_path / "a.wav")) == samples
    assert [file.name for file in tmp_path.iterdir()] == ["a.wav"]


def test_another_rate_is_told_and_read_as_it_is(tmp_path: Path) -> None:
    path = stored(tmp_path / "a.wav", rate=44_100, channels=2)
    assert read_any_wav(path) == (array("h", [1] * 100), 44_100, 2)
    with pytest.raises(BadSound, match="2 channels at 44100 Hz, must be mono at 22050 Hz"):
        read_wav(path)


@pytest.mark.parametrize(
    "content, said",
    [
        (None, "No such file"),
        (b"", "cut short"),
        (b"RIFF", "cut short"),
        (bytes(range(256)) * 20, "does not start with RIFF"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\1\0\1\0", "a.wav"),
    ],
)
def test_what_is_no_sound_says_so(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadSound, match=said):
        read_wav(str(path))


def test_what_we_do_not_play_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadSound, match="must be 16-bit PCM"):
        read_wav(stored(tmp_path / "eight.wav", width=1))
    with pytest.raises(BadSound, match="longer than 60 s"):
        read_wav(stored(tmp_path / "long.wav", rate=8000, frames=b"\0\0" * (61 * 8000)))


@pytest.mark.parametrize("name", TONES)
def test_a_tone_is_loud_loops_without_a_click_and_is_made_once(name: str, tmp_path: Path) -> None:
    path = tone_file(name, tmp_path / "cache")
    samples = read_wav(str(path))
    assert max(samples) > 10_000
    assert abs(samples[0]) < 500
    assert abs(samples[-1]) < 500
    before = path.stat().st_mtime_ns
    assert tone_file(name, tmp_path / "cache") == path
    assert path.stat().st_mtime_ns == before


def test_tones_differ() -> None:
    assert len({make().tobytes() for make in TONES.values()}) == len(TONES)


def test_messages_hold_any_file_name_but_nul() -> None:
    words = ["play", "10", "/tmp/å 门\udcff.wav", ""]  # noqa: S108  nothing is opened
    assert unpack(pack(*words)) == words
    with pytest.raises(ValueError, match="NUL"):
        pack("play", "a\0b")
