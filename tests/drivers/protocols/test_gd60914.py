"""GD60914: the questions and the seven characters of hardware notes 1.5, and everything that a line can do to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BadFrame, WrongUse
from drivers.protocols.gd60914 import Asked, Gd60914Link, decode, encode
from drivers.readings import DeviceState, Temperature
from tests.drivers.protocols import hostile

GOOD = b"    365"
SILENT_MS, QUIET_MS = 800, 100


def asked(room_c: float | None = 22.0, what: Asked = Asked.FOREHEAD) -> Gd60914Link:
    link = Gd60914Link(0, what, room_c)
    assert link.ask(0) == bytes((what,))
    return link


def recovered(link: Gd60914Link, now_ms: int) -> bool:
    """Whether the next good answer is read, once the line was quiet."""
    link.ask(now_ms + SILENT_MS)
    assert link.ask(now_ms + SILENT_MS + QUIET_MS)
    return link.feed(GOOD, now_ms + SILENT_MS + QUIET_MS) == [Temperature(36.5, 22.0, 36.5)]


def test_what_is_sent_is_what_the_notes_say_and_no_calibration() -> None:
    assert Gd60914Link.greeting == b"\xa1"
    assert {each.name: int(each) for each in Asked} == {"OBJECT": 0xAA, "FOREHEAD": 0xAB, "WRIST": 0xAC}


@pytest.mark.parametrize(
    ("answer", "celsius"),
    [(b"    365", 36.5), (b"0000365", 36.5), (b"365\r\n  ", 36.5), (b"  365\r\n", 36.5), (b"    -50", -5.0)],
)
def test_seven_characters_of_tenths(answer: bytes, celsius: float) -> None:
    assert decode(answer) == celsius
    assert decode(encode(celsius)) == celsius


@pytest.mark.parametrize(
    "answer",
    [b"", b"365", b"   36 5", b"   36.5", b"       ", b"    3 65", b"3    65", b"   -  5", b"\xff" * 7, b"    36\xb5"],
)
def test_what_is_no_answer(answer: bytes) -> None:
    with pytest.raises(BadFrame):
        decode(answer)


def test_what_seven_characters_cannot_hold_is_not_sent() -> None:
    with pytest.raises(WrongUse):
        encode(1e6)


def test_the_forehead_is_a_body_value_and_the_object_is_none() -> None:
    assert asked().feed(GOOD, 5) == [Temperature(36.5, 22.0, 36.5)]
    assert asked(what=Asked.WRIST).feed(GOOD, 5) == [Temperature(36.5, 22.0, 36.5)]
    assert asked(what=Asked.OBJECT).feed(GOOD, 5) == [Temperature(36.5, 22.0)]


def test_without_somebody_who_vouches_for_the_room_it_has_none() -> None:
    assert asked(room_c=None).feed(GOOD, 5) == [Temperature(36.5, None, 36.5)]


@given(hostile.cuts)
def test_every_split(cuts: list[int]) -> None:
    link = asked()
    said = [reading for chunk in hostile.chunks(GOOD, cuts) for reading in link.feed(chunk, 1)]
    assert said == [Temperature(36.5, 22.0, 36.5)]


def test_a_truncated_answer_is_more_to_come_and_then_forgotten() -> None:
    for cut in range(len(GOOD)):
        link = asked()
        assert link.feed(GOOD[:cut], 1) == []
        assert recovered(link, 0)


def test_a_lost_or_a_surplus_byte_is_no_reading_of_a_body() -> None:
    for broken in (*hostile.losses(GOOD), *hostile.inserts(GOOD, b"7"), *hostile.inserts(GOOD, b"\x00"), b"7" + GOOD):
        link = asked()
        said = link.feed(broken, 1)
        assert said == [], broken
        assert recovered(link, 0)


def test_a_flipped_bit_is_a_number_of_the_wire_or_nothing() -> None:
    """There is no checksum: what is one digit off is for the spread of several samples to find."""
    for broken in hostile.flips(GOOD):
        for reading in asked().feed(broken, 1):
            assert reading.object_c == decode(broken)


@pytest.mark.parametrize("answer", [b"0000000", b"   9999", b"    -10", b"9999999"])
def test_what_a_failed_measurement_would_say_is_a_fault(answer: bytes) -> None:
    link = asked()
    assert link.feed(answer, 1) == []
    state, why = link.health(3_000)
    assert state is DeviceState.STALE
    assert "the sensor is at fault, it says" in why


def test_what_comes_unasked_is_noise() -> None:
    link = Gd60914Link(0)
    assert link.feed(GOOD, 0) == []
    assert link.count.noise == len(GOOD)


@given(st.binary(max_size=300), hostile.cuts)
def test_garbage_never_raises_and_is_not_kept(garbage: bytes, cuts: list[int]) -> None:
    link = asked()
    for chunk in hostile.chunks(garbage, cuts):
        for reading in link.feed(chunk, 1):
            assert 1.0 <= reading.object_c <= 99.9
    link.health(60_000)
    now_ms = 1_000
    while not link.ask(now_ms):
        now_ms += 50
    assert link.feed(GOOD, now_ms) == [Temperature(36.5, 22.0, 36.5)]


def test_health_says_what_came() -> None:
    link = asked()
    assert link.health(2_999)[0] is DeviceState.STARTING
    assert link.health(3_000) == (DeviceState.STALE, "no reading for 3 s: nothing came")
    link.feed(b"hello, world", 3_000)
    assert "12 bytes came that are no frame of this model" in link.health(3_100)[1]
