"""Wiegand: the verified frames of hardware notes 3, and the driver on mock pins."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from gpiozero import InputDevice
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BadFrame, WrongUse
from drivers.protocols.wiegand import MOST, SILENCE_S, SOONEST_S, Pulse, decode, encode, frames
from drivers.readings import CardRead, DeviceState, DeviceStatus
from drivers.settings import WiegandSettings
from drivers.simulators.pins import wired_factory
from drivers.simulators.wiegand import WiegandLines
from drivers.threaded import Retry
from drivers.wiegand import BAD, WiegandReader
from tests.drivers.listening import Listener

FC_123_CN_45678 = "10111101110110010011011101"
CARD, OTHER = "007BB26E", "0414CD7E"
WIRED = WiegandSettings(d0=20, d1=21)
BRISK = Retry(first_s=0.02, longest_s=0.1)


def test_the_notes_cards() -> None:
    """Facility 123, number 45678: 2F764DD, and 8106606 as 24 bits; facility 1, number 1; 34 bits: 208299AFC."""
    assert int(FC_123_CN_45678, 2) == 0x2F764DD
    assert decode(FC_123_CN_45678) == CARD
    assert int(CARD, 16) == 8106606
    assert (int(CARD[2:4], 16), int(CARD[4:], 16)) == (123, 45678)
    assert decode("10000000100000000000000010") == "00010001"
    assert decode(f"{0x208299AFC:034b}") == OTHER


@given(st.integers(1, 2**24 - 1))
def test_26_bits_there_and_back(number: int) -> None:
    assert decode(encode(f"{number:08X}")) == f"{number:08X}"


@given(st.integers(1, 2**32 - 1))
def test_34_bits_there_and_back(number: int) -> None:
    assert decode(encode(f"{number:08X}", 34)) == f"{number:08X}"


def test_bytes_the_other_way_round() -> None:
    assert decode(FC_123_CN_45678, reverse=True) == "006EB27B"
    assert decode(encode(OTHER, 34), reverse=True) == "7ECD1404"


@pytest.mark.parametrize("bits", [FC_123_CN_45678, encode(OTHER, 34)])
def test_a_flipped_a_lost_or_a_surplus_bit_and_swapped_lines_are_no_card(bits: str) -> None:
    for at in range(len(bits)):
        turned = "1" if bits[at] == "0" else "0"
        for broken in (bits[:at] + turned + bits[at + 1 :], bits[:at] + bits[at + 1 :], bits[:at] + turned + bits[at:]):
            with pytest.raises(BadFrame):
                decode(broken)
    with pytest.raises(BadFrame, match="parity"):
        decode(bits.translate({48: 49, 49: 48}))


@pytest.mark.parametrize("bits", ["", "1", "0" * 25 + "1", "0" * 33 + "1", "1" * 37])
def test_what_is_no_card(bits: str) -> None:
    with pytest.raises(BadFrame):
        decode(bits)


@pytest.mark.parametrize(("uid", "length"), [("017BB26E", 26), ("7BB26E", 26), (CARD, 37)])
def test_what_does_not_fit_is_not_sent(uid: str, length: int) -> None:
    with pytest.raises(WrongUse):
        encode(uid, length)


@given(st.text("01", max_size=80))
def test_garbage_never_raises_and_is_not_kept(bits: str) -> None:
    try:
        uid = decode(bits)
    except BadFrame:
        return
    assert encode(uid, len(bits)) == bits


# from pulses to frames


def pulses(bits: str, begin_s: float = 0.0, every_s: float = 0.002) -> list[Pulse]:
    return [Pulse(int(bit), begin_s + number * every_s) for number, bit in enumerate(bits)]


def test_silence_alone_ends_a_frame() -> None:
    two = pulses(FC_123_CN_45678) + pulses("101", 0.05 + SILENCE_S)
    assert frames(two) == [FC_123_CN_45678, "101"]
    assert frames(two[::-1]) == frames(two)  # in whatever order two threads told them
    assert frames(pulses("1011", every_s=SILENCE_S - 0.001)) == ["1011"]
    assert frames([]) == []


def test_pulses_that_come_too_fast_are_no_frame() -> None:
    assert frames(pulses(FC_123_CN_45678, every_s=SOONEST_S / 2)) == [""]


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 10)), max_size=60))
def test_any_pulses_are_frames_of_as_many_bits_at_most(told: list[tuple[int, float]]) -> None:
    assert sum(map(len, frames(Pulse(*each) for each in told))) <= len(told)


# the driver, on mock pins


class Reader(Listener):
    """A reader under test."""

    def __init__(self, settings: WiegandSettings, factory: Any) -> None:
        self.device = WiegandReader("reader", settings, factory, retry=BRISK)
        super().__init__(self.device)

    @property
    def cards(self) -> list[CardRead]:
        return [one for one in self.heard if isinstance(one, CardRead)]

    def until_cards(self, *uids: str) -> None:
        self.until(lambda: [one.uid for one in self.cards] == list(uids))


@contextmanager
def reader(settings: WiegandSettings = WIRED) -> Iterator[tuple[Reader, WiegandLines]]:
    factory = wired_factory()
    lines = WiegandLines(factory.pin(WIRED.d0), factory.pin(WIRED.d1))
    with Reader(settings, factory) as listening:
        listening.until_state(DeviceState.OK)
        yield listening, lines


def test_cards_of_both_lengths() -> None:
    with reader() as (listening, lines):
        lines.hold(CARD)
        listening.until_cards(CARD)
        lines.hold(OTHER, 34)
        listening.until_cards(CARD, OTHER)
        assert [one.technology for one in listening.cards] == ["wiegand-26", "wiegand-34"]


def test_a_card_that_is_said_again_and_again_comes_once() -> None:
    with reader() as (listening, lines):
        for _ in range(5):
            lines.hold(CARD)
            listening.until_cards(CARD)
        lines.hold(OTHER, 34)
        listening.until_cards(CARD, OTHER)


def test_a_frame_whose_second_half_is_told_late_is_a_card_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = threading.Event()

    class Watched(WiegandReader):
        def _frame(self, bits: str) -> bool:
            taken.set()
            return super()._frame(bits)

    monkeypatch.setattr("tests.drivers.readers.test_wiegand.WiegandReader", Watched)
    with reader() as (listening, lines):
        lines.send_half(FC_123_CN_45678)
        assert taken.wait(20)
        lines.send_rest()
        listening.until_cards(CARD)


def test_bytes_are_turned_round_where_that_is_set() -> None:
    with reader(WiegandSettings(d0=20, d1=21, reverse=True)) as (listening, lines):
        lines.hold(CARD)
        listening.until_cards("006EB27B")


def test_lines_that_are_swapped_say_so_until_a_card_is_sound() -> None:
    with reader(WiegandSettings(d0=21, d1=20)) as (listening, lines):
        for _ in range(BAD):
            lines.hold(CARD)
        assert "swapped" in listening.until_state(DeviceState.STALE).detail
        lines.send(FC_123_CN_45678.translate({48: 49, 49: 48}))
        listening.until_cards(CARD)
        assert listening.device.state is DeviceState.OK
        assert listening.device.tally.bad >= BAD


def test_a_line_that_is_held_low_says_so() -> None:
    with reader() as (listening, lines):
        lines.cut_power()
        assert "held low" in listening.until_state(DeviceState.STALE).detail
        lines.restore_power()
        listening.until_state(DeviceState.OK, count=2)
        lines.hold(CARD)
        listening.until_cards(CARD)


def test_a_flood_of_pulses_is_no_card_and_leaves_room_for_one() -> None:
    with reader() as (listening, lines):
        lines.send("01" * MOST * 4, every_s=SOONEST_S / 2)
        lines.hold(CARD)
        listening.until(lambda: bool(listening.cards))
        assert [one.uid for one in listening.cards] == [CARD]


def test_a_pin_that_is_taken_is_lost_until_it_is_free() -> None:
    factory = wired_factory()
    taken = InputDevice(WIRED.d1, pull_up=True, pin_factory=factory)
    with Reader(WIRED, factory) as listening:
        assert listening.until_state(DeviceState.LOST).detail.startswith("pins 20 and 21: ")
        taken.close()
        listening.until_state(DeviceState.OK)
    assert [one.state for one in listening.heard if isinstance(one, DeviceStatus)] == [DeviceState.LOST, DeviceState.OK]
    for pin in (WIRED.d0, WIRED.d1):
        InputDevice(pin, pull_up=True, pin_factory=factory).close()
