"""The simulated doorway, with the real drivers on its pins."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import pytest

from drivers.catalogue import MODELS, Bench
from drivers.readings import Level
from drivers.settings import (
    InputSettings,
    OutputSettings,
    PinLevel,
    SimulatedInputSettings,
    SimulatedOutputSettings,
    SimulatedThermometerSettings,
)
from drivers.simulators.doorway import Doorway
from tests.drivers.listening import Listener

INPUTS = {
    "door-contact": 6,
    "beam": 13,
    "presence": 5,
    "exit-button": 19,
    "acknowledge": 26,
    "call": 21,
    "fire": 20,
    "latch": 8,
}
PARTS: dict[str, object] = {
    **{use: SimulatedInputSettings(pin=pin) for use, pin in INPUTS.items()},
    "lock": SimulatedOutputSettings(pin=17),
    "thermometer": SimulatedThermometerSettings(),
}


class Place:
    """A doorway, its lock, and listeners at its inputs."""

    def __init__(self, stack: ExitStack) -> None:
        bench = Bench()
        self.lock = MODELS["simulated-output"].build("lock", PARTS["lock"], bench)
        self.inputs: dict[str, Listener] = {}
        for use in INPUTS:
            device = MODELS["simulated-input"].build(use, PARTS[use], bench)
            self.inputs[use] = stack.enter_context(Listener(device))
        self.door = Doorway(bench, PARTS)
        for use in INPUTS:
            self.until(use, False)

    def levels(self, use: str) -> list[bool]:
        return [one.active for one in self.inputs[use].heard if isinstance(one, Level)]

    def until(self, use: str, *levels: bool) -> None:
        self.inputs[use].until(lambda: self.levels(use) == list(levels))


@pytest.fixture
def place() -> Iterator[Place]:
    with ExitStack() as stack:
        yield Place(stack)


def test_a_locked_door_does_not_give_way(place: Place) -> None:
    assert not place.door.push()
    assert not place.door.is_open
    assert not place.door.wait_released(0)


def test_a_released_door_opens_and_falls_shut(place: Place) -> None:
    place.lock.set(True)
    assert place.door.wait_released(0)
    assert place.door.push()
    place.until("door-contact", False, True)
    place.lock.set(False)
    assert place.door.push(), "an open door stays open when the lock falls"
    place.door.close()
    place.until("door-contact", False, True, False)
    assert not place.door.push()


def test_who_waits_sees_the_lock_released_by_another_thread(place: Place) -> None:
    seen: list[bool] = []
    waiting = threading.Thread(target=lambda: seen.append(place.door.wait_released(20)))
    waiting.start()
    place.lock.set(True)
    waiting.join(20)
    assert seen == [True]


def test_a_forced_door_opens_though_it_is_locked(place: Place) -> None:
    place.door.force()
    place.until("door-contact", False, True)


def test_somebody_before_the_door(place: Place) -> None:
    place.door.presence(True)
    place.until("presence", False, True)
    place.door.presence(False)
    place.until("presence", False, True, False)


@pytest.mark.parametrize("use", ["exit-button", "acknowledge", "call", "beam"])
def test_a_press_counts_and_so_does_the_next(place: Place, use: str) -> None:
    presses: dict[str, Callable[[], None]] = {
        "exit-button": place.door.press_exit,
        "acknowledge": place.door.acknowledge,
        "call": place.door.call,
        "beam": partial(place.door.walk_through, "entry"),
    }
    presses[use]()
    presses[use]()
    place.until(use, False, True, False, True, False)


def test_any_other_input_can_be_switched(place: Place) -> None:
    place.door.switch("fire", active=True)
    place.until("fire", False, True)


def test_what_a_gate_does_not_have_nobody_can_use() -> None:
    door = Doorway(Bench(), {"thermometer": SimulatedThermometerSettings()})
    door.presence(True)
    door.press_exit()
    door.acknowledge()
    door.call()
    door.walk_through("exit")
    assert door.wait_released(0), "without a lock it stands open"
    assert door.push()
    door.close()
    assert not door.is_open


def test_a_lock_that_nobody_drives_is_not_released() -> None:
    assert not Doorway(Bench(), {"lock": OutputSettings(pin=17, active=PinLevel.LOW)}).released


def test_inputs_wired_in_any_way() -> None:
    bench = Bench()
    loop = InputSettings(pin=6, active=PinLevel.HIGH)
    door = Doorway(bench, {"door-contact": loop})
    door.close()
    assert bench.pins.pin(6).state is False
    door.force()
    assert bench.pins.pin(6).state is True


def test_a_cut_wire_reads_as_what_the_pull_makes_of_it(place: Place) -> None:
    place.door.switch("fire", active=True)
    place.until("fire", False, True)
    place.door.cut_wire("fire")  # a button to ground: open
    place.until("fire", False, True, False)
    place.door.cut_wire("none such")


def test_the_bolt_is_back_while_the_lock_is_released_or_the_door_open_or_it_is_jammed(place: Place) -> None:
    place.lock.set(True)
    place.until("latch", False, True)
    place.door.push()
    place.lock.set(False)
    place.until("door-contact", False, True)
    place.door.close()
    place.until("latch", False, True, False)
    place.door.jam_bolt(jammed=True)
    place.until("latch", False, True, False, True)
    place.door.jam_bolt(jammed=False)
    place.until("latch", False, True, False, True, False)
