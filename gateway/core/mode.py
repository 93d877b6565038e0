"""What the door is ordered to do: the gate's mode, and the fire input above it.

Theory of operation. Somebody orders a mode, and it holds until another is ordered, restarts included. A fire alarm
outranks every mode while it lasts, and changes none: when it is over, the mode holds again.

A schedule switches when its hours begin and when they end, and only where nobody has ordered a mode other than normal: people have
the last word, until the hours of another schedule begin. A mode that a schedule has set holds no longer than that schedule asks for it: where
it was taken out of the policy, or asks for another mode now, that follows as soon as the time is looked at, which is at each start.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from gateway.core import durable
from gateway.core.policy import Mode, ModePolicy, ModeSchedule
from sync.contract.colours import PassType


class Order(StrEnum):
    """What the door is to do by itself."""

    NORMAL = "normal"
    FREE = "free"
    LOCKDOWN = "lockdown"


class ModeInput(StrEnum):
    """What moves the order."""

    ORDER_NORMAL = "normal ordered"
    ORDER_FREE = "free ordered"
    ORDER_FREE_EXIT = "free exit ordered"
    ORDER_CLOSED = "closed management ordered"
    ORDER_LOCKDOWN = "lockdown ordered"


ORDERED: Mapping[Mode, ModeInput] = {
    Mode.NORMAL: ModeInput.ORDER_NORMAL,
    Mode.FREE: ModeInput.ORDER_FREE,
    Mode.FREE_EXIT: ModeInput.ORDER_FREE_EXIT,
    Mode.CLOSED: ModeInput.ORDER_CLOSED,
    Mode.LOCKDOWN: ModeInput.ORDER_LOCKDOWN,
}
TABLE: Mapping[Mode, Mapping[ModeInput, Mode]] = {
    mode: {ORDERED[other]: other for other in Mode if other is not mode} for mode in Mode
}
ORDERS: Mapping[Mode, Order] = {
    Mode.NORMAL: Order.NORMAL,
    Mode.FREE: Order.FREE,
    Mode.FREE_EXIT: Order.NORMAL,
    Mode.CLOSED: Order.NORMAL,
    Mode.LOCKDOWN: Order.LOCKDOWN,
}
"""What each mode orders the door; a fire alarm orders `free` in all of them."""

_KEY, _DRILL, _SCHEDULE = "mode", "drill", "schedule"


class ModeMachine:
    """The mode in force, whether it is a drill, and whether there is a fire alarm."""

    def __init__(self, state: Mapping[str, bytes]) -> None:
        self.mode = durable.read(state, _KEY, Mode, Mode.NORMAL)
        self.drill = durable.read(state, _DRILL, bool, False)
        self._schedule, self._by_schedule = durable.read(state, _SCHEDULE, tuple[str, bool], ("", False))
        self.fire = False

    def scheduled(self, schedules: Mapping[str, ModeSchedule], local: datetime) -> Mode | None:
        """Each minute: the mode to switch to by schedule, or None."""
        name = next((name for name, schedule in schedules.items() if schedule.hold(local)), "")
        if name == self._schedule and not self._by_schedule:
            return None
        free = self._by_schedule or self.mode is Mode.NORMAL
        self._schedule, self._by_schedule = name, bool(name) and free
        wanted = schedules[name].mode if name else Mode.NORMAL
        return wanted if free and wanted is not self.mode else None

    def overruled(self) -> bool:
        """Somebody orders a mode: it is not the schedule's any more. Whether it was."""
        was, self._by_schedule = self._by_schedule, False
        return was

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

    def closed_to(self, pass_type: PassType | None, policy: ModePolicy) -> bool:
        """Whether closed management keeps out whoever has a pass of this colour."""
        return self.mode is Mode.CLOSED and pass_type not in policy.closed_admits

    def durable(self) -> dict[str, bytes]:
        """What outlives a restart."""
        mode = {} if self.mode is Mode.NORMAL else {_KEY: durable.encode(self.mode)}
        schedule = {_SCHEDULE: durable.encode((self._schedule, self._by_schedule))} if self._schedule else {}
        return mode | schedule | ({_DRILL: durable.encode(True)} if self.drill else {})
