"""GY-MCU90615: the verified frames of hardware notes 1.1, and everything that a line can do to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BadFrame, WrongUse
from drivers.protocols.frames import FrameReader
from drivers.protocols.gy_mcu90615 import (
    FIRST_MS,
    HOST_FRAME,
    MODULE_FRAME,
    STALE_MS,
    Command,
    GyMcu90615Link,
    SensorFault,
    command,
    decode,
    decode_command,
    encode,
)
from drivers.readings import DeviceState, Temperature
from tests.drivers.protocols import hostile

FRAMES = [
    ("5A 5A 45 04 0C 78 0D 19 A7", 31.92, 33.53),
    ("5A 5A 45 04 0E 47 0A FA 56", 36.55, 28.10),
    ("5A 5A 45 04 0E B0 09 92 56", 37.60, 24.50),
    ("5A 5A 45 04 FE 0C FC 18 1B", -5.00, -10.00),
]
COMMANDS = [
    ("A5 45 EA", Command.STREAM),
    ("A5 15 BA", Command.ONCE),
    ("A5 AE 53", Command.BAUD_9600),
    ("A5 AF 54", Command.BAUD_115200),
    ("A5 51 F6", Command.AUTOMATIC_ON),
    ("A5 52 F7", Command.AUTOMATIC_OFF),
]
FRAME = bytes.fromhex(FRAMES[1][0])
SKIN = Temperature(36.55, 28.10)


def reader() -> FrameReader[Temperature | SensorFault]:
    return FrameReader(MODULE_FRAME)


def link(at_ms: int = 0) -> GyMcu90615Link:
    return GyMcu90615Link(at_ms)


@pytest.mark.parametrize(("frame", "object_c", "ambient_c"), FRAMES)
def test_the_manuals_frames(frame: str, object_c: float, ambient_c: float) -> None:
    assert reader().feed(bytes.fromhex(frame)) == [Temperature(object_c, ambient_c)]
    assert encode(object_c, ambient_c) == bytes.fromhex(frame)


@pytest.mark.parametrize(("frame", "asked"), COMMANDS)
def test_the_manuals_commands(frame: str, asked: Command) -> None:
    assert command(asked) == bytes.fromhex(frame)
    assert decode_command(bytes.fromhex(frame)) is asked


@pytest.mark.parametrize("frame", ["A5 45 EB", "A5 46 EB"])
def test_what_is_no_command(frame: str) -> None:
    with pytest.raises(BadFrame):
        decode_command(bytes.fromhex(frame))


@pytest.mark.parametrize("cut", range(1, len(FRAME)))
def test_half_a_frame_is_neither_a_reading_nor_bad(cut: int) -> None:
    stream = reader()
    assert stream.feed(FRAME[:cut]) == []
    assert (stream.bad, stream.noise, stream.pending) == (0, 0, cut)
    assert stream.feed(FRAME[cut:]) == [SKIN]
    assert stream.pending == 0


def test_a_wrong_sum_is_bad_and_not_half_a_frame() -> None:
    stream = reader()
    assert stream.feed(FRAME[:-1] + b"\x00") == []
    assert stream.bad == 1
    assert stream.pending == 0


def test_two_frames_at_once() -> None:
    assert reader().feed(FRAME * 2) == [SKIN, SKIN]


@pytest.mark.parametrize("noise", [b"\x5a", b"\x5a\x5a", b"\x5a\x5a\x45", b"\x5a\x5a\x45\x04", b"\x00\xff", FRAME[:7]])
def test_noise_before_a_frame(noise: bytes) -> None:
    stream = reader()
    assert stream.feed(noise + FRAME) == [SKIN]
    assert stream.noise == len(noise)


def test_no_flipped_bit_gives_a_reading() -> None:
    for broken in hostile.flips(FRAME):
        assert reader().feed(broken) == []


def test_after_a_lost_or_a_surplus_byte_the_next_frame_is_read() -> None:
    for broken in (*hostile.losses(FRAME), *hostile.inserts(FRAME, b"\x77")):
        assert reader().feed(broken + FRAME) == [SKIN], broken.hex(" ")


def test_a_true_frame_inside_a_false_one() -> None:
    assert reader().feed(FRAME[:4] + FRAME) == [SKIN]


@given(st.binary(max_size=300), hostile.cuts)
def test_garbage_never_raises_and_is_not_kept(garbage: bytes, cuts: list[int]) -> None:
    stream = reader()
    for chunk in hostile.chunks(garbage, cuts):
        stream.feed(chunk)
        assert stream.pending < MODULE_FRAME.length
    assert stream.good * MODULE_FRAME.length + stream.noise + stream.pending == len(garbage)


@pytest.mark.parametrize("storm", hostile.STORMS, ids=lambda storm: storm[:4].hex())
def test_a_storm_leaves_room_for_the_next_frame(storm: bytes) -> None:
    stream = reader()
    assert stream.feed(storm) == []
    assert stream.pending < MODULE_FRAME.length
    assert stream.feed(FRAME * 2)[-1] == SKIN


@given(st.lists(st.tuples(st.integers(-4000, 11500), st.integers(-4000, 8500)), max_size=8), hostile.cuts)
def test_what_was_sent_is_read_however_it_was_cut(values: list[tuple[int, int]], cuts: list[int]) -> None:
    sent = [Temperature(object_c / 100, ambient_c / 100) for object_c, ambient_c in values]
    data = b"".join(encode(each.object_c, each.ambient_c) for each in sent)
    stream = reader()
    assert [message for chunk in hostile.chunks(data, cuts) for message in stream.feed(chunk)] == sent


@pytest.mark.parametrize(
    ("object_c", "ambient_c"), [(115.01, 25), (-40.01, 25), (36, 85.01), (36, -40.01), (327.67, 25)]
)
def test_what_the_sensor_cannot_measure_is_a_fault(object_c: float, ambient_c: float) -> None:
    assert decode(encode(object_c, ambient_c)) == SensorFault(object_c, ambient_c)


@pytest.mark.parametrize(("object_c", "ambient_c"), [(115, 85), (-40, -40)])
def test_the_limits_themselves_are_readings(object_c: float, ambient_c: float) -> None:
    assert decode(encode(object_c, ambient_c)) == Temperature(object_c, ambient_c)


def test_what_no_frame_holds_is_not_sent() -> None:
    with pytest.raises(WrongUse, match=r"327\.67"):
        encode(400, 20)


def test_a_connection_is_well_from_its_first_reading_until_a_second_without_one() -> None:
    connection = link()
    assert connection.health(FIRST_MS - 1)[0] is DeviceState.STARTING
    assert connection.feed(FRAME, 500) == [SKIN]
    assert connection.health(500 + STALE_MS - 1)[0] is DeviceState.OK
    state, why = connection.health(500 + STALE_MS)
    assert state is DeviceState.STALE
    assert why == "no reading for 1 s: nothing comes any more (1 frames had come)"
    connection.feed(FRAME, 2_000)
    assert connection.health(2_000) == (DeviceState.OK, "")


def test_a_connection_that_says_nothing() -> None:
    assert link(100).health(100 + FIRST_MS) == (DeviceState.STALE, "no reading for 2 s: nothing came")


def test_a_connection_that_speaks_garbage() -> None:
    connection = link()
    connection.feed(b"hello, world", 100)
    assert "12 bytes came that are no frame" in connection.health(FIRST_MS)[1]


def test_a_sensor_at_fault_gives_no_reading_and_is_named() -> None:
    connection = link()
    connection.feed(FRAME, 0)
    assert connection.feed(encode(327.67, 25), 100) == []
    state, why = connection.health(STALE_MS)
    assert state is DeviceState.STALE
    assert "the sensor is at fault, it says 327.67 °C" in why


def test_host_frames_are_read_from_a_stream_too() -> None:
    host = FrameReader(HOST_FRAME)
    assert host.feed(b"\xa5\xa5" + command(Command.STREAM) + b"\x00\xa5") == [Command.STREAM]
    assert host.feed(command(Command.ONCE)[1:]) == [Command.ONCE]
