"""Scanners that type: events as linux/input.h lays them out, and the driver over a pipe; over the kernel where it has uinput."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import WrongUse
from drivers.hid_scanner import HidScanner
from drivers.protocols.hid_keys import CHARACTERS, EVENT, GAP_MS, REARM_MS, HidKeys, encode
from drivers.readings import DeviceState
from drivers.simulators.hid_scanner import SimulatedHidScanner
from drivers.threaded import Retry
from tests.drivers.listening import Listener
from tests.drivers.protocols import hostile
from tests.drivers.readers import uinput

BRISK = Retry(first_s=0.02, longest_s=0.1)
TYPEABLE = "".join(sorted({each for pair in CHARACTERS.values() for each in pair}))
texts = st.text(TYPEABLE, min_size=1, max_size=40)


def key(code: int, value: int) -> bytes:
    """As in linux/input.h on a machine of 64 bits: two longs of time, type, code, value."""
    return struct.pack("<qqHHi", 1_700_000_000, 5, 1, code, value)


def typed(*chunks: bytes) -> list[str]:
    keys = HidKeys(0)
    return [code.text for chunk in chunks for code in keys.feed(chunk, 0)]


def test_events_as_input_event_codes_h_numbers_them() -> None:
    """KEY_LEFTSHIFT 42, KEY_M 50, KEY_P 25, KEY_1 2, KEY_SEMICOLON 39, KEY_A 30, KEY_ENTER 28."""
    pressed = [(42, 1), (50, 1), (50, 0), (25, 1), (25, 2), (25, 0), (42, 0), (2, 1), (2, 0)]
    pressed += [(42, 1), (39, 1), (39, 0), (42, 0), (30, 1), (30, 0), (28, 1), (28, 0)]
    assert EVENT.size == 24
    assert typed(b"".join(key(*each) for each in pressed)) == ["MP1:a"]


def test_every_character_of_a_us_keyboard() -> None:
    assert set(TYPEABLE) == {chr(code) for code in range(32, 127)} | {"\t"}
    assert typed(encode(TYPEABLE)) == [TYPEABLE]


@given(st.lists(texts, max_size=4, unique=True), hostile.cuts)
def test_what_was_typed_is_read_however_it_was_cut(sent: list[str], cuts: list[int]) -> None:
    data = b"".join(map(encode, sent))
    assert typed(*hostile.chunks(data, cuts)) == sent


def test_every_split() -> None:
    data = encode("Ab1") + encode("#")
    assert all(typed(data[:cut], data[cut:]) == ["Ab1", "#"] for cut in range(len(data)))


@pytest.mark.parametrize("text", ["门神", "a门b", "é"])
def test_what_a_keyboard_does_not_have_is_no_code_and_the_next_one_is(text: str) -> None:
    keys = HidKeys(0)
    assert [code.text for code in keys.feed(encode(text) + encode("next"), 0)] == ["next"]
    assert (keys.good, keys.bad) == (1, 1)


def test_caps_lock_both_shifts_and_the_keypad() -> None:
    taps = b"".join(key(code, 1) + key(code, 0) for code in (58, 30, 2, 58, 30, 79, 96))
    assert typed(taps) == ["A1a1"]
    assert typed(key(42, 1) + key(54, 1) + key(42, 0) + key(30, 1) + key(54, 0) + key(30, 1) + key(28, 1)) == ["Aa"]


def test_a_buffer_that_overran_spoils_the_code() -> None:
    events = encode("abc")
    dropped = struct.pack("<qqHHi", 0, 0, 0, 3, 0)
    assert typed(events[: 4 * EVENT.size] + dropped + events[4 * EVENT.size :] + encode("next")) == ["next"]


def test_half_a_code_is_not_the_beginning_of_the_next() -> None:
    keys = HidKeys(0)
    assert keys.feed(encode("half")[: 6 * EVENT.size], 0) == []
    assert [code.text for code in keys.feed(encode("whole"), GAP_MS)] == ["whole"]


def test_a_code_that_is_held_up_comes_once() -> None:
    keys = HidKeys(0)
    counts = [len(keys.feed(encode("code"), now_ms)) for now_ms in (0, 500, 1_500, 1_500 + REARM_MS + 1)]
    assert counts == [1, 0, 0, 1]


def test_enter_alone_is_no_code() -> None:
    assert typed(encode("") * 3) == []


@given(st.binary(max_size=400), hostile.cuts)
def test_garbage_never_raises_and_is_not_kept(garbage: bytes, cuts: list[int]) -> None:
    typed(*hostile.chunks(garbage, cuts))


def test_a_storm_of_keys_does_not_grow_and_leaves_room_for_the_next_code() -> None:
    keys = HidKeys(0)
    storm = (key(30, 1) + key(30, 0)) * 1_000
    for _ in range(20):
        assert keys.feed(storm, 0) == []
    assert len(keys._typed) <= 7_089
    assert [code.text for code in keys.feed(encode("") + encode("next"), 0)] == ["next"]


# the driver


class Scanner(Listener):
    """A simulated scanner under test."""

    def __init__(self) -> None:
        self.device = SimulatedHidScanner("scanner", retry=BRISK)
        self.simulator = self.device.simulator
        super().__init__(self.device)


@pytest.fixture
def scanner() -> Iterator[Scanner]:
    with Scanner() as listening:
        listening.until_state(DeviceState.OK)
        yield listening


def test_codes_are_read_from_a_device_that_is_ours(scanner: Scanner) -> None:
    assert scanner.simulator.grabs == 1
    scanner.simulator.show("MP1:AB-12 /x?")
    scanner.until(lambda: scanner.texts == ["MP1:AB-12 /x?"])
    (code,) = scanner.codes
    assert (code.data, code.decoder) == (b"MP1:AB-12 /x?", "hid")


def test_unplugged_in_the_middle_of_a_code_and_plugged_in_under_another_name(scanner: Scanner) -> None:
    before = scanner.simulator.path
    scanner.simulator.half("half of this")
    scanner.simulator.unplug()
    assert "unplugged" in scanner.until_state(DeviceState.LOST).detail
    scanner.simulator.plug()
    assert scanner.simulator.path != before
    scanner.until_state(DeviceState.OK, count=2)
    scanner.simulator.show("whole")
    scanner.until(lambda: scanner.texts == ["whole"])
    assert scanner.simulator.grabs == 2
    assert (scanner.device.tally.frames, scanner.device.tally.reopens) == (1, 1)


def test_what_cannot_be_read_is_said_and_not_shown(scanner: Scanner, caplog: pytest.LogCaptureFixture) -> None:
    scanner.simulator.show("secret门")
    scanner.simulator.show("next")
    scanner.until(lambda: scanner.texts == ["next"])
    scanner.device.stop()
    assert "could not be read" in caplog.text
    assert "secret" not in caplog.text
    assert not Path(scanner.simulator.path).parent.exists()


@pytest.mark.parametrize(
    ("path", "cause"), [("/dev/null", "is no input device"), ("/dev/input/event999", "no such device")]
)
def test_what_is_no_input_device(path: str, cause: str) -> None:
    with Listener(HidScanner("x", path, retry=BRISK)) as listening:
        assert cause in listening.until_state(DeviceState.LOST).detail


def test_a_driver_that_was_never_started_can_be_stopped_twice() -> None:
    device = HidScanner("x", "/dev/null")
    device.stop()
    SimulatedHidScanner("y").stop()


def test_what_is_too_long_is_not_typed() -> None:
    device = SimulatedHidScanner("x")
    with pytest.raises(WrongUse):
        device.simulator.show("x" * 4_297)
    device.stop()


@pytest.mark.skipif(
    not os.access(uinput.NODE, os.W_OK), reason="this machine's kernel makes no input devices (/dev/uinput)"
)
def test_a_keyboard_of_the_kernel_s_own_is_grabbed_read_and_lost() -> None:
    with uinput.keyboard() as (made, path):
        listening = Listener(HidScanner("scanner", path, retry=BRISK))
        with listening:
            listening.until_state(DeviceState.OK)
            second = Listener(HidScanner("second", path, retry=BRISK))
            with second:
                assert "grabbed" in second.until_state(DeviceState.LOST).detail
            os.write(made, encode("MP1:a"))
            listening.until(lambda: listening.texts == ["MP1:a"])
