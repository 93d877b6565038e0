"""A walk over every model that is read in bytes: what any of them must stand, by the conversation of its manual (`transcripts`).

A new model of the catalogue fails here until it has a simulator, an entry in the documentation and a transcript.
"""

import random
import re
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.catalogue import MODELS, Bench
from drivers.model import SIMULATED
from drivers.readings import CardRead, CodeRead, DeviceState, Reading, Temperature
from drivers.serial_device import CHUNK
from drivers.simulators.line import SerialLine
from drivers.threaded import Retry
from tests.drivers.conversation import converse, once, play
from tests.drivers.listening import Listener
from tests.drivers.models import REAL
from tests.drivers.models import settings as settings_of
from tests.drivers.protocols import hostile
from tests.drivers.test_catalogue import WITHOUT_BYTES, WITHOUT_TWIN
from tests.drivers.transcripts import PERSON_C, TRANSCRIPTS, Transcript, act, undo
from tests.fuzz.targets import TARGETS

DOCUMENTED: Final = Path(__file__).parents[2] / "docs" / "configuration.md"
MEGABYTE: Final = 1 << 20
FLOOD_BYTES: Final = (
    256 * 1024
)  # that may be held while a megabyte of noise goes through: a few chunks and what is half a frame
FLOOD_S: Final = (
    30.0  # of processor time, on whatever machine: a second or two is usual, a quadratic parser takes minutes
)
BRISK: Final = Retry(first_s=0.02, longest_s=0.1)

each_model = pytest.mark.parametrize("script", TRANSCRIPTS.values(), ids=TRANSCRIPTS)


@pytest.mark.parametrize("name", REAL)
def test_each_model_has_all_that_a_model_needs(name: str) -> None:
    twin = f"{SIMULATED}{name.removeprefix('gpio-')}"
    in_bytes = name not in WITHOUT_BYTES
    documented = DOCUMENTED.read_text(encoding="utf-8")
    has = {
        f"a simulator: {twin} in the catalogue": twin in MODELS or name in WITHOUT_TWIN,
        "an entry in docs/configuration.md (make docs)": f'### model = "{name}"' in documented,
        "a transcript in tests/drivers/transcripts.py": name in TRANSCRIPTS or not in_bytes,
        "a fuzz target of its name in tests/fuzz": name in TARGETS or not in_bytes,
    }
    lacks = [what for what, there in has.items() if not there]
    assert not lacks, f"{name} lacks {'; '.join(lacks)}"


def test_transcripts_are_of_models_and_say_where_their_bytes_are_from() -> None:
    assert TRANSCRIPTS.keys() <= MODELS.keys()
    assert all(re.search(r"notes|manual|datasheet", script.source) for script in TRANSCRIPTS.values())


# the conversation as it stands


@each_model
def test_it_says_and_reads_what_its_transcript_has(script: Transcript) -> None:
    assert play(script) == script.readings


@each_model
def test_every_split_reads_the_same(script: Transcript) -> None:
    longest = max(map(len, script.said))
    for at in range(1, longest, 1 + longest // 300):
        assert play(script, lambda data, at=at: [data[:at], data[at:]] if at < len(data) else [data]) == script.readings
    if longest < 300:
        assert play(script, lambda data: (bytes((byte,)) for byte in data)) == script.readings


@each_model
@settings(max_examples=20)
@given(cuts=hostile.cuts)
def test_many_splits_read_the_same(script: Transcript, cuts: list[int]) -> None:
    assert play(script, lambda data: hostile.chunks(data, cuts)) == script.readings


# the far end, when something goes wrong on the line


def flipped(data: bytes, *bits: int) -> bytes:
    """With these bits turned over."""
    raw = bytearray(data)
    for bit in bits:
        raw[bit // 8 % len(raw)] ^= 1 << bit % 8
    return bytes(raw)


def checked(script: Transcript) -> list[tuple[int, int]]:
    """The lines in which a flipped bit is found out: which, and how many bits."""
    said = [(mark, data) for mark, data in script.lines if mark.startswith("<")]
    return [(at, 8 * len(data)) for at, (mark, data) in enumerate(said) if mark == "<"]


@each_model
def test_a_flipped_bit_is_never_another_reading(script: Transcript) -> None:
    for line, bits in checked(script):
        for bit in range(0, bits, bits // 257 | 1):
            came = converse(script, script.link(0), 0, once(line, lambda data, bit=bit: flipped(data, bit)), needs=line)
            assert all(each in script.readings for each in came), (line, bit)


@pytest.mark.parametrize("name", [name for name, script in TRANSCRIPTS.items() if script.finds > 1])
@settings(max_examples=60)
@given(data=st.data())
def test_as_many_flipped_bits_as_its_check_finds_are_never_another_reading(name: str, data: st.DataObject) -> None:
    script = TRANSCRIPTS[name]
    line, bits = data.draw(st.sampled_from(checked(script)))
    which = data.draw(st.sets(st.integers(0, bits - 1), min_size=1, max_size=script.finds))
    came = converse(script, script.link(0), 0, once(line, lambda raw: flipped(raw, *which)), needs=line)
    assert all(each in script.readings for each in came)


@each_model
def test_what_is_cut_short_is_no_reading_and_the_next_is_read(script: Transcript) -> None:
    for line, data in enumerate(script.said):
        for length in range(0, len(data), 1 + len(data) // 40):
            came = converse(script, script.link(0), 0, once(line, lambda raw, upto=length: raw[:upto]), needs=line)
            assert all(each in script.readings for each in came), (line, length)


@pytest.mark.parametrize("name", [name for name, script in TRANSCRIPTS.items() if hasattr(script.link(0), "frame")])
def test_the_next_good_frame_is_read_behind_any_part_of_one(name: str) -> None:
    script = TRANSCRIPTS[name]
    frame, reading = script.said[-1], script.readings[-1]
    for length in range(0, len(frame), 1 + len(frame) // 100):
        assert reading in script.link(0).feed(frame[:length] + 2 * frame, 0), length
        assert reading in script.link(0).feed(frame[length:] + 2 * frame, 0), length


@each_model
@settings(max_examples=20)
@given(garbage=st.binary(max_size=400), cuts=hostile.cuts)
def test_garbage_is_got_over(script: Transcript, garbage: bytes, cuts: list[int]) -> None:
    link = script.link(0)
    link.ask(0)
    for at_ms, chunk in enumerate(hostile.chunks(garbage, cuts)):
        link.feed(chunk, at_ms)
    state, _ = link.health(10)
    assert state in DeviceState
    converse(script, link, 10)


# a megabyte of it


def noises(script: Transcript) -> Iterator[tuple[str, bytes]]:
    """What a line may be full of."""
    longest = max(script.said, key=len)
    yield "random", random.Random(6).randbytes(MEGABYTE)
    for what, piece in (("begun", longest[:5]), ("half", longest[: 1 + len(longest) // 2]), ("cut", longest[:-1])):
        yield what, piece * (MEGABYTE // 16 // max(len(piece), len(longest) // 64))


@each_model
def test_a_megabyte_of_noise_takes_bounded_memory_and_time(script: Transcript) -> None:
    for what, noise in noises(script):
        link = script.link(0)
        link.ask(0)
        began_s = time.process_time()
        tracemalloc.start()
        for number, at in enumerate(range(0, len(noise), CHUNK)):
            link.feed(noise[at : at + CHUNK], number)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < FLOOD_BYTES, what
        assert time.process_time() - began_s < FLOOD_S, what
        converse(script, link, 1_000 + len(noise) // CHUNK)


# driver and simulator, over what the kernel has for a line


def is_it(reading: Reading) -> bool:
    """Whether it is of who or what came."""
    if isinstance(reading, Temperature):
        return abs(reading.measured_c - PERSON_C) < 1
    return isinstance(reading, (CardRead, CodeRead))


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_unplugged_in_the_middle_of_a_frame_and_plugged_in_again(name: str) -> None:
    twin = f"{SIMULATED}{name}"
    device = MODELS[twin].build("device", settings_of(twin), Bench())
    device._retry, device._wait_s = BRISK, BRISK.first_s  # so that the test need not wait as long as a person would
    simulator = device.simulator
    with Listener(device) as listening:
        listening.until_state(DeviceState.OK)
        act(name, simulator)
        listening.until(lambda: any(map(is_it, listening.heard)))
        undo(name, simulator)
        if isinstance(simulator, SerialLine):
            simulator.inject(TRANSCRIPTS[name].said[-1][:5])
        if hasattr(simulator, "unplug"):
            simulator.unplug()
            listening.until_state(DeviceState.LOST)
            simulator.plug()
        else:
            simulator.cut_power()
            listening.until_state(DeviceState.STALE)
            simulator.restore_power()
        listening.until_state(DeviceState.OK, count=2)
        before = len(listening.heard)
        act(name, simulator)
        listening.until(lambda: any(map(is_it, listening.heard[before:])))
        readings = [each for each in listening.heard if isinstance(each, Temperature)]
        assert all(15 < each.object_c < 40 for each in readings)
        assert len({each.data for each in listening.codes}) <= 1
        assert len({each.uid for each in listening.heard if isinstance(each, CardRead)}) <= 1
