"""What the door is ordered to do: the gate's mode, and the fire input above it.

Theory of operation. Somebody orders a mode, and it holds until another is ordered, restarts included. A fire alarm
outranks every mode while it lasts, and changes none: when it is over, the mode holds again.
"""

from collections.abc import Mapping
from enum import StrEnum

from gateway.core import durable
from gateway.core.events import Mode


class Order(StrEnum):
    """What the door is to do by itself."""

    NORMAL = "normal"
    FREE = "free"
    LOCKDOWN = "lockdown"


class ModeInput(StrEnum):
    """What moves the order."""

    ORDER_NORMAL = "normal ordered"
    ORDER_FREE = "free ordered"
    ORDER_LOCKDOWN = "lockdown ordered"


ORDERED: Mapping[Mode, ModeInput] = {
    Mode.NORMAL: ModeInput.ORDER_NORMAL,
    Mode.FREE: ModeInput.ORDER_FREE,
    Mode.LOCKDOWN: ModeInput.ORDER_LOCKDOWN,
}
TABLE: Mapping[Mode, Mapping[ModeInput, Mode]] = {
    Mode.NORMAL: {ModeInput.ORDER_FREE: Mode.FREE, ModeInput.ORDER_LOCKDOWN: Mode.LOCKDOWN},
    Mode.FREE: {ModeInput.ORDER_NORMAL: Mode.NORMAL, ModeInput.ORDER_LOCKDOWN: Mode.LOCKDOWN},
    Mode.LOCKDOWN: {ModeInput.ORDER_NORMAL: Mode.NORMAL, ModeInput.ORDER_FREE: Mode.FREE},
}
ORDERS: Mapping[Mode, Order] = {
    Mode.NORMAL: Order.NORMAL,
    Mode.FREE: Order.FREE,
    Mode.LOCKDOWN: Order.LOCKDOWN,
}
"""What each mode orders; a fire alarm orders `free` in all of them."""

_KEY, _DRILL = "mode", "drill"


class ModeMachine:
    """The mode in force, whether it is a drill, and whether there is a fire alarm."""

    def __init__(self, state: Mapping[str, bytes]) -> None:
        self.mode = durable.read(state, _KEY, Mode, Mode.NORMAL)
        self.drill = durable.read(state, _DRILL, bool, False)
        self.fire = False

    def switch(self, mode: Mode) -> Mode | None:
        """Switch; the mode before, or None when it is the same."""
        before = self.mode
        self.mode = TABLE[before].get(ORDERED[mode], before)
        return None if self.mode is before else before

    @property
    def told(self) -> str:
        """As a visit's record names it."""
        return "drill" if self.drill else self.mode.value

    @property
    def order(self) -> Order:
        """What the door is ordered to do now."""
        return Order.FREE if self.fire else ORDERS[self.mode]

    def durable(self) -> dict[str, bytes]:
        """What outlives a restart."""
        mode = {} if self.mode is Mode.NORMAL else {_KEY: durable.encode(self.mode)}
        return mode | ({_DRILL: durable.encode(True)} if self.drill else {})
