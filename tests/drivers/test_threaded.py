"""What devices with one thread have in common: backoff, states, and a driver that fails."""

import logging
import threading

import pytest

from drivers import threaded
from drivers.errors import DeviceLost
from drivers.readings import DeviceState, DeviceStatus, Reading
from drivers.threaded import Retry, ThreadedDevice
from tests.drivers.listening import Listener

logger = logging.getLogger("menshen.test")


class Waiting(threading.Event):
    """Keeps how long was waited for it, and does not wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout or 0)
        return self.is_set()


class Scripted(ThreadedDevice):
    """Goes by a script: well, then lost; lost; or failing."""

    def __init__(self, *script: str) -> None:
        super().__init__("device", logger, Retry(first_s=0.5, longest_s=10))
        self.waiting = self._stopping = Waiting()
        self._script = iter(script)

    def _live(self) -> None:
        step = next(self._script, None)
        if step is None:
            self._stopping.set()
        elif step == "fails":
            raise KeyError("ours")
        else:
            if "well" in step:
                self._become(DeviceState.OK)
            if "stale" in step:
                self._become(DeviceState.STALE, "silent")
            raise DeviceLost("unplugged")


def run(device: Scripted) -> Listener:
    with Listener(device) as listening:
        device._thread.join(10)
    return listening


def test_the_wait_doubles_to_its_longest_and_begins_anew_once_it_was_well() -> None:
    device = Scripted(*["lost"] * 7, "well", "lost")
    run(device)
    assert device.waiting.waited == [0.5, 1, 2, 4, 8, 10, 10, 0.5, 1]


def test_each_change_of_state_is_posted_once_and_logged_when_it_goes_and_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "menshen.test")
    listening = run(Scripted("lost", "lost", "well", "well stale", "stale", "lost", "well"))
    states = [(one.state.value, one.detail) for one in listening.heard if isinstance(one, DeviceStatus)]
    lost, well, stale = ("lost", "unplugged"), ("ok", ""), ("stale", "silent")
    assert states == [lost, well, lost, well, stale, lost, stale, lost, well, lost]
    assert [record.getMessage() for record in caplog.records] == [
        "device: lost: unplugged",
        "device: ok",
        "device: lost: unplugged",
        "device: ok",
        "device: stale: silent",
        "device: ok",
        "device: lost: unplugged",
    ]


def test_a_driver_that_fails_says_that_it_is_lost_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    listening = run(Scripted("well", "fails", "well"))
    lost = [one.detail for one in listening.heard if isinstance(one, DeviceStatus) and one.state is DeviceState.LOST]
    assert lost == ["unplugged", "unplugged"]
    assert "KeyError: 'ours'" in caplog.text
    first = run(Scripted("fails"))
    assert first.heard == [DeviceStatus(DeviceState.LOST, "the driver failed: KeyError('ours')")]


def test_before_it_is_started_it_is_starting() -> None:
    device = Scripted()
    assert device.state is DeviceState.STARTING
    device.stop()


def test_another_reason_of_the_same_state_is_told_and_its_numbers_and_its_flicker_are_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now_ms = 0
    monkeypatch.setattr(threaded, "monotonic_ms", lambda: now_ms)
    device = Scripted()
    posted: list[Reading] = []
    device._post = posted.append
    said = {
        0: "it says: exception 4: it failed",
        20_000: "it says: exception 6: it failed",
        25_000: "17 bytes, 2 like one: 7f c0",
        31_000: "nothing came",  # too soon behind that
        36_000: "19 bytes, 3 like one: 0a",
        37_000: "nothing came",
    }
    for now_ms, detail in said.items():  # noqa: B007  the clock looks at it
        device._become(DeviceState.STALE, detail)
    told = [said[at] for at in (0, 25_000, 37_000)]
    assert posted == [DeviceStatus(DeviceState.STALE, each) for each in told]
    assert [record.getMessage() for record in caplog.records] == [f"device: stale: {each}" for each in told]
