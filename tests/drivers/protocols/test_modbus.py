"""Modbus RTU: the transcript of hardware notes 1.7 (Calex PyroUSB, manualshive 3421020 p12), tables of registers, a hostile line.

The sums are made here by hand, apart from pymodbus.
"""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BadFrame
from drivers.protocols.modbus import (
    PYRO_USB,
    SIMULATED,
    ModbusLink,
    ModbusRound,
    Register,
    Registers,
    Status,
    Table,
    decode,
    request,
)
from drivers.protocols.quantity import Quantity
from drivers.readings import DeviceState, Temperature
from tests.drivers.protocols import hostile

TENTHS = Quantity(-40, 300, 10.0)
SILENT_MS, QUIET_MS = 300, 300
SKIN = Temperature(36.6, 24.1)


def crc(data: bytes) -> bytes:
    """MODBUS over Serial Line 1.02, 6.2.2, bit by bit."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value.to_bytes(2, "little")


def answer(*words: int, function: int = 4, address: int = 1) -> bytes:
    head = bytes((address, function, 2 * len(words)))
    body = head + b"".join((word & 0xFFFF).to_bytes(2, "big") for word in words)
    return body + crc(body)


def refusal(code: int, function: int = 4) -> bytes:
    body = bytes((1, function | 0x80, code))
    return body + crc(body)


GOOD = answer(366, 365, 241, 0)
"""What a PyroUSB says from 0x12 on: filtered, unfiltered, sensor, status."""


def asked(now_ms: int = 0) -> ModbusLink:
    link = ModbusLink(now_ms, PYRO_USB)
    assert link.ask(now_ms) == bytes.fromhex("01 04 00 12 00 04") + crc(bytes.fromhex("01 04 00 12 00 04"))
    return link


def recovered(link: ModbusLink) -> bool:
    now_ms = 1_000
    while not link.ask(now_ms):
        now_ms += 50
    return link.feed(GOOD, now_ms) == [SKIN]


def test_the_manuals_transcript() -> None:
    assert request(1, Table.INPUT, 0x12, 1) == bytes.fromhex("01 04 00 12 00 01 91 CF")
    assert decode(bytes.fromhex("01 04 02 01 6E 39 4C")) == b"\x01\x6e"
    link = ModbusLink(0, Registers(Table.INPUT, Register(0x12, TENTHS), room_c=20.0))
    assert link.ask(0) == bytes.fromhex("01 04 00 12 00 01 91 CF")
    assert link.feed(bytes.fromhex("01 04 02 01 6E 39 4C"), 20) == [Temperature(36.6, 20.0)]


def test_a_pyrousb_is_asked_for_one_block_and_answers_with_a_reading() -> None:
    assert asked().feed(GOOD, 20) == [SKIN]


@given(hostile.cuts)
def test_every_split(cuts: list[int]) -> None:
    link = asked()
    assert [each for chunk in hostile.chunks(GOOD, cuts) for each in link.feed(chunk, 1)] == [SKIN]


def test_a_truncated_answer_is_more_to_come_and_then_forgotten() -> None:
    for cut in range(len(GOOD)):
        link = asked()
        assert link.feed(GOOD[:cut], 1) == []
        assert recovered(link)


def test_no_flipped_bit_gives_a_reading_and_the_next_answer_is_read() -> None:
    for broken in hostile.flips(GOOD):
        link = asked()
        assert link.feed(broken, 1) == [], broken.hex(" ")
        assert recovered(link)


def test_a_lost_or_a_surplus_byte_gives_no_other_reading() -> None:
    for broken in (*hostile.losses(GOOD), *hostile.inserts(GOOD, b"\x01")):
        link = asked()
        said = link.feed(broken, 1)
        assert said in ([], [SKIN]), broken.hex(" ")  # a surplus first byte is noise before a whole answer
        assert recovered(link)


@pytest.mark.parametrize("noise", [b"\x00", b"\x01", b"\x01\x04", GOOD[:7], b"\xff" * 20, answer(1, 2), refusal(2)[:4]])
def test_noise_before_an_answer(noise: bytes) -> None:
    assert asked().feed(noise + GOOD, 1) == [SKIN]


@pytest.mark.parametrize(
    "other",
    [
        answer(366, 365, 241, 0, address=2),
        answer(366, 365, 241, 0, function=3),
        answer(366, 365, 241),
        b"\x01\x04\x08" + bytes(10),
    ],
)
def test_the_answer_to_something_else_is_none(other: bytes) -> None:
    link = asked()
    assert link.feed(other, 1) == []
    assert recovered(link)


@given(st.binary(max_size=300), hostile.cuts)
def test_garbage_never_raises_and_is_not_kept(garbage: bytes, cuts: list[int]) -> None:
    link = asked()
    for chunk in hostile.chunks(garbage, cuts):
        link.feed(chunk, 1)
    link.health(60_000)
    assert recovered(link)


@given(st.binary(max_size=40))
def test_any_bytes_with_a_right_sum_are_data_a_refusal_or_our_own_error(body: bytes) -> None:
    try:
        said = decode(body + crc(body))
    except BadFrame:
        return
    assert isinstance(said, (bytes, int))


@pytest.mark.parametrize("bit", range(5))
def test_each_fault_of_the_status_is_no_reading(bit: int) -> None:
    link = asked()
    assert link.feed(answer(366, 365, 241, 1 << bit), 1) == []
    state, why = link.health(3_000)
    assert state is DeviceState.STALE
    assert f"status {1 << bit:#06x}" in why
    assert recovered(link)


def test_a_bit_of_the_status_that_is_no_fault_is_none() -> None:
    assert asked().feed(answer(366, 365, 241, 1 << 8), 1) == [SKIN]


@pytest.mark.parametrize("words", [(-2_732, 0, 241, 0), (0x7FFF, 0, 241, 0), (366, 0, 0x7FFF, 0), (366, 0, -400, 0)])
def test_what_the_sensor_cannot_measure_is_no_reading(words: tuple[int, ...]) -> None:
    link = asked()
    assert link.feed(answer(*words), 1) == []
    assert "the sensor is at fault" in link.health(3_000)[1]


@pytest.mark.parametrize(
    ("code", "words"), [(1, "no such function"), (2, "no such register"), (4, "it failed"), (9, "see its manual")]
)
def test_a_refusal_is_told_in_words(code: int, words: str) -> None:
    link = asked()
    assert link.feed(refusal(code), 1) == []
    assert words in link.health(3_000)[1]
    assert recovered(link)


def test_the_reason_is_the_one_of_now_and_not_the_first() -> None:
    link = asked()
    link.feed(refusal(4), 1)
    assert link.health(3_000)[1].endswith("it failed; nothing has come since")
    for now_ms in range(700, 3_000, 700):  # so long is it quiet before it asks again
        link.ask(now_ms)
        link.feed(b"\x01\x04\x08" + bytes(10), now_ms + 1)
    why = link.health(3_000)[1]
    assert "exception 4" not in why and "bytes came that are no frame of this model, 2 of them like one" in why
    link.ask(3_500)
    link.feed(refusal(2), 3_501)
    assert "no such register" in link.health(3_502)[1]


# tables of registers


def test_registers_far_apart_or_asked_for_apart_are_questions_of_their_own() -> None:
    near = Registers(Table.INPUT, Register(0, TENTHS), Register(10, TENTHS))
    assert [each.sent[2:6].hex() for each in ModbusRound(near, 1).questions] == ["0000000b"]
    far = Registers(Table.INPUT, Register(0, TENTHS), Register(1_000, TENTHS))
    assert [each.sent[2:6].hex() for each in ModbusRound(far, 1).questions] == ["00000001", "03e80001"]
    apart = Registers(Table.HOLDING, Register(4, TENTHS), Register(6, TENTHS), Status(5, 1), apart=True)
    assert [each.sent[:6].hex() for each in ModbusRound(apart, 9).questions] == [
        "090300040001",
        "090300050001",
        "090300060001",
    ]


def words_of(number: float) -> tuple[int, int]:
    high, low = struct.unpack(">HH", struct.pack(">f", number))
    return high, low


def test_floats_with_the_high_word_first() -> None:
    link = ModbusLink(0, SIMULATED)
    link.ask(0)
    assert link.feed(answer(*words_of(36.6), *words_of(24.5), 0, function=3), 1) == [Temperature(36.6, 24.5)]


def test_floats_with_the_low_word_first() -> None:
    number = Quantity(-40, 300, 1.0, size=4, is_float=True)
    link = ModbusLink(0, Registers(Table.HOLDING, Register(0, number, low_first=True)))
    link.ask(0)
    assert link.feed(answer(*reversed(words_of(36.6)), function=3), 1) == [Temperature(36.6, None)]


def test_a_float_that_is_no_number_is_a_fault() -> None:
    link = ModbusLink(0, SIMULATED)
    link.ask(0)
    assert link.feed(answer(0x7FC0, 0, *words_of(24.5), 0, function=3), 1) == []
    assert "no number: 7f c0 00 00" in link.health(3_000)[1]
