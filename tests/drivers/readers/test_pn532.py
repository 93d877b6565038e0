"""PN532 over UART: the verified frames of hardware notes 3, and everything that a line can do."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BadFrame, WrongUse
from drivers.protocols.packets import PacketReader
from drivers.protocols.pn532 import (
    ACK,
    ANSWER_MS,
    CHIP,
    HOST,
    NACK,
    PACKET,
    POLL_MS,
    SET_UP_MS,
    STALE_MS,
    WAKE,
    Body,
    Command,
    Pn532Link,
    decode_targets,
    encode,
    encode_targets,
)
from drivers.protocols.polled import MISSES, PolledCards
from drivers.readings import CardRead, DeviceState
from drivers.simulators.line import LineFault
from drivers.simulators.pn532 import Pn532Model, SimulatedPn532
from tests.drivers.protocols import hostile
from tests.drivers.readers.beds import Bed, every_split, read

CARD, OTHER = "24D34F59", "04A1B2C3D4E5F6"
FOUND = bytes.fromhex("00 00 FF 0C F4 D5 4B 01 01 00 04 08 04 24 D3 4F 59 2F 00")
NONE = encode(CHIP, Command.LIST_TARGETS + 1, b"\x00")


@pytest.mark.parametrize(
    ("noted", "made"),
    [
        ("00 00 FF 02 FE D4 02 2A 00", encode(HOST, Command.VERSION)),
        ("00 00 FF 06 FA D5 03 32 01 06 07 E8 00", encode(CHIP, 0x03, b"\x32\x01\x06\x07")),
        ("00 00 FF 04 FC D4 4A 01 00 E1 00", encode(HOST, Command.LIST_TARGETS, b"\x01\x00")),
        ("00 00 FF 02 FE D5 15 16 00", encode(CHIP, 0x15)),
        (FOUND.hex(), encode(CHIP, 0x4B, encode_targets([CARD]))),
        ("00 00 FF 03 FD D4 14 01 17 00", encode(HOST, Command.SAM_CONFIGURATION, b"\x01")),
    ],
)
def test_the_notes_frames(noted: str, made: bytes) -> None:
    assert made == bytes.fromhex(noted)


def test_what_the_host_says_first_is_what_the_notes_say() -> None:
    said = "55 55" + " 00" * 14 + " FF 03 FD D4 14 01 17 00"
    assert Pn532Link(0).ask(0) == bytes.fromhex(said)


def test_the_notes_card() -> None:
    assert decode_targets(bytes.fromhex("01 01 00 04 08 04 24 D3 4F 59")) == [CARD]
    assert read(PACKET, FOUND) == [Body(CHIP, 0x4B, bytes.fromhex("01 01 00 04 08 04 24 D3 4F 59"))]
    every_split(PACKET, ACK + FOUND + NACK + NONE)
    assert read(PACKET, WAKE + b"\xff\x00" + ACK + FOUND)[-2:] == [None, Body(CHIP, 0x4B, FOUND[7:-2])]


def test_a_card_with_an_answer_to_select_and_a_second_one() -> None:
    first = bytes.fromhex("01 03 44 20 07 04 A1 B2 C3 D4 E5 F6 05 78 80 70 02")
    second = bytes.fromhex("02 00 04 08 04 24 D3 4F 59")
    assert decode_targets(b"\x02" + first + second) == [OTHER, CARD]


@pytest.mark.parametrize(
    "data",
    ["", "01", "03", "01 01 00 04 08 04 24", "01 01 00 04 08 05 01 02 03 04 05", "01 01 00 04 08 04 00 00 00 00"],
)
def test_what_is_no_card(data: str) -> None:
    with pytest.raises(BadFrame):
        decode_targets(bytes.fromhex(data))


@pytest.mark.parametrize("uid", ["24D3", "24D34F59AA"])
def test_what_is_no_uid_cannot_be_laid_on_it(uid: str) -> None:
    with pytest.raises(WrongUse):
        Pn532Model().hold(uid)
    with pytest.raises(WrongUse):
        encode(HOST, 2, bytes(300))


def test_no_flipped_bit_gives_another_card() -> None:
    for broken in hostile.flips(FOUND):
        assert not [body for body in read(PACKET, broken) if body is not None], broken.hex(" ")


def test_after_a_lost_or_a_surplus_byte_the_next_frames_are_read() -> None:
    for broken in (*hostile.losses(FOUND), *hostile.inserts(FOUND, b"\x07")):
        assert read(PACKET, broken + FOUND * 20)[-1] == Body(CHIP, 0x4B, FOUND[7:-2])


@given(st.binary(max_size=400), hostile.cuts)
def test_garbage_never_raises_and_is_not_kept(garbage: bytes, cuts: list[int]) -> None:
    read(PACKET, *hostile.chunks(garbage, cuts))
    link = Pn532Link(0)
    link.ask(0)
    for chunk in hostile.chunks(garbage, cuts):
        link.feed(chunk, 0)
    assert link.health(STALE_MS)[0] is DeviceState.STALE


@given(st.binary(max_size=60))
def test_a_list_of_cards_is_one_or_a_bad_frame(data: bytes) -> None:
    try:
        uids = decode_targets(data)
    except BadFrame:
        return
    assert all(len(uid) in (8, 14, 20) for uid in uids)


@pytest.mark.parametrize("storm", [*hostile.STORMS, b"\x00\x00\xff" * 10_000], ids=lambda storm: storm[:4].hex())
def test_a_storm_leaves_room_for_the_next_frame(storm: bytes) -> None:
    reader = PacketReader(PACKET)
    reader.feed(storm)
    assert reader.feed(FOUND * 20)[-1] == Body(CHIP, 0x4B, FOUND[7:-2])


# the link


def ready() -> Pn532Link:
    link, now_ms = Pn532Link(0), 0
    for answer in (encode(CHIP, 0x15), encode(CHIP, 0x03, b"\x32\x01\x06\x07"), encode(CHIP, 0x33)):
        assert link.ask(now_ms)
        assert link.feed(ACK + answer, now_ms) == []
    assert link.health(0) == (DeviceState.OK, "")
    return link


def poll(link: Pn532Link, at_ms: int, answer: bytes) -> list[CardRead]:
    assert link.ask(at_ms) == encode(HOST, Command.LIST_TARGETS, b"\x01\x00")
    return list(link.feed(ACK + answer, at_ms))


def test_a_card_that_lies_there_comes_once_and_again_after_it_was_away() -> None:
    link = ready()
    times = iter(range(POLL_MS, 10_000, POLL_MS))
    assert poll(link, next(times), FOUND) == [CardRead(CARD, "iso14443a")]
    assert poll(link, next(times), FOUND) == []
    assert poll(link, next(times), NONE) == []
    assert poll(link, next(times), FOUND) == []  # one search that failed is no absence
    for _ in range(MISSES):
        poll(link, next(times), NONE)
    assert poll(link, next(times), FOUND) == [CardRead(CARD, "iso14443a")]


def test_an_answer_that_nobody_asked_for_is_none() -> None:
    link = ready()
    assert link.feed(FOUND, 10) == []
    link.ask(POLL_MS)
    assert link.feed(encode(CHIP, 0x03, b"\x32") + encode(HOST, 0x4B, FOUND[7:-2]), POLL_MS) == []


def test_no_answer_breaks_it_off_and_begins_again() -> None:
    link = ready()
    link.ask(POLL_MS)
    assert link.ask(POLL_MS + ANSWER_MS - 1) == b""
    assert link.ask(POLL_MS + ANSWER_MS).startswith(ACK + WAKE)
    assert link.health(STALE_MS) == (DeviceState.STALE, "it does not answer any more")


@pytest.mark.parametrize("answers", [0, 1, 2])
def test_one_that_acknowledges_and_never_answers_its_set_up_is_stale_with_a_reason(answers: int) -> None:
    """Of its three commands it answers so many, again and again."""
    link, step = Pn532Link(0), 0
    replies = (encode(CHIP, 0x15), encode(CHIP, 0x03, b"\x32\x01\x06\x07"))[:answers]
    for now_ms in range(0, SET_UP_MS + ANSWER_MS, 50):
        said = link.ask(now_ms)
        if said:
            step = 0 if WAKE in said else step + 1
            link.feed(ACK + (replies[step] if step < answers else b""), now_ms)
    state, why = link.health(SET_UP_MS)
    command = (0x14, 0x02, 0x32)[answers]
    assert (state, why[:62]) == (
        DeviceState.STALE,
        f"it acknowledges, and does not answer its set-up's command {command:#04x}",
    )
    assert link.is_answered() == bool(answers)


def test_another_chip_is_named() -> None:
    link = Pn532Link(0)
    link.ask(0)
    link.feed(encode(CHIP, 0x15), 0)
    link.ask(0)
    link.feed(encode(CHIP, 0x03, b"\x33\x01\x06\x07"), 0)
    assert link.health(0) == (DeviceState.STALE, "it is no PN532")


def test_cards_that_lie_there_together_come_once_each() -> None:
    cards = PolledCards(misses=2)
    assert cards.found(["A", "A"]) == ["A"]
    assert cards.found(["B"]) == ["B"]
    assert cards.found(["A"]) == []
    assert cards.found(["A"]) == []
    assert cards.found(["B"]) == ["B"]


# joined to its simulator, over a pty


@pytest.fixture
def bed() -> Iterator[Bed]:
    with Bed(SimulatedPn532("reader"), Pn532Link) as listening:
        listening.until_state(DeviceState.OK)
        yield listening


def test_cards_come_and_go(bed: Bed) -> None:
    bed.simulator.hold(CARD)
    bed.until(lambda: bed.cards == [CARD])
    bed.simulator.hold(OTHER)
    bed.until(lambda: bed.cards == [CARD, OTHER])
    bed.simulator.remove()


def test_power_that_went_for_a_moment(bed: Bed) -> None:
    """It sleeps and has forgotten what it was told; the port noticed nothing."""
    bed.simulator.blink()
    bed.simulator.hold(CARD)
    bed.until(lambda: bed.cards == [CARD])


def test_unplugged_in_the_middle_of_a_frame_and_plugged_in(bed: Bed) -> None:
    bed.simulator.inject(FOUND[:12])
    bed.simulator.unplug()
    bed.until_state(DeviceState.LOST)
    bed.simulator.plug()
    bed.simulator.hold(OTHER)
    bed.until_state(DeviceState.OK, count=2)
    bed.until(lambda: bool(bed.cards))
    assert bed.cards == [OTHER]
    assert bed.device.tally.reopens >= 1
    assert bed.device.tally.frames > 0


@pytest.mark.parametrize("fault", [LineFault.SILENT, LineFault.GARBAGE])
def test_a_damaged_line_is_stale_then_well_again(bed: Bed, fault: LineFault) -> None:
    bed.simulator.hold(CARD)
    bed.until(lambda: bed.cards == [CARD])
    bed.simulator.fault(fault)
    bed.until_state(DeviceState.STALE)
    bed.simulator.fault(LineFault.NONE)
    bed.until_state(DeviceState.OK, count=2)
    assert bed.cards == [CARD]  # it lay there all the time
