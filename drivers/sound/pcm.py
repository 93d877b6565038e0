"""The one sound format everything is brought to: 16-bit mono at 22,050 Hz, as espeak-ng makes it."""

import sys
import wave
from array import array
from pathlib import Path
from typing import Final

from drivers.errors import DriverError

RATE: Final = 22_050  # samples a second
BLOCK: Final = 441  # samples of one block, 20 ms
EDGE: Final = RATE // 200  # 5 ms: a sound that begins or ends at once clicks
LONGEST_S: Final = 60


class BadSound(DriverError):
    """A WAV file that cannot be played as it is: the text says why."""


def read_wav(path: str) -> "array[int]":
    """The samples of a WAV file in the one format. Raises BadSound, also for a file that is not there."""
    samples, rate, channels = read_any_wav(path)
    if (rate, channels) != (RATE, 1):
        raise BadSound(f"{path}: {channels} channels at {rate} Hz, must be mono at {RATE} Hz")
    return samples


def read_any_wav(path: str) -> "tuple[array[int], int, int]":
    """The samples of a 16-bit PCM WAV file as they are, its rate in Hz and its number of channels. Raises BadSound."""
    try:
        with wave.open(path, "rb") as file:
            rate, channels = file.getframerate(), file.getnchannels()
            if file.getsampwidth() != 2 or channels not in (1, 2) or not 8000 <= rate <= 96_000:
                raise BadSound(f"{path}: must be 16-bit PCM, mono or stereo, 8 to 96 kHz")
            if file.getnframes() > LONGEST_S * rate:
                raise BadSound(f"{path}: longer than {LONGEST_S} s")
            data = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise BadSound(f"{path}: {str(error) or 'cut short'}") from error
    samples = array("h", data[: len(data) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples, rate, channels


def write_wav(path: Path, samples: "array[int]") -> None:
    """Write samples of the one format, whole or not at all."""
    unfinished = path.with_suffix(".part")
    with wave.open(str(unfinished), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    unfinished.replace(path)


def risen(samples: "array[int]") -> "array[int]":
    """The same, beginning softly."""
    edge = min(EDGE, len(samples))
    return array("h", (samples[at] * at // edge for at in range(edge))) + samples[edge:]


def fallen(samples: "array[int]") -> "array[int]":
    """The same, ending softly."""
    edge = min(EDGE, len(samples))
    kept = len(samples) - edge
    return samples[:kept] + array("h", (samples[kept + at] * (edge - 1 - at) // edge for at in range(edge)))
