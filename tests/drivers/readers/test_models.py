"""Each simulated scanner and reader, built as a gate builds it: something is held up, and is read once."""

import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from drivers.catalogue import MODELS, Bench
from drivers.protocols.identity_card import Field
from drivers.reader_models import READER_MODELS
from drivers.readings import CardRead, CodeRead, DeviceState
from tests.drivers.listening import Listener
from tests.drivers.test_catalogue import LEAST

HELD: dict[str, tuple[Callable[[Any], None], str]] = {
    "simulated-gm65": (lambda simulator: simulator.show("MP1:门神"), "MP1:门神"),
    "simulated-hid-scanner": (lambda simulator: simulator.show("MP1:a"), "MP1:a"),
    "simulated-id-12": (lambda simulator: simulator.hold("1F00644BB6"), "1F00644BB6"),
    "simulated-pn532": (lambda simulator: simulator.hold("24D34F59"), "24D34F59"),
    "simulated-wiegand": (lambda simulator: simulator.hold("007BB26E"), "007BB26E"),
    "simulated-identity-card": (
        lambda simulator: simulator.hold({Field.NUMBER: "11010519491231002X"}),
        "E8AD46C802679C6966AA",
    ),
}
"""How something is held up, and what is read of it; the last as openssl-dgst(1) makes it of number and key."""


def test_each_is_here() -> None:
    assert set(HELD) == {name for name in READER_MODELS if name.startswith("simulated-")}


@pytest.mark.parametrize("name", HELD)
def test_what_is_held_up_is_read_and_of_a_form_that_the_directory_takes(name: str) -> None:
    hold, expected = HELD[name]
    model = MODELS[name]
    device = model.build("device", msgspec.convert(LEAST.get(name, {}), model.settings), Bench())
    with Listener(device) as listening:
        listening.until_state(DeviceState.OK)
        hold(device.simulator)
        listening.until(lambda: any(isinstance(one, CardRead | CodeRead) for one in listening.heard))
        (read,) = [one for one in listening.heard if isinstance(one, CardRead | CodeRead)]
        if isinstance(read, CodeRead):
            assert (read.text, read.data) == (expected, expected.encode())
        else:
            assert read.uid == expected
            assert re.fullmatch(r"[0-9A-F]{8,20}", read.uid)
