"""The tones: the evacuation signal as ISO 8201 has it, and no other one like it."""

from array import array
from itertools import groupby, pairwise

import pytest

from drivers.sound.pcm import EDGE, RATE
from drivers.sound.tones import LOUD, TONES

QUIET_S = 0.02  # a tone's own zero crossings are shorter
T3 = [(True, 0.5), (False, 0.5), (True, 0.5), (False, 0.5), (True, 0.5), (False, 1.5)]
"""ISO 8201: three pulses of half a second, half a second apart, then one and a half of silence; each ± 10 %."""


def rhythm(samples: "array[int]") -> list[tuple[bool, float]]:
    """When it sounds, and when not: whether, and how long in seconds."""
    step = round(QUIET_S * RATE)
    parts = [any(abs(each) > LOUD // 50 for each in samples[at : at + step]) for at in range(0, len(samples), step)]
    return [(sounds, len(list(run)) * QUIET_S) for sounds, run in groupby(parts)]


def test_the_evacuation_signal_is_temporal_three() -> None:
    told = rhythm(TONES["evacuation"]())
    assert [sounds for sounds, _ in told] == [sounds for sounds, _ in T3]
    for (_, lasts_s), (_, wanted_s) in zip(told, T3, strict=True):
        assert lasts_s == pytest.approx(wanted_s, rel=0.1)


@pytest.mark.parametrize("name", sorted(set(TONES) - {"evacuation"}))
def test_no_other_tone_could_be_taken_for_it(name: str) -> None:
    """None has a pulse of half a second, nor three of anything with such a rest."""
    twice = rhythm(TONES[name]() * 4)
    assert not any(sounds and lasts_s == pytest.approx(0.5, rel=0.1) for sounds, lasts_s in twice)
    assert not any(not sounds and lasts_s >= 1.35 for sounds, lasts_s in twice)


@pytest.mark.parametrize("name", TONES)
def test_a_tone_loops_without_a_click(name: str) -> None:
    """It begins and ends at nothing, and no edge is steeper than the tone itself."""
    samples = TONES[name]()
    assert abs(samples[0]) <= LOUD // EDGE and abs(samples[-1]) <= LOUD // EDGE
    inside = max(abs(after - before) for before, after in pairwise(samples))
    assert abs(samples[0] - samples[-1]) <= inside
