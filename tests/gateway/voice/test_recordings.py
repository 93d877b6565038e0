"""A person's own recordings."""

import itertools
import wave
from array import array
from pathlib import Path

import pytest

from drivers.sound.pcm import RATE, BadSound
from gateway.voice.recordings import read_recording
from tests.gateway.voice.voices import hum


def write(path: Path, samples: "array[int]", rate: int, *, stereo: bool = False, width: int = 2) -> Path:
    if stereo:
        samples = array("h", (sample for each in samples for sample in (each, each)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2 if stereo else 1)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(samples.tobytes()[: len(samples) * width])
    return path


def crossings(samples: "array[int]") -> int:
    return sum(a < 0 <= b for a, b in itertools.pairwise(samples))


@pytest.mark.parametrize("stereo", [False, True])
@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000])
def test_any_rate_keeps_pitch_length_and_loudness(tmp_path: Path, rate: int, stereo: bool) -> None:
    samples = read_recording(write(tmp_path / "x.wav", hum(0.5, rate), rate, stereo=stereo))
    assert len(samples) == pytest.approx(RATE / 2, abs=2)
    assert crossings(samples) == pytest.approx(220, abs=2)
    assert max(samples) > 0.85 * max(hum(0.5))


def test_tones_too_high_for_us_do_not_fold_back(tmp_path: Path) -> None:
    samples = read_recording(write(tmp_path / "x.wav", hum(0.5, 96_000, 43_900), 96_000))
    assert max(samples) < 0.3 * max(hum(0.5))


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (hum(0.1), "lasts 0.1 s"),
        (array("h"), "lasts 0.0 s"),
        (array("h", bytes(2 * RATE * 21)), "lasts 21.0 s"),
        (array("h", bytes(2 * RATE)), "is silent"),
        (array("h", [200, -200] * RATE), "is silent"),
    ],
)
def test_recordings_of_nothing(tmp_path: Path, samples: "array[int]", words: str) -> None:
    with pytest.raises(BadSound, match=words):
        read_recording(write(tmp_path / "x.wav", samples, RATE))


@pytest.mark.parametrize(
    "data", [b"", b"RIFF", b"ID3" + bytes(500), b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0" + bytes(30)]
)
def test_what_is_no_wav(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.wav").write_bytes(data)
    with pytest.raises(BadSound):
        read_recording(tmp_path / "x.wav")


def test_eight_bits(tmp_path: Path) -> None:
    with pytest.raises(BadSound, match="16-bit"):
        read_recording(write(tmp_path / "x.wav", hum(1), RATE, width=1))
