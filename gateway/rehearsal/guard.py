"""The guard: acknowledges what he hears after some time, registers who has no pass, and may sleep."""

from collections import deque
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.core import effects, events
from gateway.core.moment import Moment
from gateway.core.policy import between
from gateway.rehearsal.clockwork import Gatehouse, Script
from gateway.rehearsal.pace import Pace
from gateway.rehearsal.settings import GuardSettings
from sync.contract.alarms import AlarmAction
from sync.contract.records import ShiftAction

AWAKE_S = 1800.0  # who was woken does not sleep again so soon
MINUTE_S = 60.0
HEARD = (AlarmAction.RAISED, AlarmAction.REPEATED, AlarmAction.ESCALATED)


class Guard:
    """One guard, on duty all day. `asked`: whether somebody without a pass waits for him."""

    def __init__(self, gate: Gatehouse, settings: GuardSettings, pace: Pace, timezone: str) -> None:
        self.asked = False
        self._gate = gate
        self._settings = settings
        self._pace = pace
        self._zone = ZoneInfo(timezone)
        self._woken_ms: int | None = None
        self._coming: set[str] = set()
        self._missed: deque[str] = deque()

    def begin(self) -> None:
        """His shift begins."""
        self._gate.alarmed.append(self._hears)
        self._gate.send(events.ShiftChanged(ShiftAction.BEGUN, self._settings.name))
        if self._settings.sleeps_from != self._settings.sleeps_until:
            self._gate.play(self._looks_round())

    @property
    def asleep(self) -> bool:
        """Whether he sleeps."""
        now = self._gate.now
        if self._woken_ms is not None and now.mono_ms - self._woken_ms < AWAKE_S * 1000:
            return False
        sleeps = self._settings.sleeps_from, self._settings.sleeps_until
        return sleeps[0] != sleeps[1] and between(
            *sleeps, f"{datetime.fromtimestamp(now.at_ms / 1000, self._zone):%H:%M}"
        )

    # alarms

    def _hears(self, sent: effects.SendAlarm, now: Moment) -> None:
        if sent.action not in HEARD:
            return
        alarm = sent.alarm
        if self.asleep and alarm.level < self._settings.woken_by.level:
            self._missed.append(alarm.id)
            return
        if self.asleep:
            self._woken_ms = now.mono_ms
        self._goes_to(alarm.id)

    def _goes_to(self, alarm: str) -> None:
        if alarm not in self._coming:
            self._coming.add(alarm)
            self._gate.play(self._acknowledges(alarm))

    def _acknowledges(self, alarm: str) -> Script:
        yield self._pace.takes(self._settings.answers_s, self._settings.spread)
        self._coming.discard(alarm)
        self._gate.send(events.Acknowledge(self._settings.name, alarm))

    def _looks_round(self) -> Script:
        """Once awake, he finds what he has slept through."""
        while True:
            yield MINUTE_S
            while self._missed and not self.asleep:
                self._goes_to(self._missed.popleft())

    # people without a pass

    def is_asked(self, plate: str = "") -> None:
        """Somebody waits to be registered; `plate`: of their van."""
        self.asked = True
        if not self.asleep:
            self._gate.play(self._registers(plate))

    def _registers(self, plate: str) -> Script:
        yield self._pace.takes(self._settings.registers_s, self._settings.spread)
        if not self.asked:
            return  # they have given up
        if plate:
            self._gate.send(events.VehicleNoted(plate, self._settings.name, delivery=True))
        self.asked = False
        self._gate.send(events.Registered("", self._settings.name, instead=True))
