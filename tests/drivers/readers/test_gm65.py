"""Scanner modules of Grow: the verified frames of hardware notes 2.1, and everything that a line or a visitor can do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import WrongUse
from drivers.protocols import gm65
from drivers.protocols.gm65 import (
    BEAT,
    HOST_PACKET,
    MODULE_PACKET,
    SAVE,
    TRY_MS,
    WATCH_MS,
    Asked,
    Command,
    Gm65Link,
    Reply,
    Zone,
    ask,
    encode_code,
    encode_reply,
    read,
    write,
)
from drivers.protocols.packets import PacketReader
from drivers.readings import CodeRead, DeviceState
from drivers.serial_device import PROBE_MS
from drivers.simulators.code_scanner import Gm65Model, SimulatedGm65
from drivers.simulators.line import LineFault
from tests.drivers.protocols import hostile
from tests.drivers.readers.beds import Bed, every_split
from tests.drivers.readers.beds import read as read_all

CODE = "MP1:门神".encode()

VERIFIED = {
    "7E 00 08 01 00 02 01 02 DA": write(0x0002, 1),
    "7E 00 08 01 00 00 D5 EF 41": write(0x0000, 0xD5),
    "7E 00 08 01 00 00 D6 DF 22": write(0x0000, 0xD6),
    "7E 00 08 01 00 0D A0 B7 2F": write(0x000D, 0xA0),
    "7E 00 07 01 00 2A 02 D8 0F": ask(Command.READ, 0x2A, b"\x02"),
    "7E 00 08 02 00 2A 1A 00 E4 7E": ask(Command.WRITE, 0x2A, b"\x1a\x00"),
    "7E 00 09 01 00 00 00 DE C8": SAVE,
    "7E 00 08 01 00 D9 50 81 D3": write(0x00D9, 0x50),
    "7E 00 0A 01 00 00 00 30 1A": ask(Command.BEAT, 0, b"\x00"),
    "02 00 00 02 39 01 C1 4C": encode_reply(b"\x39\x01"),
    "02 00 00 01 00 33 31": encode_reply(b"\x00"),
}
"""Frames of hardware notes 2.1, with checksums computed there."""


@pytest.mark.parametrize(("noted", "made"), VERIFIED.items(), ids=VERIFIED)
def test_the_notes_frames(noted: str, made: bytes) -> None:
    assert made == bytes.fromhex(noted)


def test_the_order_that_closes_set_up_codes() -> None:
    """`7E 00 08 01 00 03 02 AB CD`: Waveshare's script, `Setting_code = … Close + Without`."""
    link, module = Gm65Link(0), Gm65Model()
    said = b"".join(frame for frame, _ in converse(link, module))
    assert bytes.fromhex("7E 00 08 01 00 03 02") in said
    assert bytes.fromhex("7E 00 08 01 00 60 81") in said
    assert read_all(HOST_PACKET, bytes.fromhex("7E 00 08 01 00 03 02 AB CD")) == [Asked(Command.WRITE, 3, b"\x02")]


TRANSCRIPT = [
    ("7E 00 07 01 00 E2 01 77 91", "02 00 00 01 65"),
    ("7E 00 07 01 00 03 01 54 12", "02 00 00 01 01"),
    ("7E 00 08 01 00 03 02 01 88", "02 00 00 01 00"),
    ("7E 00 07 01 00 03 01 54 12", "02 00 00 01 02"),
    ("7E 00 07 01 00 0D 01", "02 00 00 01 A1"),
    ("7E 00 08 01 00 0D A0 B7 2F", "02 00 00 01 00"),
    ("7E 00 07 01 00 0D 01", "02 00 00 01 A0"),
    ("7E 00 07 01 00 60 01 0A 6B", "02 00 00 01 01"),
    ("7E 00 08 01 00 60 81 FE 1A", "02 00 00 01 00"),
    ("7E 00 07 01 00 60 01 0A 6B", "02 00 00 01 81"),
    ("7E 00 07 01 00 00 01", "02 00 00 01 D4"),
    ("7E 00 08 01 00 00 D6 DF 22", "02 00 00 01 00"),
    ("7E 00 07 01 00 00 01", "02 00 00 01 D6"),
    ("7E 00 07 01 00 05 01", "02 00 00 01 05"),
    ("7E 00 07 01 00 13 01", "02 00 00 01 00"),
    ("7E 00 09 01 00 00 00 DE C8", "02 00 00 01 00"),
    ("7E 00 07 01 00 03 01 54 12", "02 00 00 01 02"),
]
"""What is said when a module, out of its box and set to type, is set up: hardware notes 2.1; where a sum is not written out
there, it was computed (XMODEM), or is left to the code."""


def test_the_whole_conversation_byte_by_byte() -> None:
    link = Gm65Link(0)
    for number, (expected, answer) in enumerate(TRANSCRIPT):
        now_ms = number if number < len(TRANSCRIPT) - 1 else number + WATCH_MS
        assert link.ask(now_ms).hex(" ").upper().startswith(expected), number
        assert link.ask(now_ms) == b""
        link.feed(encode_reply(bytes.fromhex(answer)[4:]), now_ms)
    assert link.health(WATCH_MS + 20) == (DeviceState.OK, "")


def converse(link: Gm65Link, module: Gm65Model, until_ms: int = 1_000) -> list[tuple[bytes, bytes]]:
    """What host and module said to each other, time going by."""
    said = []
    for now_ms in range(0, until_ms, 20):
        asked = link.ask(now_ms)
        module.hear(asked, now_ms)
        answer = module.say(now_ms)
        link.feed(answer, now_ms)
        said.append((asked, answer))
    return said


# packets


def test_a_code_a_reply_and_a_beat_in_one_stream() -> None:
    stream = encode_code(CODE) + encode_reply(b"\x02") + BEAT + encode_code(b"\x02\x00\x00\x01\x00\x33\x31")
    expected = [CODE, Reply(0, b"\x02"), None, b"\x02\x00\x00\x01\x00\x33\x31"]
    assert read_all(MODULE_PACKET, stream) == expected
    every_split(MODULE_PACKET, stream)
    assert read_all(MODULE_PACKET, b"\xff\x00text\r" + stream) == expected


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=6), hostile.cuts)
def test_the_bytes_that_were_encoded_are_the_bytes_that_come(codes: list[bytes], cuts: list[int]) -> None:
    data = b"".join(map(encode_code, codes))
    assert read_all(MODULE_PACKET, *hostile.chunks(data, cuts)) == codes


def test_no_flipped_bit_makes_another_reply() -> None:
    for broken in hostile.flips(encode_reply(b"\x02")):
        assert not [one for one in read_all(MODULE_PACKET, broken) if isinstance(one, Reply)]
    for broken in hostile.flips(SAVE):
        assert read_all(HOST_PACKET, broken) == []


@pytest.mark.parametrize(
    "broken", [*hostile.losses(encode_reply(b"\x02")), *hostile.inserts(encode_reply(b"\x02"), b"\x07")]
)
def test_after_a_broken_packet_and_a_pause_the_next_is_read(broken: bytes) -> None:
    reader = PacketReader(MODULE_PACKET)
    reader.feed(broken)
    reader.give_up()
    assert reader.pending == 0
    assert reader.feed(encode_reply(b"\x02")) == [Reply(0, b"\x02")]


@given(st.binary(max_size=400), hostile.cuts)
def test_garbage_never_raises_and_is_not_kept(garbage: bytes, cuts: list[int]) -> None:
    read_all(MODULE_PACKET, *hostile.chunks(garbage, cuts))
    read_all(HOST_PACKET, *hostile.chunks(garbage, cuts))
    link = Gm65Link(0)
    for chunk in hostile.chunks(garbage, cuts):
        link.feed(chunk, 0)
    assert link.feed(b"", 60_000) == []
    assert link.health(60_000)[0] is DeviceState.STALE


@pytest.mark.parametrize("storm", [*hostile.STORMS, b"\x03\x0f\xff" * 10_000], ids=lambda storm: storm[:4].hex())
def test_a_storm_leaves_room_for_the_next_code(storm: bytes) -> None:
    reader = PacketReader(MODULE_PACKET)
    for at in range(0, len(storm), 4_096):
        reader.feed(storm[at : at + 4_096])
    reader.give_up()
    assert reader.feed(encode_code(CODE)) == [CODE]


@pytest.mark.parametrize("wrong", [b"", bytes(gm65.LONGEST_CODE + 1)])
def test_what_is_no_code_is_not_said(wrong: bytes) -> None:
    with pytest.raises(WrongUse):
        encode_code(wrong)
    with pytest.raises(WrongUse):
        ask(Command.WRITE, 0, bytes(300))


# the link


def set_up_link(module: Gm65Model | None = None) -> Gm65Link:
    link = Gm65Link(0)
    converse(link, module or Gm65Model())
    assert link.health(1_000) == (DeviceState.OK, "")
    return link


def test_a_module_is_set_up_once_and_saved() -> None:
    module = Gm65Model()
    set_up_link(module)
    assert [module.zone(zone) for zone in (Zone.SETUP_CODES, Zone.FRAMING, Zone.MODE)] == [0x02, 0x81, 0xD6]
    assert module.saves == 1
    set_up_link(module)
    assert module.saves == 1  # the flash is not worn


def test_nothing_counts_before_set_up_codes_are_closed() -> None:
    link = Gm65Link(0)
    assert link.feed(encode_code(CODE), 0) == []
    assert link.health(100)[0] is DeviceState.STARTING


@pytest.mark.parametrize(
    ("zone", "why"), [(Zone.SETUP_CODES, "set-up codes"), (Zone.FRAMING, "frame"), (Zone.MODE, "continuously")]
)
def test_a_module_that_does_not_take_its_set_up_says_so_and_gives_nothing(zone: Zone, why: str) -> None:
    link = Gm65Link(0)
    converse(link, Gm65Model(ignores=frozenset((zone,))))
    state, detail = link.health(1_000)
    assert state is DeviceState.STALE
    assert why in detail
    assert link.is_answered()
    assert link.feed(encode_code(CODE), 1_000) == []


@pytest.mark.parametrize("way", ["ignores", "lacks"])
def test_what_is_not_of_the_essence_may_be_missing(way: str) -> None:
    missing = frozenset((Zone.INTERVAL, Zone.SAME_CODE, Zone.FIRMWARE))
    set_up_link(Gm65Model(ignores=missing) if way == "ignores" else Gm65Model(lacks=missing))


def test_a_module_that_does_not_know_of_set_up_codes_is_not_believed() -> None:
    link = Gm65Link(0)
    converse(link, Gm65Model(lacks=frozenset((Zone.SETUP_CODES,))))
    assert "set-up codes" in link.health(1_000)[1]


def test_newer_firmware_is_told_to_leave_bytes_alone() -> None:
    module = Gm65Model(firmware=gm65.RAW_FIRMWARE)
    set_up_link(module)
    assert module.zone(Zone.RAW) == 0x08


def test_a_code_held_up_comes_once_and_again_after_it_was_away() -> None:
    link, shown = set_up_link(), encode_code(CODE)
    assert link.feed(shown, 1_000) == [CodeRead(CODE, CODE.decode(), "", "gm65")]
    assert all(link.feed(shown, now_ms) == [] for now_ms in range(1_500, 4_000, 500))
    assert len(link.feed(shown, 6_000)) == 1
    assert [one.text for one in link.feed(encode_code(b"\xff\xfe"), 6_000)] == [""]


def test_a_late_answer_is_not_taken_for_the_next_one() -> None:
    """A frame that was sent twice is answered twice; the second is to nothing."""
    link = Gm65Link(0)
    first = link.ask(0)
    assert link.ask(TRY_MS - 1) == b""
    assert link.ask(TRY_MS) == first
    link.feed(encode_reply(b"\x65") * 2, TRY_MS + 50)
    assert link.ask(TRY_MS + 51) == b""
    assert link.ask(2 * TRY_MS + 50) == read(Zone.SETUP_CODES)


def test_a_module_that_was_opened_again_is_closed_again() -> None:
    link = set_up_link()
    assert link.ask(1_000 + WATCH_MS) == read(Zone.SETUP_CODES)
    link.feed(encode_reply(b"\x00"), 1_020 + WATCH_MS)
    assert link.health(1_020 + WATCH_MS)[0] is DeviceState.STARTING
    assert link.feed(encode_code(CODE), 1_030 + WATCH_MS) == []


def test_a_module_that_falls_silent_is_stale() -> None:
    link = set_up_link()
    for now_ms in range(1_000, 1_000 + WATCH_MS + 10 * TRY_MS, TRY_MS):
        link.ask(now_ms)
        link.feed(b"", now_ms)
    assert link.health(1_000 + WATCH_MS + 10 * TRY_MS) == (DeviceState.STALE, "it does not answer any more")
    assert not link.is_answered()


def test_every_rate_is_tried_before_it_is_called_stale() -> None:
    assert PROBE_MS * len(Gm65Link.bauds) < gm65.FIRST_MS


# joined to its simulator, over a pty


def bed(**model: int) -> Bed:
    return Bed(SimulatedGm65("scanner", Gm65Model(**model)), Gm65Link)


@pytest.mark.parametrize("baud", [9_600, 115_200])
def test_a_module_is_found_at_its_rate_and_reads(baud: int) -> None:
    with bed(baud=baud) as listening:
        listening.until_state(DeviceState.OK)
        listening.simulator.show("门神 123")
        listening.until(lambda: listening.texts == ["门神 123"])
        listening.simulator.show(bytes(range(256)))
        listening.until(lambda: [code.data for code in listening.codes][1:] == [bytes(range(256))])


def test_a_page_of_the_manual_reprograms_nothing() -> None:
    with bed() as listening:
        listening.until_state(DeviceState.OK)
        listening.simulator.show_page(Zone.OUTPUT, 0xA1)
        listening.until(lambda: listening.texts == ["^3~000DA1."])
        assert listening.simulator.model.zone(Zone.OUTPUT) == 0xA0


def test_a_page_reprograms_the_model_while_its_set_up_codes_are_open() -> None:
    module = Gm65Model()
    module.hear(write(Zone.MODE, 0xD6), 0)
    module.show_page(Zone.OUTPUT, 0xA1, 0)
    module.say(0)
    assert module.zone(Zone.OUTPUT) == 0xA1


def test_power_that_went_for_a_moment_leaves_it_closed() -> None:
    with bed() as listening:
        listening.until_state(DeviceState.OK)
        listening.simulator.blink()
        assert listening.simulator.model.zone(Zone.SETUP_CODES) == 0x02
        listening.simulator.show("after")
        listening.until(lambda: listening.texts == ["after"])


def test_unplugged_in_the_middle_of_a_code_and_plugged_in() -> None:
    with bed() as listening:
        listening.until_state(DeviceState.OK)
        listening.simulator.inject(encode_code(b"half of this")[:7])
        listening.simulator.unplug()
        listening.until_state(DeviceState.LOST)
        listening.simulator.plug()
        listening.until_state(DeviceState.OK, count=2)
        listening.simulator.show("whole")
        listening.until(lambda: bool(listening.texts))
        assert listening.texts == ["whole"]


def test_a_broken_wire_is_stale_then_well_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gm65, "WATCH_MS", 500)
    with bed() as listening:
        listening.until_state(DeviceState.OK)
        listening.simulator.fault(LineFault.SILENT)
        listening.until_state(DeviceState.STALE)
        listening.simulator.fault(LineFault.NONE)
        listening.until_state(DeviceState.OK, count=2)
