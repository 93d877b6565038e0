"""The simulated card reader, without a line or a clock."""

import pytest

from drivers.errors import WrongUse
from drivers.protocols.rdm6300 import encode
from drivers.simulators.card_reader import EVERY_MS, CardReaderModel

CARD, OTHER = "000414CD7E", "1F00644BB6"


def test_it_says_a_cards_number_again_and_again_while_it_lies_there() -> None:
    reader = CardReaderModel()
    assert (reader.due_ms(), reader.say(0)) == (None, b"")
    reader.hold(CARD, 100)
    said = b""
    for _ in range(5):
        due_ms = reader.due_ms()
        assert due_ms is not None
        said += reader.say(due_ms)
    assert said == encode(CARD) * 5
    assert reader.due_ms() == 100 + 5 * EVERY_MS


def test_nothing_after_it_was_taken_away() -> None:
    reader = CardReaderModel()
    reader.hold(CARD, 0)
    reader.say(0)
    reader.remove(30)
    assert reader.say(1_000) == b""
    assert reader.due_ms() is None
    reader.remove(2_000)
    assert reader.say(2_000) == b""


def test_a_card_that_lay_there_while_nobody_looked_was_read_all_the_same() -> None:
    reader = CardReaderModel()
    reader.hold(CARD, 0)
    reader.remove(3 * EVERY_MS - 1)
    assert reader.say(60_000) == encode(CARD) * 3


def test_another_card_takes_its_place() -> None:
    reader = CardReaderModel()
    reader.hold(CARD, 0)
    reader.say(0)
    reader.hold(OTHER, 10)
    assert reader.say(10) == encode(OTHER)


def test_power_that_comes_back_finds_the_card_lying_there() -> None:
    reader = CardReaderModel()
    reader.hold(CARD, 0)
    reader.power_on(10_000)
    assert reader.say(10_000) == encode(CARD)


def test_what_is_no_card_cannot_be_laid_on_it() -> None:
    with pytest.raises(WrongUse):
        CardReaderModel().hold("resident", 0)
