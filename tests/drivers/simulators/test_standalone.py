"""Simulators by name, and what people do to them in words."""

import pytest

from drivers.catalogue import MODELS
from drivers.errors import WrongUse
from drivers.simulators.line import UNPLUGGED
from drivers.simulators.setup import Setup
from drivers.simulators.standalone import LINES, act, commands_of

EVERY = {"cut", "noise", "stuck", "mend", "unplug", "plug"}


@pytest.mark.parametrize("name", LINES)
def test_each_is_a_model_and_says_what_can_be_done_to_it(name: str) -> None:
    line = LINES[name](name, Setup())
    known = set(commands_of(line)) - EVERY
    kind = MODELS[name].kind
    assert known == {"thermometer": {"approach", "leave", "room", "freeze", "thaw"}, "card reader": {"hold", "remove"}, "code scanner": {"show", "clear"}}[kind]  # fmt: skip
    line.stop()


def test_what_can_be_done_is_done_and_told() -> None:
    setup = Setup()
    line = LINES["gy-mcu90615"]("t", setup)
    line.start()
    try:
        assert act(line, setup, "approach 38.2 20") == "somebody of 38.2 °C, 20 cm away"
        assert act(line, setup, "leave") == "nobody is there"
        assert act(line, setup, " room  30 ") == "the room has 30.0 °C"
        assert setup.room_c == 30
        assert act(line, setup, "unplug") == "unplugged"
        assert line.path == UNPLUGGED
        assert act(line, setup, "plug") == f"plugged in: {line.path}"
    finally:
        line.stop()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("", "nothing that can be done"),
        ("explode", "nothing that can be done"),
        ("hold 000414CD7E", "nothing that can be done"),
        ("approach warm", "is no number"),
        ("approach nan", "is not between"),
        ("approach 99", "is not between 20 and 50"),
        ("room", "is no number"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_reason(said: str, why: str) -> None:
    line = LINES["gy-mcu90615"]("t", Setup())
    with pytest.raises(WrongUse, match=why):
        act(line, Setup(), said)
    line.stop()


@pytest.mark.parametrize("uid", ["no card", "12", "G" * 10])
def test_a_card_that_cannot_be_is_refused(uid: str) -> None:
    line = LINES["rdm6300"]("r", Setup())
    with pytest.raises(WrongUse):
        act(line, Setup(), f"hold {uid}")
    line.stop()


@pytest.mark.parametrize(
    ("name", "setup"),
    [
        ("rdm6300", Setup(baud=19_200)),
        ("gd60914", Setup(waits=True)),
        ("gm65", Setup(waits=True)),
        ("pn532", Setup(baud=9_600)),
    ],
)
def test_what_a_model_cannot_be_set_to_is_refused(name: str, setup: Setup) -> None:
    with pytest.raises(WrongUse, match="leave --"):
        LINES[name](name, setup)
