"""ID-12LA: the RDM6300's verified cards of hardware notes 3, in its own frame (ID-12LA datasheet, "ASCII output")."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.protocols.frames import FrameReader
from drivers.protocols.rdm6300 import ID12_FRAME, SILENCE_MS, Id12Link, encode, encode_id12
from drivers.readings import CardRead, DeviceState
from drivers.simulators.card_reader import SimulatedId12
from tests.drivers.protocols import hostile
from tests.drivers.readers.beds import Bed

CARD, OTHER = "1F00644BB6", "000414CD7E"
SAID = b"\x021F00644BB686\r\n\x03"


def read(*chunks: bytes) -> list[str]:
    reader = FrameReader(ID12_FRAME)
    uids = [uid for chunk in chunks for uid in reader.feed(chunk)]
    assert reader.good * 16 + reader.noise + reader.pending == sum(map(len, chunks))
    return uids


def test_the_notes_card_in_its_frame() -> None:
    assert encode_id12(CARD) == SAID
    assert all(read(SAID[:cut], SAID[cut:]) == [CARD] for cut in range(len(SAID)))


@pytest.mark.parametrize(
    "frame", [encode(CARD) + encode(CARD), SAID.replace(b"\r\n", b"\n\r"), SAID.replace(b"86", b"87")]
)
def test_what_is_no_card(frame: bytes) -> None:
    assert read(frame) == []


def test_no_flipped_bit_gives_another_card_and_the_next_is_read() -> None:
    for broken in (*hostile.flips(SAID), *hostile.losses(SAID), *hostile.inserts(SAID, b"\x07")):
        assert read(broken + SAID)[-1] == CARD
        assert set(read(broken)) <= {CARD}


@given(st.binary(max_size=300), hostile.cuts)
def test_garbage_never_raises_and_is_not_kept(garbage: bytes, cuts: list[int]) -> None:
    read(*hostile.chunks(garbage, cuts))


def test_a_card_that_is_said_once_has_come() -> None:
    link = Id12Link(0)
    assert link.feed(SAID, 0) == [CardRead(CARD, "em4100")]
    assert link.feed(SAID, 100) == []
    link.feed(b"", 100 + SILENCE_MS)
    assert link.feed(SAID, 2_000) == [CardRead(CARD, "em4100")]


def test_over_a_pty_with_unplugging_in_the_middle_of_a_frame() -> None:
    with Bed(SimulatedId12("reader"), Id12Link) as listening:
        listening.until_state(DeviceState.OK)
        listening.simulator.hold(CARD)
        listening.until(lambda: listening.cards == [CARD])
        listening.simulator.remove()
        listening.simulator.inject(SAID[:9])
        listening.simulator.unplug()
        listening.until_state(DeviceState.LOST)
        listening.simulator.plug()
        listening.until_state(DeviceState.OK, count=2)
        listening.simulator.hold(OTHER)
        listening.until(lambda: listening.cards == [CARD, OTHER])
