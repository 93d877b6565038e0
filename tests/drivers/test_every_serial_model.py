"""A walk over every model with a serial port, over real ptys: unplugged anywhere, in the middle of a frame, and plugged in under
another name behind the name that stays (/dev/serial/by-id)."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.catalogue import MODELS, Bench
from drivers.readings import CardRead, CodeRead, DeviceState, Temperature
from drivers.simulators.setup import Setup
from drivers.simulators.standalone import LINES, act, commands_of
from drivers.threaded import Retry
from tests.drivers.listening import Listener, take_name
from tests.drivers.models import REAL, settings

BRISK = Retry(first_s=0.02, longest_s=0.1)
SERIAL = [name for name in REAL if "port" in MODELS[name].settings.__dataclass_fields__]
NEEDED: dict[str, dict[str, Any]] = {
    "modbus-thermometer": {"table": "holding", "number": "float32", "steps": 1, "object_register": 0},
}
"""What the driver is told of its simulator, where its least settings do not."""
CUTS = (1, 2, 5, 8)


class Plugged(Listener):
    """A real model's driver, built as a gate builds it, at a name by id that follows its simulator."""

    def __init__(self, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.setup = Setup()
        self.line = LINES[name]("plugged", self.setup)
        self.frames: list[bytes] = []
        send = self.line._send
        monkeypatch.setattr(self.line, "_send", lambda data: (self.frames.append(data), send(data)))
        self.by_id = folder / "usb-1a86_USB_Serial-if00-port0"
        model = MODELS[name]
        self.device = model.build("plugged", settings(name, **NEEDED.get(name, {})), Bench())
        self.device._port = str(self.by_id)
        self.device._retry = BRISK
        super().__init__(self.device)

    def plug(self) -> str:
        """Plug it in, as udev does; its port."""
        self.line.plug()
        self.by_id.unlink(missing_ok=True)
        self.by_id.symlink_to(self.line.path)
        return self.line.path

    def unplug(self) -> None:
        """Pull it out."""
        self.line.unplug()
        self.by_id.unlink(missing_ok=True)

    def meet(self, before: int = 0) -> None:
        """Have it read something, and wait until more than `before` was told."""
        known = commands_of(self.line)
        for word in ("leave", "remove", "clear", "approach", "hold", "show"):
            if word in known:
                act(self.line, self.setup, word)
        self.until(lambda: len(self.told) > before)

    @property
    def told(self) -> list[object]:
        """What it read."""
        return [one for one in self.heard if isinstance(one, Temperature | CardRead | CodeRead)]


@pytest.fixture(params=SERIAL)
def plugged(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plugged]:
    plugged = Plugged(request.param, tmp_path, monkeypatch)
    plugged.line.start()
    plugged.plug()
    try:
        with plugged:
            plugged.until_state(DeviceState.OK)
            yield plugged
    finally:
        plugged.line.stop()


def test_it_is_unplugged_anywhere_and_comes_back_under_another_name(plugged: Plugged) -> None:
    plugged.meet()
    first = plugged.device.tally
    assert first.frames > 0
    assert first.last_valid_ms is not None
    assert first.reopens == 0
    frame = max(plugged.frames, key=len)
    others: list[int] = []
    for number, cut in enumerate(CUTS, 1):
        name = plugged.line.path
        with plugged.line._lock:  # or what it says itself might complete the frame that is cut
            plugged.line.inject(frame[:cut])
            plugged.unplug()
        plugged.until_state(DeviceState.LOST, count=number)
        before = len(plugged.told)
        others += take_name(name)
        assert plugged.plug() != name
        plugged.until_state(DeviceState.OK, count=number + 1)
        plugged.meet(before)
        assert all(one == plugged.told[0] or isinstance(one, Temperature) for one in plugged.told[before:])
        assert all(20 < one.measured_c < 40 for one in plugged.told if isinstance(one, Temperature))
    for fd in others:
        os.close(fd)
    assert plugged.device.tally.reopens >= len(CUTS)
    assert (plugged.device.tally.last_valid_ms or 0) > first.last_valid_ms
