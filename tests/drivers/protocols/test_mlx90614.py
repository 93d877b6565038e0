"""MLX90614: the words and PECs of hardware notes 1.8, and everything that a bus can do to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BadFrame, WrongUse
from drivers.protocols.mlx90614 import ADDRESS, AMBIENT, ERROR, OBJECT, Mlx90614Link, crc8, decode, encode, pec
from drivers.readings import DeviceState, Temperature
from tests.drivers.protocols import hostile

OBJECT_ANSWER = bytes.fromhex("80 3C 04")  # raw 3C80
ROOM_ANSWER = encode(AMBIENT, 25.01)
SKIN = Temperature(36.61, 25.01)


def test_the_notes_words() -> None:
    assert crc8(bytes.fromhex("B4 07 B5 D2 3A")) == 0x30
    assert crc8(bytes.fromhex("B4 22 07 C8")) == 0x48  # a write to the EEPROM
    assert decode(OBJECT, bytes.fromhex("D2 3A 30")) == 28.01
    assert decode(OBJECT, OBJECT_ANSWER) == 36.61
    assert encode(OBJECT, 36.61) == OBJECT_ANSWER


def test_what_is_asked() -> None:
    assert Mlx90614Link.reads == ((b"\x07", 3), (b"\x06", 3))


def test_no_flipped_bit_gives_a_reading() -> None:
    for broken in hostile.flips(OBJECT_ANSWER):
        with pytest.raises(BadFrame):
            decode(OBJECT, broken)
        assert Mlx90614Link(0).take([broken, ROOM_ANSWER], 0) == []


def test_the_answer_of_another_register_or_address_has_another_pec() -> None:
    with pytest.raises(BadFrame):
        decode(AMBIENT, OBJECT_ANSWER)
    with pytest.raises(BadFrame):
        decode(OBJECT, OBJECT_ANSWER, address=0x5B)


@pytest.mark.parametrize("stuck", [b"\x00" * 3, b"\xff" * 3, b"", OBJECT_ANSWER[:2], OBJECT_ANSWER + b"\x00"])
def test_a_bus_that_is_stuck_or_an_answer_of_another_length_is_none(stuck: bytes) -> None:
    with pytest.raises(BadFrame):
        decode(OBJECT, stuck)


@given(st.lists(st.binary(max_size=5), max_size=4))
def test_garbage_never_raises_and_is_not_kept(answers: list[bytes]) -> None:
    link = Mlx90614Link(0)
    for reading in link.take(answers, 0):
        assert -70 <= reading.object_c <= 382
    link.health(60_000)
    assert link.take([OBJECT_ANSWER, ROOM_ANSWER], 1) == [SKIN]


@given(st.binary(min_size=2, max_size=2))
def test_any_word_with_a_right_pec_is_a_temperature_or_an_error(word: bytes) -> None:
    celsius = decode(OBJECT, word + bytes((pec(ADDRESS, OBJECT, word),)))
    assert (celsius is None) == bool(word[1] & ERROR)


def test_the_error_bit_is_no_reading_and_is_named() -> None:
    word = bytes((0x80, 0x3C | ERROR))
    link = Mlx90614Link(0)
    assert link.take([word + bytes((pec(ADDRESS, OBJECT, word),)), ROOM_ANSWER], 1_500) == []
    assert link.health(2_000) == (
        DeviceState.STALE,
        "no reading for 2 s: the sensor is at fault, it says: its error bit is set",
    )


@pytest.mark.parametrize(("object_c", "ambient_c"), [(-80.0, 25.0), (36.6, -50.0), (36.6, 130.0)])
def test_what_the_sensor_cannot_measure_is_no_reading(object_c: float, ambient_c: float) -> None:
    link = Mlx90614Link(0)
    assert link.take([encode(OBJECT, object_c), encode(AMBIENT, ambient_c)], 0) == []
    assert "the sensor is at fault" in link.health(2_000)[1]


def test_what_no_word_holds_is_not_sent() -> None:
    for celsius in (-274.0, 400.0):
        with pytest.raises(WrongUse):
            encode(OBJECT, celsius)


def test_health() -> None:
    link = Mlx90614Link(0)
    assert link.health(1_999)[0] is DeviceState.STARTING
    assert link.take([OBJECT_ANSWER, ROOM_ANSWER], 2_000) == [SKIN]
    assert link.health(2_999)[0] is DeviceState.OK
    assert link.take([bytes(3), bytes(3)], 3_000) == []
    assert link.health(3_000)[0] is DeviceState.STALE
    assert (link.count.good, link.count.bad) == (1, 1)
