"""A person's own recordings, brought to the one sound format."""

from array import array
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Final

from drivers.sound.pcm import RATE, BadSound, read_any_wav

SHORTEST_S: Final = 0.2
LONGEST_S: Final = 20
QUIETEST: Final = 300  # of 32,767: a peak below this is a recording of nothing


def read_recording(path: Path) -> "array[int]":
    """The recording at 22,050 Hz, mono. Raises BadSound: not 16-bit PCM, too short, too long, silent."""
    samples, rate, channels = read_any_wav(str(path))
    if channels == 2:
        samples = array("h", ((left + right) // 2 for left, right in zip(samples[::2], samples[1::2], strict=False)))
    seconds = len(samples) / rate
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise BadSound(f"{path}: lasts {seconds:.1f} s, must be {SHORTEST_S} to {LONGEST_S} s")
    if max(samples) < QUIETEST and -min(samples) < QUIETEST:
        raise BadSound(f"{path}: is silent")
    return samples if rate == RATE else _resampled(samples, rate)


def _resampled(samples: "array[int]", rate: int) -> "array[int]":
    """Averages over each new sample's time going down (so that high tones don't fold back), straight lines going up."""
    count = len(samples) * RATE // rate
    if rate > RATE:
        sums = array("q", accumulate(samples, initial=0))
        edges = [at * rate // RATE for at in range(count + 1)]
        return array("h", ((sums[end] - sums[begin]) // (end - begin) for begin, end in pairwise(edges)))
    samples.append(samples[-1])
    out = array("h", bytes(2 * count))
    for at in range(count):
        place, part = divmod(at * rate, RATE)
        out[at] = samples[place] + (samples[place + 1] - samples[place]) * part // RATE
    return out
