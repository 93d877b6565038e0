"""Readers of identity cards: the verified frames of hardware notes 3, what may leave, and everything that a line can do."""

import logging
from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BadFrame, WrongUse
from drivers.protocols import identity_card
from drivers.protocols.identity_card import (
    ANSWER_MS,
    HOST_PACKET,
    MODULE_PACKET,
    POLL_MS,
    STALE_MS,
    Answer,
    Command,
    Field,
    IdentityCardLink,
    Status,
    Wanted,
    ask,
    card_id,
    check_digit,
    encode,
    encode_card,
)
from drivers.protocols.packets import PacketReader
from drivers.readings import CardRead, CardUnread, DeviceState
from drivers.simulators.identity_card import IdentityCardModel, SimulatedIdentityCard
from drivers.simulators.line import LineFault
from tests.drivers.protocols import hostile
from tests.drivers.readers.beds import Bed, every_split, read

KEY = "a key of this site"
NUMBER = "11010519491231002X"  # the example of GB 11643-1999
PERSON = {
    Field.NAME: "门神",
    Field.SEX: "1",
    Field.NATION: "01",
    Field.BIRTH: "19491231",
    Field.ADDRESS: "北京市朝阳区某街某号",
    Field.NUMBER: NUMBER,
    Field.ISSUER: "北京市公安局",
    Field.VALID_FROM: "20160101",
    Field.VALID_UNTIL: "长期",
}
UID = card_id(NUMBER, KEY)
WANTED = Wanted(KEY)
CARD = encode(Status.DONE, encode_card(PERSON))
START = "AA AA AA 96 69 "


@pytest.mark.parametrize(
    ("noted", "made"),
    [
        ("00 03 20 01 22", ask(Command.FIND)),
        ("00 03 20 02 21", ask(Command.SELECT)),
        ("00 03 30 01 32", ask(Command.READ)),
        ("00 03 11 FF ED", ask(Command.STATUS)),
        ("00 08 00 00 9F 00 00 00 00 97", encode(Status.FOUND, bytes(4))),
        ("00 04 00 00 80 84", encode(Status.NONE)),
        ("00 0C 00 00 90 00 00 00 00 00 00 00 00 9C", encode(Status.DONE, bytes(8))),
        ("00 04 00 00 81 85", encode(Status.NOT_SELECTED)),
        ("00 04 00 00 41 45", encode(Status.NOT_READ)),
        ("00 04 00 00 90 94", encode(Status.DONE)),
    ],
)
def test_the_notes_frames(noted: str, made: bytes) -> None:
    assert made == bytes.fromhex(START + noted)


def test_a_card_is_as_long_and_begins_as_the_notes_say() -> None:
    assert len(CARD) == 1_295
    assert CARD[5:14] == bytes.fromhex("05 08 00 00 90 01 00 04 00")


def test_the_number_s_last_character() -> None:
    assert check_digit(NUMBER) == "X"


# what may leave


def test_nothing_leaves_but_an_id_unless_it_is_wanted() -> None:
    card = WANTED.card(encode_card(PERSON))
    assert card == CardRead(UID, "prc-id")
    assert len(UID) == 20
    assert card_id(NUMBER, KEY + "!") != UID


@given(st.sets(st.sampled_from(list(Field))))
def test_exactly_the_wanted_fields_leave(wanted: set[Field]) -> None:
    card = Wanted(KEY, tuple(wanted)).card(encode_card(PERSON))
    assert dict(card.facts) == {each.value: PERSON[each] for each in wanted}
    said = repr(card) + repr(Wanted(KEY, tuple(wanted))) + repr(read(MODULE_PACKET, CARD))
    assert KEY not in said
    assert not any(value in said for value in PERSON.values() if len(value) > 2)


@pytest.mark.parametrize("number", ["", "110105194912310021", "11010519491231002x", "1" * 17])
def test_a_card_without_a_sound_number_is_none_and_its_error_says_nothing(number: str) -> None:
    with pytest.raises(BadFrame) as error:
        WANTED.card(encode_card({**PERSON, Field.NUMBER: number}))
    assert not any(value in str(error.value) for value in PERSON.values() if len(value) > 2)


@pytest.mark.parametrize("data", [b"", bytes(400), encode_card(PERSON)[:200], b"\x01\x00\x04\x00" + b"\x00\xd8" * 128])
def test_what_is_no_card(data: bytes) -> None:
    with pytest.raises(BadFrame):
        Wanted(KEY, tuple(Field)).card(data)


@given(st.binary(max_size=300))
def test_any_text_is_a_card_or_a_bad_frame(text: bytes) -> None:
    data = b"\x01\x00\x04\x00" + text.ljust(256, b"\x20")
    try:
        card = Wanted(KEY, tuple(Field)).card(data)
    except BadFrame:
        return
    assert all(value.isprintable() for _, value in card.facts)


def test_what_does_not_fit_a_card_is_not_made() -> None:
    with pytest.raises(WrongUse):
        encode_card({Field.SEX: "11"})
    with pytest.raises(WrongUse):
        encode(Status.DONE, bytes(5_000))


# packets


def test_every_split_and_noise() -> None:
    stream = encode(Status.NONE) + encode(Status.FOUND, bytes(4))
    expected = [Answer(Status.NONE, b""), Answer(Status.FOUND, bytes(4))]
    every_split(MODULE_PACKET, stream)
    assert read(MODULE_PACKET, b"\xaa\xaa" + stream) == expected
    every_split(HOST_PACKET, ask(Command.FIND) + ask(Command.READ))
    assert all(read(MODULE_PACKET, CARD[:cut], CARD[cut:]) for cut in range(1, len(CARD), 53))


def test_no_flipped_bit_gives_another_answer() -> None:
    for broken in hostile.flips(encode(Status.FOUND, bytes(4))):
        assert read(MODULE_PACKET, broken) == []


def test_after_a_lost_or_a_surplus_byte_the_next_is_read() -> None:
    sound = encode(Status.NONE)
    for broken in (*hostile.losses(sound), *hostile.inserts(sound, b"\x07")):
        reader = PacketReader(MODULE_PACKET)
        reader.feed(broken)
        reader.give_up()
        assert reader.feed(sound) == [Answer(Status.NONE, b"")]


@given(st.binary(max_size=400), hostile.cuts)
def test_garbage_never_raises_and_is_not_kept(garbage: bytes, cuts: list[int]) -> None:
    read(MODULE_PACKET, *hostile.chunks(garbage, cuts))
    read(HOST_PACKET, *hostile.chunks(garbage, cuts))
    link = IdentityCardLink(0, WANTED)
    link.ask(0)
    for chunk in hostile.chunks(garbage, cuts):
        assert link.feed(chunk, 0) == []
    assert link.health(STALE_MS)[0] is DeviceState.STALE


@pytest.mark.parametrize("storm", [*hostile.STORMS, b"\xaa" * 50_000], ids=lambda storm: storm[:4].hex())
def test_a_storm_leaves_room_for_the_next_answer(storm: bytes) -> None:
    reader = PacketReader(MODULE_PACKET)
    reader.feed(storm)
    assert reader.feed(encode(Status.NONE)) == [Answer(Status.NONE, b"")]


# the link


def converse(link: IdentityCardLink, *answers: bytes, at_ms: int = 0) -> list[CardRead | CardUnread]:
    """Give these answers, one to each question."""
    came: list[CardRead | CardUnread] = []
    for number, answer in enumerate(answers):
        now_ms = at_ms + number * POLL_MS
        assert link.ask(now_ms)
        came += link.feed(answer, now_ms)
    return came


DONE, FOUND, NONE = encode(Status.DONE), encode(Status.FOUND, bytes(4)), encode(Status.NONE)
SELECTED = encode(Status.DONE, bytes(8))


def test_a_card_is_found_selected_and_read() -> None:
    link = IdentityCardLink(0, WANTED)
    assert converse(link, DONE, FOUND, SELECTED, CARD) == [CardRead(UID, "prc-id")]
    assert link.health(1_000) == (DeviceState.OK, "")


def test_a_module_that_finds_it_again_before_it_was_lifted_gives_it_once() -> None:
    link = IdentityCardLink(0, WANTED)
    assert len(converse(link, DONE, FOUND, SELECTED, CARD, FOUND, SELECTED, CARD)) == 1
    assert len(converse(link, NONE, NONE, FOUND, SELECTED, CARD, at_ms=10_000)) == 1


@pytest.mark.parametrize(
    ("number", "why"),
    [("110105194912310021", "its number has a wrong check digit"), ("", "it has no number of 18 characters")],
)
def test_a_card_whose_number_is_none_is_counted_and_told_once_while_it_lies_there(number: str, why: str) -> None:
    bad = encode(Status.DONE, encode_card(PERSON | {Field.NUMBER: number}))
    link = IdentityCardLink(0, WANTED)
    assert converse(link, DONE, FOUND, SELECTED, bad, FOUND, SELECTED, bad) == [CardUnread(why)]
    assert (link.count.good, link.count.bad) == (5, 2)
    assert link.health(1_000) == (DeviceState.OK, "")
    assert converse(link, NONE, NONE, FOUND, SELECTED, bad, at_ms=10_000) == [CardUnread(why)]
    assert converse(link, NONE, FOUND, SELECTED, CARD, at_ms=20_000) == [CardRead(UID, "prc-id")]


@pytest.mark.parametrize("refusal", [(encode(Status.NOT_SELECTED),), (SELECTED, encode(Status.NOT_READ))])
def test_a_card_that_goes_meanwhile_is_asked_for_again(refusal: tuple[bytes, ...]) -> None:
    link = IdentityCardLink(0, WANTED)
    assert converse(link, DONE, FOUND, *refusal) == []
    assert link.ask(10_000) == ask(Command.FIND)


def test_no_answer_begins_again_and_then_is_stale() -> None:
    link = IdentityCardLink(0, WANTED)
    converse(link, DONE, FOUND)
    assert link.ask(POLL_MS) == ask(Command.SELECT)
    assert link.ask(POLL_MS + ANSWER_MS) == ask(Command.FIND)
    assert link.feed(CARD, POLL_MS + ANSWER_MS) == []  # to a question that was given up
    assert link.health(60_000) == (DeviceState.STALE, "it does not answer any more")


# joined to its simulator, over a pty


@pytest.fixture
def bed() -> Iterator[Bed]:
    link = partial(IdentityCardLink, wanted=Wanted(KEY, (Field.NAME,)))
    with Bed(SimulatedIdentityCard("reader"), link) as listening:
        listening.until_state(DeviceState.OK)
        yield listening


def test_a_card_is_read_once_and_nobody_logs_it(bed: Bed, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bed.simulator.hold(PERSON)
    bed.until(lambda: bed.cards == [UID])
    (card,) = [one for one in bed.heard if isinstance(one, CardRead)]
    assert card.facts == (("name", "门神"),)
    bed.simulator.remove()
    assert "device < " in caplog.text
    for secret in (NUMBER, "门神", NUMBER.encode("utf-16-le").hex(" "), "门神".encode("utf-16-le").hex(" ")):
        assert secret not in caplog.text


def test_unplugged_in_the_middle_of_a_card_and_plugged_in(bed: Bed) -> None:
    bed.simulator.inject(CARD[:700])
    bed.simulator.unplug()
    bed.until_state(DeviceState.LOST)
    bed.simulator.plug()
    bed.until_state(DeviceState.OK, count=2)
    assert bed.cards == []
    bed.simulator.hold(PERSON)
    bed.until(lambda: bed.cards == [UID])


def test_a_broken_wire_is_stale_then_well_again(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity_card, "ANSWER_MS", 300)
    monkeypatch.setattr(identity_card, "STALE_MS", 1_200)
    bed.simulator.fault(LineFault.SILENT)
    bed.until_state(DeviceState.STALE)
    bed.simulator.fault(LineFault.NONE)
    bed.until_state(DeviceState.OK, count=2)


def test_the_model_does_not_find_a_card_twice_before_it_is_lifted() -> None:
    model = IdentityCardModel()
    model.hold(PERSON)

    def say(command: Command) -> int:
        model.hear(ask(command), 0)
        (answer,) = read(MODULE_PACKET, model.say(1_000))
        return answer.status

    flow = (Command.FIND, Command.SELECT, Command.READ, Command.FIND, Command.SELECT, Command.READ)
    assert [say(command) for command in flow] == [0x9F, 0x90, 0x90, 0x80, 0x81, 0x41]
    model.remove()
    model.hold(PERSON)
    assert say(Command.FIND) == Status.FOUND
