"""A walk over every model that is read in bytes: what any of them must stand, by the conversation of its manual (`transcripts`).

A new model of the catalogue fails here until it has a simulator, an entry in the documentation, a transcript and a fuzz target.
"""

import random
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.catalogue import MODELS, Bench
from drivers.readings import CardRead, CodeRead, DeviceState, Reading, Temperature
from drivers.serial_device import CHUNK
from drivers.simulators.line import SerialLine
from drivers.threaded import Retry
from tests.drivers.listening import Listener
from tests.drivers.protocols import hostile
from tests.drivers.test_catalogue import REAL, SIMULATED, WITHOUT_BYTES, WITHOUT_TWIN
from tests.drivers.test_catalogue import settings as settings_of
from tests.drivers.transcripts import LONGEST_MS, PERSON_C, STEP_MS, TRANSCRIPTS, Transcript, act, undo
from tests.fuzz.targets import TARGETS

DOCUMENTED: Final = Path(__file__).parents[2] / "docs" / "configuration.md"
FUZZED: Final = {
    "gy-mcu90615": "thermometer",
    "gy-mcu90640": "thermal-camera",
    "calex-pyrousb": "modbus",
    "modbus-thermometer": "modbus",
    "rdm6300": "card-reader",
    "hid-scanner": "typing-scanner",
}
"""Model → its fuzz target, where that has another name."""
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
        "a fuzz target in tests/fuzz, by its name or in FUZZED": FUZZED.get(name, name) in TARGETS or not in_bytes,
    }
    lacks = [what for what, there in has.items() if not there]
    assert not lacks, f"{name} lacks {'; '.join(lacks)}"


def test_transcripts_are_of_models_and_say_where_their_bytes_are_from() -> None:
    assert TRANSCRIPTS.keys() <= MODELS.keys()
    assert FUZZED.keys() <= MODELS.keys()
    assert all("hardware notes" in script.source for script in TRANSCRIPTS.values())


# the conversation as it stands


def play(script: Transcript, cut: Callable[[bytes], Iterable[bytes]] = lambda data: [data]) -> list[Reading]:
    """The conversation word for word, each of the device's lines cut up; what was read."""
    link, now_ms, readings = script.link(0), 0, list[Reading]()
    greeting: bytes = link.greeting
    for mark, data in script.lines:
        match mark:
            case ">" if greeting:
                assert (data, greeting) == (greeting, data)
                greeting = b""
            case ">":
                now_ms, asked = question(link, now_ms)
                assert asked.hex(" ") == data.hex(" ")
            case "=":
                now_ms += int.from_bytes(data, "big")
                readings += link.feed(b"", now_ms)
            case _:
                for chunk in filter(None, cut(data)):  # nothing is silence
                    readings += link.feed(chunk, now_ms)
    assert not greeting, "the greeting is not in the transcript"
    return readings


def question(link: Any, now_ms: int) -> tuple[int, bytes]:
    """What the host asks next, and when."""
    for at_ms in range(now_ms, now_ms + LONGEST_MS, STEP_MS):
        asked: bytes = link.ask(at_ms)
        if asked:
            return at_ms, asked
        link.feed(b"", at_ms)
    raise AssertionError("it asks nothing")


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


Spoil = Callable[[int, bytes], bytes]
"""What becomes of the device's so manieth line, the first time that it is said."""


class FarEnd:
    """A device that answers as its transcript does, and says unasked what it says there unasked. What it is asked once more than
    there, it answers as the last time."""

    def __init__(self, script: Transcript, spoil: Spoil) -> None:
        self._answers: dict[bytes, list[tuple[int, bytes]]] = {}
        self._unasked: list[tuple[int, bytes]] = []
        self._spoil = spoil
        self._every_ms = script.every_ms
        self._next_ms = 0
        self.said: set[int] = set()
        asked, number, greeted = b"", 0, not script.link(0).greeting
        for mark, data in script.lines:
            if mark == ">":
                asked, greeted = (data if greeted else b""), True
            elif mark.startswith("<"):
                (self._answers.setdefault(asked, []) if asked else self._unasked).append((number, data))
                asked, number = b"", number + 1

    def says(self, asked: bytes, now_ms: int) -> list[bytes]:
        """Its lines, after this was asked or nothing was."""
        if asked:
            return [self._line(*answer) for answer in self._answer(asked)]
        if now_ms < self._next_ms:
            return []
        self._next_ms = now_ms + self._every_ms
        return [self._line(*each) for each in self._unasked]

    def _answer(self, asked: bytes) -> list[tuple[int, bytes]]:
        for known, answers in self._answers.items():
            if asked.endswith(known):
                return [answers.pop(0) if len(answers) > 1 else answers[0]]
        return []

    def _line(self, number: int, data: bytes) -> bytes:
        first = number not in self.said
        self.said.add(number)
        return self._spoil(number, data) if first else data


def converse(
    script: Transcript, link: Any, from_ms: int, spoil: Spoil = lambda _, data: data, *, needs: int = -1
) -> list[Reading]:
    """Let both ends talk until the last reading of the transcript has come, after line `needs` was said; all that were read. Fails
    if it never comes."""
    device, readings = FarEnd(script, spoil), list[Reading]()
    for now_ms in range(from_ms, from_ms + LONGEST_MS, STEP_MS):
        lines = device.says(link.ask(now_ms), now_ms)
        for line in lines:
            readings += link.feed(line, now_ms)
        if not lines:
            readings += link.feed(b"", now_ms)
        if script.readings[-1] in readings and (needs < 0 or needs in device.said):
            return readings
    raise AssertionError(f"it never read {script.readings[-1]} again, only {readings[-3:]}")


def once(at: int, spoilt: Callable[[bytes], bytes]) -> Spoil:
    """Spoil one line and no other."""
    return lambda number, data: spoilt(data) if number == at else data


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


@pytest.mark.parametrize(
    "name", ["gy-mcu90615", "gy-mcu90614", "cjmcu-90614", "gy-614v", "gy-mcu90640", "rdm6300", "id-12"]
)
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
