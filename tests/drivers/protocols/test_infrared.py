"""Every thermometer that streams: the notes' frames, and everything that a line can do to them."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import BadFrame, WrongUse
from drivers.protocols import cjmcu_90614, gy_614v, gy_mcu90615
from drivers.protocols.cjmcu_90614 import Cjmcu90614Link
from drivers.protocols.frames import Frame, FrameReader
from drivers.protocols.gy_614v import Gy614vLink, Register, Write
from drivers.protocols.gy_mcu90615 import GyMcu90614Link, GyMcu90615Link
from drivers.protocols.infrared import SensorFault, StreamLink
from drivers.readings import DeviceState, Temperature
from drivers.serial_device import PROBE_MS
from tests.drivers.protocols import hostile


@dataclass(frozen=True)
class Case:
    """A model: its link, frames of its manual with what they say, how its module makes them, and its steps a degree."""

    link: type[StreamLink]
    frames: list[tuple[str, Temperature]]
    encode: Callable[[float, float], bytes]
    steps: int = 100

    @property
    def good(self) -> bytes:
        return bytes.fromhex(self.frames[0][0])

    @property
    def reading(self) -> Temperature:
        return self.frames[0][1]


def body_frame(object_c: float, ambient_c: float) -> bytes:
    return gy_614v.encode(object_c, ambient_c, object_c + 1)


CASES = {
    "gy-mcu90615": Case(  # hardware notes 1.1
        GyMcu90615Link, [("5A 5A 45 04 0E 47 0A FA 56", Temperature(36.55, 28.10))], gy_mcu90615.encode
    ),
    "gy-mcu90614": Case(  # hardware notes 1.1
        GyMcu90614Link,
        [
            ("5A 5A 45 04 0E B0 09 92 56", Temperature(37.60, 24.50)),
            ("5A 5A 45 04 FE 0C FC 18 1B", Temperature(-5.00, -10.00)),
        ],
        gy_mcu90615.encode,
    ),
    "cjmcu-90614": Case(  # hardware notes 1.2; the second is a capture
        Cjmcu90614Link,
        [
            ("66 66 01 04 0E 47 0A FA 59", Temperature(36.55, 28.10)),
            ("66 66 01 04 0A 83 0A 83 1A", Temperature(26.91, 26.91)),
        ],
        cjmcu_90614.encode,
    ),
    "gy-614v": Case(  # hardware notes 1.3
        Gy614vLink, [("A4 03 07 07 62 0D C0 0A 32 0E 44 72", Temperature(35.20, 26.10, 36.52))], body_frame
    ),
}
each_model = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def reader(case: Case) -> FrameReader[Temperature | SensorFault]:
    return FrameReader(case.link.frame)


@each_model
def test_the_notes_frames(case: Case) -> None:
    for frame, reading in case.frames:
        assert reader(case).feed(bytes.fromhex(frame)) == [reading]


@each_model
def test_every_split_of_two_frames(case: Case) -> None:
    data = case.good * 2
    for first in range(len(data) + 1):
        for second in range(first, len(data) + 1):
            stream = reader(case)
            pieces = (data[:first], data[first:second], data[second:])
            assert [message for piece in pieces for message in stream.feed(piece)] == [case.reading] * 2
            assert (stream.bad, stream.noise, stream.pending) == (0, 0, 0)


@each_model
def test_half_a_frame_is_more_to_come(case: Case) -> None:
    for cut in range(1, len(case.good)):
        stream = reader(case)
        assert stream.feed(case.good[:cut]) == []
        assert (stream.bad, stream.pending) == (0, cut)


@each_model
def test_no_flipped_bit_gives_another_reading_and_the_next_frame_is_read(case: Case) -> None:
    for broken in hostile.flips(case.good):
        said = reader(case).feed(broken + case.good * 2)
        assert set(said) == {case.reading}, broken.hex(" ")


@each_model
def test_after_a_lost_or_a_surplus_byte_the_next_frame_is_read(case: Case) -> None:
    for broken in (*hostile.losses(case.good), *hostile.inserts(case.good, b"\x77")):
        assert reader(case).feed(broken + case.good * 2)[-1] == case.reading, broken.hex(" ")


@each_model
@given(garbage=st.binary(max_size=300), cuts=hostile.cuts)
def test_garbage_never_raises_and_is_not_kept(case: Case, garbage: bytes, cuts: list[int]) -> None:
    stream, link = reader(case), case.link(0)
    for chunk in hostile.chunks(garbage, cuts):
        stream.feed(chunk)
        link.feed(chunk, 1)
        assert stream.pending < case.link.frame.length
    assert stream.good * case.link.frame.length + stream.noise + stream.pending == len(garbage)
    link.health(60_000)
    assert link.feed(bytes(case.link.frame.length) + case.good, 2)[-1:] == [case.reading]


@each_model
@pytest.mark.parametrize(
    "storm", [*hostile.STORMS, b"\xa4\x03\x07\x07" * 12_500, b"\x66" * 50_000], ids=lambda storm: storm[:4].hex()
)
def test_a_storm_leaves_room_for_the_next_frame(case: Case, storm: bytes) -> None:
    stream = reader(case)
    stream.feed(storm)
    assert stream.pending < case.link.frame.length
    assert stream.feed(case.good * 2)[-1] == case.reading


@each_model
@settings(max_examples=50)
@given(values=st.lists(st.tuples(st.integers(-4000, 11500), st.integers(-4000, 8500)), max_size=8), cuts=hostile.cuts)
def test_what_was_sent_is_read_however_it_was_cut(case: Case, values: list[tuple[int, int]], cuts: list[int]) -> None:
    sent = [(object_c / case.steps, ambient_c / case.steps) for object_c, ambient_c in values]
    data = b"".join(case.encode(*each) for each in sent)
    stream = reader(case)
    said = [message for chunk in hostile.chunks(data, cuts) for message in stream.feed(chunk)]
    assert [(each.object_c, each.ambient_c) for each in said] == sent


@each_model
def test_what_the_sensor_cannot_measure_is_a_fault_that_is_named_and_no_reading(case: Case) -> None:
    link = case.link(0)
    assert link.feed(case.good, 0) == [case.reading]
    assert link.feed(case.encode(-90, 25), 100) == []
    assert link.feed(case.encode(25, 200), 200) == []
    state, why = link.health(2_000)
    assert state is DeviceState.STALE
    assert "the sensor is at fault, it says" in why


@each_model
def test_health_from_silence_to_a_reading_and_back(case: Case) -> None:
    link = case.link(0)
    assert link.health(case.link.first_ms - 1)[0] is DeviceState.STARTING
    assert link.health(case.link.first_ms) == (
        DeviceState.STALE,
        f"no reading for {case.link.first_ms / 1000:g} s: nothing came",
    )
    link.feed(case.good, 10_000)
    assert link.health(10_999)[0] is DeviceState.OK
    assert link.health(11_000)[0] is DeviceState.STALE


@each_model
def test_a_wire_that_comes_loose_is_told_from_one_that_is_cut(case: Case) -> None:
    link = case.link(0)
    link.feed(b"\x55" * 7 + case.good, 500)
    assert link.health(1_500)[1] == "no reading for 1 s: nothing comes any more (1 frames had come)"
    link.feed(b"\x55" * 300, 1_600)
    noise = "300 bytes came that are no frame of this model, 0 of them like one (1 frames had come before: is its wire sound?)"
    assert link.health(1_700) == (DeviceState.STALE, f"no reading for 1 s: {noise}")
    link.feed(case.good, 1_800)
    assert "nothing comes any more" in link.health(3_000)[1]


@each_model
def test_every_rate_is_tried_before_it_is_called_stale_and_it_is_asked_nothing(case: Case) -> None:
    assert PROBE_MS * len(case.link.bauds) < case.link.first_ms
    assert case.link(0).ask(0) == b""


# CJMCU-90614


COMMANDS = [
    ("66 66 01 56", cjmcu_90614.Command.STREAM),
    ("66 66 02 56", cjmcu_90614.Command.ONCE),
    ("66 66 11 56", cjmcu_90614.Command.BAUD_9600),
    ("66 66 12 56", cjmcu_90614.Command.BAUD_57600),
    ("66 66 13 56", cjmcu_90614.Command.BAUD_115200),
]


@pytest.mark.parametrize(("frame", "asked"), COMMANDS)
def test_the_commands_of_a_cjmcu(frame: str, asked: cjmcu_90614.Command) -> None:
    assert cjmcu_90614.command(asked) == bytes.fromhex(frame)
    assert cjmcu_90614.decode_command(bytes.fromhex(frame)) is asked


@pytest.mark.parametrize("frame", ["66 66 03 56", "66 66 01 55"])
def test_what_is_no_command_of_a_cjmcu(frame: str) -> None:
    with pytest.raises(BadFrame):
        cjmcu_90614.decode_command(bytes.fromhex(frame))


def test_a_cjmcu_that_was_asked_says_so_and_its_sum_leaves_the_head_out() -> None:
    frame = cjmcu_90614.encode(36.55, 28.10, mode=0x02)
    assert frame == bytes.fromhex("66 66 02 04 0E 47 0A FA 59")
    assert FrameReader(cjmcu_90614.FRAME.stream).feed(frame) == [Temperature(36.55, 28.10)]


# GY-614V

WRITES = [  # hardware notes 1.3, the maker's page
    ("A4 06 03 01 AE", Write(Register.OUTPUT, 1)),
    ("A4 06 01 06 B1", Write(Register.BAUD, 6)),
    ("A4 06 05 55 04", Write(Register.SAVE, 0x55)),
]


@pytest.mark.parametrize(("frame", "asked"), WRITES)
def test_the_writes_of_a_gy_614v(frame: str, asked: Write) -> None:
    assert gy_614v.write(asked.register, asked.value) == bytes.fromhex(frame)
    assert gy_614v.decode_host(bytes.fromhex(frame)) == asked


@pytest.mark.parametrize("frame", ["A4 06 09 00 B3", "A4 06 03 01 AF"])
def test_what_is_no_write_of_a_gy_614v(frame: str) -> None:
    with pytest.raises(BadFrame):
        gy_614v.decode_host(bytes.fromhex(frame))


def test_nothing_is_saved_in_a_gy_614v() -> None:
    heard = FrameReader(gy_614v.HOST_FRAME).feed(Gy614vLink.greeting)
    assert heard == [Write(Register.OUTPUT, 0), Write(Register.FORMAT, 0), Write(Register.RATE, 3)]


def test_a_gy_614v_that_stays_slow_is_told_its_rate_again_and_by_itself() -> None:
    link, sent = Gy614vLink(0), []
    for now_ms in range(0, 20_000, 1_000):
        link.feed(bytes.fromhex("A4 03 07 07 62 0D C0 0A 32 0E 44 72"), now_ms)
        sent.append(link.ask(now_ms))
    assert [each for each in sent if each] == [gy_614v.write(Register.RATE, 3)] * 2


def test_a_person_is_measured_by_the_body_value_and_a_wall_has_none() -> None:
    stream = FrameReader(Frame(gy_614v.START, 12, gy_614v.FRAME.decode))
    person, wall, kettle, nonsense = stream.feed(
        gy_614v.encode(34.0, 24.0, 36.6)
        + gy_614v.encode(24.0, 24.0, 36.6)
        + gy_614v.encode(80.0, 24.0, 36.6)
        + gy_614v.encode(34.0, 24.0, 0.0)
    )
    assert isinstance(person, Temperature)
    assert (person.object_c, person.body_c, person.measured_c) == (34.0, 36.6, 36.6)
    for other in (wall, kettle, nonsense):
        assert isinstance(other, Temperature)
        assert other.body_c is None
        assert other.measured_c == other.object_c


@pytest.mark.parametrize("emissivity", [0, 101, 255])
def test_an_emissivity_that_there_is_not_is_no_frame(emissivity: int) -> None:
    frame = bytearray(bytes.fromhex("A4 03 07 07 62 0D C0 0A 32 0E 44 72"))
    frame[4] = emissivity
    frame[-1] = sum(frame[:-1]) & 0xFF
    with pytest.raises(BadFrame, match="emissivity"):
        gy_614v.FRAME.decode(bytes(frame))


def test_what_no_frame_holds_is_not_sent() -> None:
    with pytest.raises(WrongUse):
        cjmcu_90614.encode(400, 20)
    with pytest.raises(WrongUse):
        gy_614v.encode(36, 20, 400)
