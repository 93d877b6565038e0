"""Outputs that do not take what they are told."""

from drivers.errors import DeviceLost
from gateway.core.events import DeviceChanged
from gateway.switches import Switch


class Relay:
    """An output that can be broken."""

    name = "lock"

    def __init__(self) -> None:
        self.level: bool | None = None
        self.broken = False

    def set(self, active: bool) -> None:
        if self.broken:
            raise DeviceLost("the pin is gone")
        self.level = active

    def close(self) -> None:
        self.level = False


def test_what_it_did_not_take_is_tried_again_and_told_once_each_way() -> None:
    told: list[DeviceChanged] = []
    relay = Relay()
    switch = Switch(relay, told.append)
    switch.set(active=True)
    assert (relay.level, told) == (True, [])

    relay.broken = True
    switch.set(active=False)
    switch.again()
    assert relay.level is True
    assert told == [DeviceChanged("lock", "lost", "the pin is gone")]

    relay.broken = False
    switch.again()
    assert relay.level is False
    assert told[1:] == [DeviceChanged("lock", "ok", "")]


def test_one_that_works_is_not_switched_again() -> None:
    told: list[DeviceChanged] = []
    relay = Relay()
    switch = Switch(relay, told.append)
    switch.set(active=True)
    relay.level = None
    switch.again()
    assert relay.level is None
