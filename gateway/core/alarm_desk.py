"""The alarms' desk: what becomes of an alarm goes out at once, on record, and is said and shown."""

from collections.abc import Mapping

from gateway.core.alarm_rules import RULES
from gateway.core.alarms import AlarmBook, News
from gateway.core.effects import SendAlarm
from gateway.core.equipment import Equipment
from gateway.core.moment import Moment
from gateway.core.outbox import Outbox
from sync.contract.alarms import AlarmAction, AlarmKind
from sync.contract.records import AlarmRecord, Device

SENSED: Mapping[AlarmKind, str] = {
    AlarmKind.DOOR_FORCED: "door-contact",
    AlarmKind.DOOR_HELD_OPEN: "door-contact",
    AlarmKind.UNLATCHED: "latch",
    AlarmKind.TAMPER: "tamper",
    AlarmKind.FIRE: "fire",
}
"""Whose level says that an alarm is over."""
ENDS_WITH_THE_GATE = (AlarmKind.NIGHT_ARRIVAL, AlarmKind.PRESENCE_CHECK, AlarmKind.NETWORK, AlarmKind.POST_LOST)
"""What is found anew after a start, where it is still so."""


class AlarmDesk:
    """Enters what happens into the book and tells of it."""

    def __init__(self, book: AlarmBook, outbox: Outbox) -> None:
        self._book = book
        self._outbox = outbox

    def raise_(self, kind: AlarmKind, now: Moment, detail: str = "") -> bool:
        """Raise an alarm, or count it where it stands already. Whether that is told."""
        news = self._book.raise_(kind, now, detail)
        if news is None:
            return False
        self._tell(news)
        rule = RULES[kind]
        if rule.phrase is not None and news.action is AlarmAction.RAISED and not detail:
            self._outbox.say(rule.phrase, rule.priority)
        return True

    def over(self, kind: AlarmKind, detail: str = "", what: str = "") -> bool:
        """What lasted is over, and `what` made it so. Whether that is told."""
        news = self._book.over(kind, detail, what)
        self._tell(news)
        return news is not None

    def lasting(self, kind: AlarmKind, now: Moment, detail: str = "", *, active: bool) -> bool:
        """What lasts has begun or is over. Whether that is told: of what comes and goes all the time, not each time."""
        return self.raise_(kind, now, detail) if active else self.over(kind, detail)

    def acknowledge(self, by: str, chosen: str, note: str) -> None:
        """Somebody acknowledges one alarm, or all that are open (`chosen` empty)."""
        for alarm in self._book.open:
            if chosen in ("", alarm.id):
                self._tell(self._book.acknowledge(alarm.id, by, note))

    def answered(self, kind: AlarmKind, by: str) -> None:
        """What somebody does is the answer to alarms of this kind."""
        for alarm in self._book.open:
            if alarm.kind is kind:
                self._tell(self._book.acknowledge(alarm.id, by))

    def silence(self, by: str) -> None:
        """Somebody stops the noise."""
        for news in self._book.silence(by):
            self._tell(news)

    def noted(self, alarm: str, by: str, what: str, note: str) -> None:
        """What was instructed or done about an alarm."""
        self._tell(self._book.noted(alarm, by, what, note), ahead=any(each.id == alarm for each in self._book.open))

    def due(self, now_ms: int) -> None:
        """Alarms that nobody acknowledges rise; what came and went has not come again."""
        for news in self._book.due(now_ms):
            self._tell(news)
            rule = RULES[news.alarm.kind]
            if news.action is AlarmAction.CLEARED:
                if news.alarm.kind is AlarmKind.DEVICE_LOST:
                    self._outbox.record(Device(device=news.alarm.detail, state="ok"))
            elif rule.phrase is not None and not rule.said_once and news.alarm.id not in self._book.ended:
                self._outbox.say(rule.phrase, rule.priority)

    def forget(self, has: Equipment, *, locked_out: bool) -> None:
        """End what the last run left and nothing here will ever say is over."""
        for kind in ENDS_WITH_THE_GATE:
            self.over(kind)
        if not locked_out:
            self.over(AlarmKind.LOCK_OUT)
        for kind, use in SENSED.items():
            if not has.has(use):
                self.over(kind)
        for alarm in self._book.open:
            if alarm.kind is AlarmKind.DEVICE_LOST and not has.reports(alarm.detail):
                self.over(alarm.kind, alarm.detail)

    def _tell(self, news: News | None, *, ahead: bool = True) -> None:
        """Onto the record, and `ahead` of it, too: but not of an alarm that is closed, which would look like an open one."""
        if news is None:
            return
        if ahead:
            self._outbox.add(SendAlarm(news.action, news.alarm))
        self._outbox.record(
            AlarmRecord(action=news.action, alarm=news.alarm, by=news.by, note=news.note, what=news.what)
        )
        alarm = news.alarm
        self._outbox.show("alarm", kind=alarm.kind.value, action=news.action.value, detail=alarm.detail)
