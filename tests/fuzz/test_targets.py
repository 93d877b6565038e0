"""Every target, with some hundred mutations of its seeds, the same ones each time."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

MOST = 8 * 1024  # bytes of one input


@st.composite
def mutated(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """A seed with a few cuts: bytes overwritten, put in, taken out, said again, or the rest of another seed."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 4))):
        at, upto = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        piece = draw(st.one_of(st.binary(max_size=8), st.just(data[at:upto] * 2), st.sampled_from(seeds)))
        kept = draw(st.sampled_from((upto, at, min(at + len(piece), len(data)))))
        data = (data[:at] + piece + data[kept:])[:MOST]
    return data


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_only_the_one_error_leaves_it(target: Target) -> None:
    seeds = [*target.seeds(), b""]

    @settings(max_examples=100, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(mutated(seeds), st.binary(max_size=256)))
    def fuzz(data: bytes) -> None:
        target.run(data)

    for seed in seeds:
        target.run(seed)
    fuzz()


def test_a_target_finds_what_is_wrong() -> None:
    """What a target is worth: a decoder that lets another error out is found out."""

    def brittle(data: bytes) -> None:
        data[3]

    with pytest.raises(IndexError):
        test_only_the_one_error_leaves_it(Target("brittle", brittle, lambda: [b"longer than four"]))
