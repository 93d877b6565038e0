"""Simulated scanners and readers, built as a gate builds them: something is held up, and is read once. That each model reads at all is
the walk's (`tests/drivers/test_walk.py`)."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from drivers.catalogue import MODELS, Bench
from drivers.protocols.identity_card import Field
from drivers.readings import CardRead, CodeRead, DeviceState
from tests.drivers.listening import Listener
from tests.drivers.models import settings

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
TOLD: dict[str, dict[str, Any]] = {"simulated-identity-card": {"key": "a key of this site"}}


@pytest.mark.parametrize("name", HELD)
def test_what_is_held_up_is_read_and_of_a_form_that_the_directory_takes(name: str) -> None:
    hold, expected = HELD[name]
    model = MODELS[name]
    device = model.build("device", settings(name, **TOLD.get(name, {})), Bench())
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
