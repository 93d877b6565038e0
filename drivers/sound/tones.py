"""The looped tones, made at first use. Each is one period, ending where it begins, so that it loops without a click."""

from array import array
from collections.abc import Callable
from math import pi, sin
from pathlib import Path
from typing import Final

from drivers.sound.pcm import EDGE, RATE, write_wav

LOUD: Final = 26_000  # of 32,767


def tone(frequency_hz: float, seconds: float) -> "array[int]":
    """A tone with an overtone, which small loudspeakers carry better, and soft edges."""
    count = round(seconds * RATE)
    step = 2 * pi * frequency_hz / RATE
    samples = array("h", bytes(2 * count))
    for at in range(count):
        edge = min(1.0, at / EDGE, (count - 1 - at) / EDGE)
        samples[at] = int(LOUD * edge * (0.75 * sin(step * at) + 0.25 * sin(3 * step * at)))
    return samples


def silence(seconds: float) -> "array[int]":
    """Nothing."""
    return array("h", bytes(2 * round(seconds * RATE)))


def alarm() -> "array[int]":
    """Two tones in turn, a quarter of a second each."""
    return tone(960, 0.25) + tone(770, 0.25)


def night() -> "array[int]":
    """The night guard's own sound: three rising tones and a rest, unlike any other here."""
    return tone(523, 0.18) + tone(659, 0.18) + tone(784, 0.3) + silence(0.84)


def pre_alarm() -> "array[int]":
    """A short chirp each second: the door will soon be held open."""
    return tone(1800, 0.06) + silence(0.06) + tone(1800, 0.06) + silence(0.82)


def evacuation() -> "array[int]":
    """The evacuation signal of ISO 8201 (hardware notes, section 8): half a second on, three times with half a second
    between, then one and a half off. For immediate evacuation alone."""
    on, off = tone(520, 0.5), silence(0.5)
    return on + off + on + off + on + silence(1.5)


TONES: Final[dict[str, Callable[[], "array[int]"]]] = {
    "alarm": alarm,
    "night": night,
    "pre-alarm": pre_alarm,
    "evacuation": evacuation,
}
_VERSION = 1  # raise it when a tone changes, so that gates make it anew


def tone_file(name: str, cache: Path) -> Path:
    """The tone as a WAV file in `cache`, made when it is not there yet. Raises OSError."""
    path = cache / f"tone-{name}-{_VERSION}.wav"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        write_wav(path, TONES[name]())
    return path
