"""GY-MCU90640: the frame and commands of hardware notes 1.4, the patch that a person is measured by, and a hostile line."""

import random
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import BadFrame, WrongUse
from drivers.protocols.frames import FrameReader
from drivers.protocols.gy_mcu90640 import (
    AUTOMATIC,
    BROKEN,
    FRAME,
    HOST_FRAME,
    LENGTH,
    PIXELS,
    WIDTH,
    Group,
    GyMcu90640Link,
    Picture,
    Setting,
    command,
    decode,
    decode_command,
    decode_picture,
    encode,
    measure,
    warmest,
)
from drivers.protocols.infrared import MEASURE_MS, SensorFault
from drivers.readings import DeviceState, Temperature
from drivers.serial_device import PROBE_MS
from tests.drivers.protocols import hostile

# hardware notes 1.4: every pixel 30.00 (B8 0B), ambient 27.50 (BE 0A), trailer 1A 93
MANUAL = bytes.fromhex("5A 5A 02 06" + "B8 0B" * PIXELS + "BE 0A" + "1A 93")
THIRTY = Temperature(30.0, 27.5)
COMMANDS = [
    ("A5 15 01 BB", Setting(Group.BAUD, 1)),
    ("A5 15 02 BC", Setting(Group.BAUD, 2)),
    ("A5 15 03 BD", Setting(Group.BAUD, 3)),
    ("A5 35 01 DB", Setting(Group.OUTPUT, 1)),
    ("A5 35 02 DC", AUTOMATIC),
    ("A5 25 00 CA", Setting(Group.RATE, 0)),
    ("A5 25 04 CE", Setting(Group.RATE, 4)),
]


def picture(parts: Mapping[tuple[int, int], float], room_c: float = 24.0) -> Picture:
    pixels = [room_c] * PIXELS
    for (row, column), celsius in parts.items():
        pixels[row * WIDTH + column] = celsius
    return Picture(pixels, 26.0)


def patch(row: int, column: int, celsius: float, size: int = 3) -> dict[tuple[int, int], float]:
    return {(row + down, column + right): celsius for down in range(size) for right in range(size)}


def test_the_manuals_frame() -> None:
    assert FrameReader(FRAME).feed(MANUAL) == [THIRTY]
    assert decode_picture(MANUAL) == Picture([30.0] * PIXELS, 27.5)
    assert encode(Picture([30.0] * PIXELS, 27.5)) == MANUAL


@pytest.mark.parametrize(("frame", "asked"), COMMANDS)
def test_the_manuals_commands(frame: str, asked: Setting) -> None:
    assert command(asked) == bytes.fromhex(frame)
    assert decode_command(bytes.fromhex(frame)) == asked


@pytest.mark.parametrize("frame", ["A5 36 01 DC", "A5 35 01 DC"])
def test_what_is_no_command(frame: str) -> None:
    with pytest.raises(BadFrame):
        decode_command(bytes.fromhex(frame))


def test_every_split() -> None:
    inside = range(32, LENGTH - 32, 7)  # pixels, one like the other
    for cut in (*range(32), *inside, *range(LENGTH - 32, LENGTH + 1)):
        stream = FrameReader(FRAME)
        assert stream.feed(MANUAL[:cut]) + stream.feed(MANUAL[cut:]) == [THIRTY]
        assert (stream.bad, stream.noise, stream.pending) == (0, 0, 0)


def test_no_flipped_bit_gives_a_reading_and_the_next_frame_is_read() -> None:
    for number, broken in enumerate(hostile.flips(MANUAL)):
        if number % 127 == 0 or number < 64 or number > 8 * (LENGTH - 6):
            assert set(FrameReader(FRAME).feed(broken + MANUAL)) == {THIRTY}


def test_after_a_lost_or_a_surplus_byte_the_next_frame_is_read() -> None:
    for at in (0, 1, 3, 4, 700, LENGTH - 1):
        for broken in (MANUAL[:at] + MANUAL[at + 1 :], MANUAL[:at] + b"\x77" + MANUAL[at:]):
            assert FrameReader(FRAME).feed(broken + MANUAL * 2)[-1] == THIRTY


@given(garbage=st.binary(max_size=4_000), cuts=hostile.cuts)
@settings(max_examples=50)
def test_garbage_never_raises_and_is_not_kept(garbage: bytes, cuts: list[int]) -> None:
    stream, link = FrameReader(FRAME), GyMcu90640Link(0)
    for chunk in hostile.chunks(garbage, cuts):
        stream.feed(chunk)
        link.feed(chunk, 1)
        assert stream.pending < LENGTH
    assert stream.good * LENGTH + stream.noise + stream.pending == len(garbage)
    assert stream.feed(bytes(LENGTH) + MANUAL)[-1] == THIRTY


@pytest.mark.parametrize("storm", [*hostile.STORMS, MANUAL[:4] * 12_500], ids=lambda storm: storm[:4].hex())
def test_a_storm_leaves_room_for_the_next_frame(storm: bytes) -> None:
    stream = FrameReader(FRAME)
    assert stream.feed(storm) == []
    assert stream.feed(MANUAL * 2)[-1] == THIRTY


@given(st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_any_pixels_are_a_reading_or_a_fault_and_a_reading_is_what_the_picture_has(seed: int) -> None:
    shaken = random.Random(seed)
    pixels = [shaken.choice((24.0, 30.0, 36.0, 60.0, 320.0, -200.0)) + shaken.random() for _ in range(PIXELS)]
    said = decode(encode(Picture(pixels, 25.0)))
    if isinstance(said, Temperature):
        assert -40 <= said.object_c <= 300
    few = [value if -40 <= value <= 300 else 24.0 for value in pixels]
    said = decode(encode(Picture(few, 25.0)))
    assert isinstance(said, Temperature)
    assert min(few) - 0.01 <= said.object_c <= max(few) + 0.01


# the patch


def test_a_face_is_measured_by_its_hottest_patch() -> None:
    assert measure(picture(patch(8, 10, 34.0, 6) | patch(9, 12, 36.5))) == Temperature(36.5, 26.0)


def test_nobody_there_is_the_room() -> None:
    assert measure(picture({})) == Temperature(24.0, 26.0)
    assert warmest(picture({})) is None


def test_a_lamp_is_nobody_and_does_not_hide_a_face() -> None:
    lamp = patch(2, 2, 41.0, 5) | patch(3, 3, 80.0)  # its blurred edge is as warm as a fever
    assert measure(picture(lamp)) == Temperature(24.0, 26.0)
    assert measure(picture(lamp | patch(14, 20, 35.8, 5))) == Temperature(35.8, 26.0)


def test_a_steep_edge_is_no_skin() -> None:
    edge = {(row, column): 28.0 + 4 * (column - 10) for row in range(5, 9) for column in range(10, 14)}
    assert warmest(picture(edge)) is None


@pytest.mark.parametrize("broken_c", [38.0, 300.0, -40.0, 320.0, -200.0])
def test_one_broken_pixel_makes_no_fever_and_hides_no_face(broken_c: float) -> None:
    assert measure(picture({(5, 5): broken_c})) == Temperature(24.0, 26.0)
    face = patch(8, 8, 36.2, 9) | {(10, 10): broken_c}
    said = measure(picture(face))
    assert isinstance(said, Temperature)
    assert 36.19 <= said.object_c <= 36.41


def test_a_picture_with_too_many_broken_pixels_is_a_fault() -> None:
    few = {(row, 5): 320.0 for row in range(BROKEN)}
    assert isinstance(measure(picture(few)), Temperature)
    said = measure(picture(few | {(20, 20): -300.0}))
    assert isinstance(said, SensorFault)
    assert str(said) == "the sensor is at fault, it says: 5 of 768 pixels are broken"


def test_a_picture_of_nothing_but_noise_as_warm_as_skin_is_a_fault() -> None:
    checkered = {(row, column): 29.0 if (row + column) % 2 else 42.0 for row in range(24) for column in range(32)}
    assert isinstance(measure(picture(checkered)), SensorFault)


def test_a_sensor_that_says_nonsense_of_itself_is_a_fault() -> None:
    assert isinstance(measure(Picture([30.0] * PIXELS, 200.0)), SensorFault)


def test_skin_that_fills_the_picture_is_measured() -> None:
    assert measure(picture({}, room_c=36.4)) == Temperature(36.4, 26.0)


def test_what_is_no_picture_is_not_sent() -> None:
    with pytest.raises(WrongUse, match="768"):
        encode(Picture([30.0], 20.0))
    with pytest.raises(WrongUse):
        encode(Picture([400.0] * PIXELS, 20.0))


# the link


def fed(link: GyMcu90640Link, every_ms: int, from_ms: int, until_ms: int) -> list[bytes]:
    """Frames at this pace; what the host sent meanwhile."""
    sent = []
    for now_ms in range(from_ms, until_ms, every_ms):
        link.feed(MANUAL, now_ms)
        sent.append(link.ask(now_ms))
    return [each for each in sent if each]


def test_a_camera_that_is_too_slow_to_measure_by_is_told_to_be_faster_twice_at_most() -> None:
    sent = fed(GyMcu90640Link(0), 1_000, 0, 30_000)
    assert sent == [command(Setting(Group.RATE, 3)), command(Setting(Group.RATE, 2))]
    assert all(HOST_FRAME.decode(each) for each in sent)


def test_a_camera_that_is_fast_enough_is_left_as_it_is() -> None:
    assert fed(GyMcu90640Link(0), 250, 0, 10 * MEASURE_MS) == []


def test_one_that_became_fast_enough_is_left_as_it_is() -> None:
    link = GyMcu90640Link(0)
    assert len(fed(link, 1_000, 0, 3_500)) == 1
    assert fed(link, 250, 4_000, 20_000) == []


def test_health() -> None:
    link = GyMcu90640Link(0)
    assert PROBE_MS * len(link.bauds) < 3_000
    assert link.health(3_000) == (DeviceState.STALE, "no reading for 3 s: nothing came")
    assert link.feed(MANUAL, 4_000) == [THIRTY]
    assert link.health(4_999)[0] is DeviceState.OK
