"""Sounds that can be told apart in what was played: each is one level throughout."""

from array import array
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from threading import Event
from time import monotonic

import numpy as np

from drivers.sound.pcm import BLOCK, RATE, write_wav

WAIT_S = 20.0


def level(value: int, seconds: float) -> "array[int]":
    """A sound of one level."""
    return array("h", [value]) * round(seconds * RATE)


def wav(path: Path, value: int, seconds: float) -> str:
    """A WAV file of one level."""
    write_wav(path, level(value, seconds))
    return str(path)


def played(path: Path) -> "array[int]":
    """The samples in a file that is still being written: whatever its header says."""
    samples = array("h")
    if path.exists():
        data = path.read_bytes()[44:]
        samples.frombytes(data[: len(data) // 2 * 2])
    return samples


def told_apart(samples: "array[int]") -> list[int]:
    """The levels one after the other, without silence and without what fades out (no level lasts in it)."""
    runs = [(value, len(list(run))) for value, run in groupby(samples)]
    return [value for value, length in runs if value and length >= BLOCK]


def loudest_step(samples: "array[int]") -> int:
    """The largest step between two samples: what clicks."""
    return int(np.abs(np.diff(np.array(samples, np.int32))).max(initial=0))


def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds. A file that is written tells nobody, so it is looked at every 20 ms."""
    never, end_s = Event(), monotonic() + WAIT_S
    while not condition():
        assert monotonic() < end_s, "it never came true"
        never.wait(0.02)
