"""Inputs and outputs over gpiozero's mock pins."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from gpiozero import BadPinFactory, Device, InputDevice
from gpiozero.exc import NativePinFactoryFallback, PinFactoryFallback
from gpiozero.pins.mock import MockFactory

from drivers.contacts import GpioContact, GpioOutput
from drivers.errors import DeviceLost
from drivers.readings import DeviceState, Level, Reading
from drivers.settings import InputSettings, OutputSettings, PinLevel, Pull
from drivers.simulators.pins import set_active, wired_factory
from drivers.threaded import Retry
from tests.drivers.listening import Listener

PIN = 17
BUTTON = InputSettings(pin=PIN)
LOOP = InputSettings(pin=PIN, active=PinLevel.HIGH)  # closed at rest, to ground: a cut wire is active
BRISK = Retry(first_s=0.02, longest_s=0.05)


class Contact(Listener):
    """An input under test."""

    def __init__(self, settings: InputSettings, factory: Any) -> None:
        self.device = GpioContact("input", settings, factory, retry=BRISK)
        super().__init__(self.device)

    @property
    def levels(self) -> list[bool]:
        return [one.active for one in self.heard if isinstance(one, Level)]

    def until_levels(self, *expected: bool) -> None:
        self.until(lambda: self.levels == list(expected))


@contextmanager
def contact(settings: InputSettings, factory: Any = None) -> Iterator[tuple[Contact, Any]]:
    """An input and its pin, its first level posted."""
    factory = factory or wired_factory()
    with Contact(settings, factory) as listening:
        listening.until(lambda: len(listening.levels) == 1)
        yield listening, factory.pin(settings.pin)


@pytest.mark.parametrize("settings", [BUTTON, LOOP, InputSettings(pin=PIN, pull=Pull.DOWN, active=PinLevel.HIGH)])
@pytest.mark.parametrize("active", [True, False])
def test_the_level_at_start_is_told_first(settings: InputSettings, active: bool) -> None:
    factory = wired_factory()
    set_active(factory, settings, active=active)
    with contact(settings, factory) as (listening, _):
        assert listening.levels == [active]
        assert listening.device.state is DeviceState.OK


def test_a_press_and_its_release() -> None:
    with contact(BUTTON) as (listening, pin):
        pin.drive_low()
        listening.until_levels(False, True)
        pin.drive_high()
        listening.until_levels(False, True, False)


def test_a_bouncing_contact_is_told_once() -> None:
    with contact(InputSettings(pin=PIN, debounce_s=0.5)) as (listening, pin):
        for _ in range(20):
            pin.drive_low()
            pin.drive_high()
        pin.drive_low()
        listening.until(lambda: len(listening.levels) > 1)
        assert listening.levels == [False, True]


def test_a_cut_wire_reads_as_active() -> None:
    factory = wired_factory()
    set_active(factory, LOOP, active=False)
    with contact(LOOP, factory) as (listening, pin):
        assert listening.levels == [False]
        pin.connect(None)
        listening.until_levels(False, True)


def test_an_edge_that_gpiozero_lost_is_found_by_reading_the_pin() -> None:
    with contact(BUTTON) as (listening, pin):
        pin._when_changed = None
        pin.drive_low()
        listening.until_levels(False, True)


def test_a_button_that_sticks_is_told_as_a_fault_and_is_well_again_when_it_is_let_go() -> None:
    with contact(InputSettings(pin=PIN, stuck_s=0.2)) as (listening, pin):
        pin.drive_low()
        assert listening.until_state(DeviceState.STALE).detail.startswith("active for 0.2 s: does it stick")
        assert listening.levels == [False, True], "told once, however long it is held"
        pin.drive_high()
        listening.until_state(DeviceState.OK, count=2)
        listening.until_levels(False, True, False)


def _stamped(chatter: int) -> list[tuple[int, bool]]:
    """A press of 100 ms, 400 ms ago: ms ago and level of each edge, low first; each contact bounces."""
    press = [(400 - number, number % 2 == 1) for number in range(2 * chatter + 1)]
    return press + [(300 - number, number % 2 == 0) for number in range(2 * chatter + 1)]


FACTORIES = {
    "each edge, in time or late": _stamped(3),
    "each edge twice": [edge for edge in _stamped(3) for _ in range(2)],
    "only the first of a burst": _stamped(0),
    "the release is swallowed": _stamped(3)[:7],
}
"""What different factories make of one and the same press (hardware notes, section 4)."""


@pytest.mark.parametrize("edges", FACTORIES.values(), ids=FACTORIES)
def test_whatever_a_factory_makes_of_a_press_it_is_one_press(edges: list[tuple[int, bool]]) -> None:
    factory = wired_factory()
    with contact(BUTTON, factory) as (listening, pin):
        changed, now_s = pin._when_changed(), factory.ticks()
        for ago_ms, level in edges:
            changed(now_s - ago_ms / 1000, level)
        listening.until_levels(False, True, False)


def test_gpiozero_is_not_asked_to_debounce() -> None:
    with contact(BUTTON) as (_, pin):
        assert pin.bounce is None
        assert pin.edges == "both"


def test_a_listener_that_fails_does_not_fail_whoever_drives_the_pin() -> None:
    """A mock pin's callbacks run in the thread that drives it, and what they raise goes there."""

    class Failing(Contact):
        def _post(self, reading: Reading) -> None:
            super()._post(reading)
            if reading == Level(True):
                raise RuntimeError("the listener failed")

    factory = wired_factory()
    with Failing(BUTTON, factory) as listening:
        listening.until_levels(False)
        factory.pin(PIN).drive_low()
        assert "the listener failed" in listening.until_state(DeviceState.LOST).detail
        factory.pin(PIN).drive_high()


def test_a_pin_that_is_taken_is_lost_until_it_is_free(caplog: pytest.LogCaptureFixture) -> None:
    factory = wired_factory()
    taken = InputDevice(PIN, pull_up=True, pin_factory=factory)
    with Contact(BUTTON, factory) as listening:
        lost = listening.until_state(DeviceState.LOST)
        assert lost.detail.startswith("pin 17: ")
        taken.close()
        listening.until_state(DeviceState.OK)
        listening.until_levels(False)
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == [
        f"input: lost: {lost.detail}"
    ]


def test_a_pull_that_the_pin_cannot_have_is_named() -> None:
    with Contact(InputSettings(pin=2, pull=Pull.DOWN), wired_factory()) as listening:
        assert "pin 2: " in listening.until_state(DeviceState.LOST).detail


def test_a_machine_without_pins_is_lost_and_does_not_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Device, "pin_factory", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "nonsense")
    with Contact(BUTTON, None) as listening:
        assert listening.until_state(DeviceState.LOST).detail.startswith("pin 17: no library for pins works here")


def test_without_any_library_for_pins_one_sentence_says_so_and_no_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    """gpiozero itself warns of each of the four that it tries."""

    def finds_none() -> None:
        for name in ("lgpio", "rpigpio", "pigpio", "native"):
            warnings.warn(PinFactoryFallback(f"Falling back from {name}: not here"), stacklevel=1)
        raise BadPinFactory("Unable to load any default pin factory!")

    monkeypatch.setattr(Device, "pin_factory", None)
    monkeypatch.setattr(Device, "_default_pin_factory", staticmethod(finds_none))
    GpioOutput("lock", OutputSettings(pin=PIN))
    assert list(recwarn) == []
    (said,) = caplog.messages
    assert said.startswith(
        "lock: pin 17: no library for pins works here: is this a Raspberry Pi, is python3-lgpio installed"
    )


def test_a_library_that_is_second_best_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    def finds_another() -> MockFactory:
        warnings.warn(PinFactoryFallback("Falling back from lgpio: No module named 'lgpio'"), stacklevel=1)
        warnings.warn(NativePinFactoryFallback("Falling back to the experimental one"), stacklevel=1)
        warnings.warn("something else", UserWarning, stacklevel=1)
        return MockFactory()

    monkeypatch.setattr(Device, "pin_factory", None)
    monkeypatch.setattr(Device, "_default_pin_factory", staticmethod(finds_another))
    for pin in (PIN, PIN + 1):
        GpioOutput("lamp", OutputSettings(pin=pin)).close()
    assert [str(each.message) for each in recwarn] == ["something else"]
    (said,) = caplog.messages
    assert "python3-lgpio" in said and "No module named 'lgpio'" in said


def test_a_stopped_input_lets_its_pin_go() -> None:
    factory = wired_factory()
    with contact(BUTTON, factory):
        pass
    InputDevice(PIN, pull_up=True, pin_factory=factory).close()


# outputs


@pytest.mark.parametrize(("active", "rest"), [(PinLevel.HIGH, False), (PinLevel.LOW, True)])
def test_an_output_is_at_rest_from_the_start(active: PinLevel, rest: bool) -> None:
    factory = MockFactory()
    pin = factory.pin(PIN)
    relay = GpioOutput("lock", OutputSettings(pin=PIN, active=active), pin_factory=factory)
    assert (pin.function, pin.state) == ("output", rest)
    assert [each.state for each in pin.states][-1] is rest
    assert len(pin.states) <= 2  # no pulse: at most the one change from the floating input to rest
    relay.set(True)
    assert pin.state is not rest
    relay.set(False)
    assert pin.state is rest


def test_an_active_high_output_never_saw_another_level() -> None:
    factory = MockFactory()
    GpioOutput("lock", OutputSettings(pin=PIN), pin_factory=factory)
    factory.pin(PIN).assert_states([False])
    assert len(factory.pin(PIN).states) == 1


@pytest.mark.parametrize(("active", "rest"), [(PinLevel.HIGH, False), (PinLevel.LOW, True)])
def test_closing_returns_to_rest_and_lets_the_pin_go(active: PinLevel, rest: bool) -> None:
    factory = MockFactory()
    relay = GpioOutput("lock", OutputSettings(pin=PIN, active=active), pin_factory=factory)
    relay.set(True)
    relay.close()
    pin = factory.pin(PIN)
    assert (pin.function, pin.states[2 if rest else 1].state) == ("input", not rest)
    assert pin.states[-1].state is rest
    relay.close()
    with pytest.raises(DeviceLost, match="closed"):
        relay.set(True)


def test_an_output_that_cannot_be_had_is_lost_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    factory = MockFactory()
    taken = InputDevice(PIN, pull_up=True, pin_factory=factory)
    relay = GpioOutput("lock", OutputSettings(pin=PIN), pin_factory=factory)
    assert "lock: pin 17: " in caplog.text
    with pytest.raises(DeviceLost, match="pin 17"):
        relay.set(True)
    taken.close()
    relay.set(True)
    assert factory.pin(PIN).state is True


def test_an_output_that_fails_is_lost_and_opened_again() -> None:
    factory = MockFactory()
    relay = GpioOutput("lock", OutputSettings(pin=PIN), pin_factory=factory)
    factory.pin(PIN).function = "input"  # somebody else took the pin away
    with pytest.raises(DeviceLost, match="pin 17"):
        relay.set(True)
    relay.set(True)
    assert factory.pin(PIN).state is True
