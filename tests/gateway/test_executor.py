"""What the executor switches."""

from pathlib import Path

from gateway.core import effects
from gateway.core.moment import Moment
from gateway.executor import Executor
from gateway.journal import Journal
from gateway.voice import Silence
from sync.contract.alarms import Alarm, AlarmAction
from tests.gateway.test_switches import Relay


class Untold:
    """Nobody to tell."""

    def alarm(self, action: AlarmAction, alarm: Alarm, now: Moment) -> None:
        raise AssertionError("no alarm is told here")

    def state_changed(self) -> None:
        raise AssertionError("no state is told here")


def test_lamp_and_loudness_of_an_alarm_are_switched_each_for_itself(tmp_path: Path) -> None:
    now, lamp, siren = Moment(1, 1), Relay(), Relay()
    journal = Journal.open(tmp_path / "journal.sqlite", boot=bytes(16), now=now)
    try:
        executor = Executor(
            journal=journal,
            post=lambda _event: None,
            lock=None,
            lamps={},
            sounder=siren,
            alarm_lamp=lamp,
            voice=Silence(),
            tells=Untold(),
            sampler=None,
            watchers=[],
        )
        executor.carry_out((effects.SetAlarmLamp(True),), now)
        assert (lamp.level, siren.level) == (True, None)
        executor.carry_out((effects.SetLoud(True), effects.SetTone(effects.Tone.ALARM, True)), now)
        executor.carry_out((effects.SetAlarmLamp(False),), now)
        assert (lamp.level, siren.level) == (False, True)
    finally:
        journal.close()
