"""RDM6300: the verified frames of hardware notes 3, ghosts, and everything that a line can do to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import WrongUse
from drivers.protocols.frames import FrameReader
from drivers.protocols.rdm6300 import FRAME, GARBAGE, SILENCE_MS, Presence, Rdm6300Link, encode
from drivers.readings import CardRead, DeviceState
from tests.drivers.protocols import hostile

VERIFIED = [("1F00644BB6", "86"), ("000414CD7E", "A3"), ("0D00319CD0", "70"), ("01C8F00800", "31")]
"""Number and checksum; the last one is what a firmware rejected that left the version out of its sum."""
CARD, OTHER = "000414CD7E", "1F00644BB6"
READ = encode(CARD)
EVERY_MS = 65


def reader() -> FrameReader[str]:
    return FrameReader(FRAME)


@pytest.mark.parametrize(("uid", "checksum"), VERIFIED)
def test_the_notes_frames(uid: str, checksum: str) -> None:
    frame = b"\x02" + uid.encode() + checksum.encode() + b"\x03"
    assert reader().feed(frame) == [uid]
    assert encode(uid) == frame


@pytest.mark.parametrize(("uid", "printed"), [("1F00644BB6", 6572982), ("000414CD7E", 68472190)])
def test_the_number_printed_on_the_card_is_the_id_without_its_version(uid: str, printed: int) -> None:
    assert int(uid[2:], 16) == printed


def test_small_letters_are_the_same_card() -> None:
    assert reader().feed(READ.lower()) == [CARD]


@pytest.mark.parametrize(
    "frame",
    [
        b"\x02000000000000\x03",  # zeros: their checksum is right, and they are a ghost
        b"\x02AA00000000AA\x03",
        b"\x02000414CD7EA4\x03",
        b"\x02000414CD7EA3\x02",
        b"\x02000414CD7 A3\x03",
        b"\x02+0414CD7EA3\n\x03",
        b"\x02" + "０".encode() * 4 + b"\x03",
    ],
)
def test_what_is_no_card(frame: bytes) -> None:
    stream = reader()
    assert stream.feed(frame) == []
    assert stream.bad >= 1


@pytest.mark.parametrize("cut", range(1, len(READ)))
def test_half_a_frame_is_neither_a_card_nor_bad(cut: int) -> None:
    stream = reader()
    assert stream.feed(READ[:cut]) == []
    assert (stream.bad, stream.noise) == (0, 0)
    assert stream.feed(READ[cut:]) == [CARD]


def test_two_frames_at_once_and_noise_before() -> None:
    assert reader().feed(b"\x02\x02\xff" + READ + READ) == [CARD, CARD]


def test_no_flipped_bit_gives_another_card() -> None:
    for broken in hostile.flips(READ):  # the bit that makes a letter small changes no digit
        assert reader().feed(broken) in ([], [CARD]), broken
    assert sum(bool(reader().feed(broken)) for broken in hostile.flips(READ)) == sum(
        chr(byte).isalpha() for byte in READ
    )


def test_after_a_lost_or_a_surplus_byte_the_next_frame_is_read() -> None:
    for broken in (*hostile.losses(READ), *hostile.inserts(READ, b"\x07")):
        assert reader().feed(broken + READ) == [CARD], broken


@given(st.binary(max_size=300), hostile.cuts)
def test_garbage_never_raises_and_is_not_kept(garbage: bytes, cuts: list[int]) -> None:
    stream = reader()
    for chunk in hostile.chunks(garbage, cuts):
        stream.feed(chunk)
        assert stream.pending < FRAME.length
    assert stream.good * FRAME.length + stream.noise + stream.pending == len(garbage)


@pytest.mark.parametrize("storm", hostile.STORMS, ids=lambda storm: storm[:4].hex())
def test_a_storm_leaves_room_for_the_next_frame(storm: bytes) -> None:
    stream = reader()
    assert stream.feed(storm) == []
    assert stream.feed(READ * 2)[-1] == CARD


uids = st.binary(min_size=5, max_size=5).filter(lambda card: any(card[1:])).map(lambda card: card.hex().upper())


@given(st.lists(uids, max_size=8), hostile.cuts)
def test_what_was_sent_is_read_however_it_was_cut(sent: list[str], cuts: list[int]) -> None:
    stream = reader()
    data = b"".join(map(encode, sent))
    assert [uid for chunk in hostile.chunks(data, cuts) for uid in stream.feed(chunk)] == sent


@pytest.mark.parametrize("uid", ["", "414CD7E", "000414cd7e", "000414CD7G", "000414CD7E\n"])
def test_what_is_no_number_is_not_sent(uid: str) -> None:
    with pytest.raises(WrongUse, match="10 digits"):
        encode(uid)


# presence


def lie(presence: Presence, uid: str, from_ms: int, until_ms: int) -> int:
    """A card lies there and is read every 65 ms; how often it came."""
    came = 0
    for now_ms in range(from_ms, until_ms, EVERY_MS):
        came += presence.read(uid, now_ms)
        presence.looked(now_ms)
    return came


def test_a_card_comes_once_however_long_it_lies() -> None:
    assert lie(Presence(), CARD, 0, 60_000) == 1


def test_one_read_alone_is_a_ghost() -> None:
    presence = Presence()
    assert not presence.read(CARD, 0)
    assert not presence.read(OTHER, 65)
    assert not presence.read(CARD, 130)
    assert presence.read(CARD, 195)


def test_two_reads_far_apart_are_no_card() -> None:
    presence = Presence()
    assert not presence.read(CARD, 0)
    assert not presence.read(CARD, SILENCE_MS)


def test_it_comes_again_after_silence_and_not_before() -> None:
    presence = Presence()
    assert lie(presence, CARD, 0, 1_000) == 1
    last_ms = 15 * EVERY_MS
    presence.looked(last_ms + SILENCE_MS - 1)
    assert lie(presence, CARD, last_ms + SILENCE_MS - 1, 2_500) == 0
    presence.looked(5_000)
    assert lie(presence, CARD, 5_000, 6_000) == 1


def test_a_ghost_between_two_reads_does_not_bring_the_card_again() -> None:
    presence = Presence()
    assert lie(presence, CARD, 0, 500) == 1
    assert not presence.read(OTHER, 500)
    assert lie(presence, CARD, 520, 1_000) == 0


def test_two_cards_that_take_turns_come_once_each() -> None:
    presence = Presence()
    turn_ms = 2 * EVERY_MS
    turns = enumerate([CARD, OTHER] * 20)
    assert sum(lie(presence, uid, at * turn_ms, (at + 1) * turn_ms) for at, uid in turns) == 2


def test_a_reader_that_is_looked_at_late_was_not_silent() -> None:
    connection = Rdm6300Link(0)
    assert connection.feed(READ * 2, 0) == [CardRead(CARD, "em4100")]
    assert connection.feed(READ * 20, 5_000) == []
    assert connection.feed(b"", 5_000 + SILENCE_MS) == []
    assert connection.feed(READ * 2, 6_000) == [CardRead(CARD, "em4100")]


@given(st.lists(st.tuples(st.sampled_from([CARD, OTHER, ""]), st.integers(0, 1_000)), max_size=40))
def test_no_card_comes_twice_without_silence_between(steps: list[tuple[str, int]]) -> None:
    presence, now_ms = Presence(), 0
    seen: dict[str, int] = {}
    came: set[str] = set()
    for uid, after_ms in steps:
        now_ms += after_ms
        presence.looked(now_ms)
        came = {each for each in came if now_ms - seen[each] < SILENCE_MS}
        if uid:
            seen[uid] = now_ms
            if presence.read(uid, now_ms):
                assert uid not in came
                came.add(uid)


# health


def test_a_reader_without_a_card_is_well() -> None:
    connection = Rdm6300Link(0)
    assert connection.feed(b"", 100_000) == []
    assert connection.health(100_000) == (DeviceState.OK, "")


def test_a_reader_that_speaks_garbage_is_not_until_it_is_silent_or_reads_a_card() -> None:
    connection = Rdm6300Link(0)
    connection.feed(b"\xff" * GARBAGE, 100)
    state, why = connection.health(100)
    assert state is DeviceState.STALE
    assert "only garbage comes" in why
    assert connection.health(100 + SILENCE_MS)[0] is DeviceState.OK
    connection.feed(b"\xff" * GARBAGE, 1_000)
    assert connection.health(1_000)[0] is DeviceState.STALE
    connection.feed(READ, 1_100)
    assert connection.health(1_100)[0] is DeviceState.OK


def test_a_little_noise_now_and_then_is_no_garbage() -> None:
    connection = Rdm6300Link(0)
    for now_ms in range(0, 1_000_000, 1_000):
        connection.feed(b"\xff", now_ms)
        assert connection.health(now_ms)[0] is DeviceState.OK
