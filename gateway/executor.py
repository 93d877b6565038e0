"""Carries out the core's effects, in order, and decides nothing. What is slow is only handed on here."""

import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from drivers.interfaces import Output
from gateway.core import effects
from gateway.core.events import CommitFailed, Committed, Event
from gateway.core.moment import Moment
from gateway.journal import Journal, JournalError
from gateway.post_road import Tells
from gateway.sampling import TemperatureSampler
from gateway.switches import Switch
from sync.contract.colours import Lamp

logger = logging.getLogger("menshen.visit")


class Speaks(Protocol):
    """What the executor needs of the voice."""

    def say(self, phrase: str, values: Mapping[str, str], priority: effects.Priority) -> None:
        """Speak a phrase; does not block."""

    def unsay(self, phrases: frozenset[str]) -> None:
        """Do not say these as prompts any more, but for what has begun; does not block."""

    def tone(self, tone: effects.Tone, on: bool) -> None:
        """Loop a tone, or stop it; does not block."""

    def loud(self, on: bool) -> None:
        """The tones as loud as they go, or as always; does not block."""

    def volume(self, percent: int) -> None:
        """So loud is what is said but for alarms; does not block."""


Watcher = Callable[[effects.Effect, Moment], None]
"""Told of every effect after it was carried out: the terminal's live view, the demo's people."""


class Executor:
    """Journal, lock, lamps, voice and uplink, driven by effects."""

    def __init__(
        self,
        *,
        journal: Journal,
        post: Callable[[Event], None],
        lock: Output | None,
        lamps: Mapping[Lamp, Output],
        sounder: Output | None,
        alarm_lamp: Output | None,
        voice: Speaks,
        tells: Tells,
        sampler: TemperatureSampler | None,
        watchers: list[Watcher],
    ) -> None:
        self._journal = journal
        self._post = post
        self._switches: list[Switch] = []
        self._lock = self._switch(lock)
        self._lamps = {lamp: self._switch(output) for lamp, output in lamps.items()}
        self._sounder = self._switch(sounder)
        self._alarm_lamp = self._switch(alarm_lamp)
        self._tones: set[effects.Tone] = set()
        self._voice = voice
        self._tells = tells
        self._sampler = sampler
        self._watchers = watchers

    def carry_out(self, todo: tuple[effects.Effect, ...], now: Moment) -> None:
        """Carry out the effects of one event. What fails is logged, and holds up none behind it: the core takes each for done."""
        for effect in todo:
            for carry_out in (self._do, *self._watchers):
                try:
                    carry_out(effect, now)
                except Exception:
                    logger.exception("%s could not be carried out; going on", type(effect).__name__)

    def try_again(self) -> None:
        """Switch what an output did not take when it should have."""
        for switch in self._switches:
            switch.again()

    def _switch(self, output: Output | None) -> Switch | None:
        if output is None:
            return None
        self._switches.append(Switch(output, self._post))
        return self._switches[-1]

    @staticmethod
    def _set(switch: Switch | None, *, active: bool) -> None:
        if switch is not None:
            switch.set(active=active)

    def _do(self, effect: effects.Effect, now: Moment) -> None:
        match effect:
            case effects.Append(body, token, changes):
                self._journal.append(body, now, changes, self._answer(token))
            case effects.SetLock(released):
                self._set(self._lock, active=released)
            case effects.SetLamp(lamp):
                for colour, output in self._lamps.items():
                    self._set(output, active=colour is lamp)
            case effects.SetAlarmLamp(on):
                self._set(self._alarm_lamp, active=on)
            case effects.SendAlarm(action, alarm):
                self._tells.alarm(action, alarm, now)
            case effects.StateChanged():
                self._tells.state_changed()
            case effects.MeasureAgain():
                if self._sampler is not None:
                    self._sampler.again()
            case effects.Say() | effects.Unsay() | effects.SetTone() | effects.SetLoud() | effects.SetVolume():
                self._let_hear(effect)
            case effects.Show(what, values):
                logger.info("%s %s", what, " ".join(f"{key}={value}" for key, value in values.items()))

    def _let_hear(
        self, effect: effects.Say | effects.Unsay | effects.SetTone | effects.SetLoud | effects.SetVolume
    ) -> None:
        match effect:
            case effects.Say(phrase, priority, values):
                self._voice.say(phrase, values, priority)
            case effects.Unsay(phrases):
                self._voice.unsay(phrases)
            case effects.SetTone(tone, on):
                self._voice.tone(tone, on)
                self._sound(tone, on=on)
            case effects.SetLoud(on):
                self._voice.loud(on)
            case effects.SetVolume(percent):
                self._voice.volume(percent)

    def _sound(self, tone: effects.Tone, *, on: bool) -> None:
        """The siren runs while any tone but the pre-alarm's chirp does."""
        if tone is not effects.Tone.PRE_ALARM:
            (self._tones.add if on else self._tones.discard)(tone)
            self._set(self._sounder, active=bool(self._tones))

    def _answer(self, token: int) -> Callable[[JournalError | None], None]:
        def done(error: JournalError | None) -> None:
            if error is not None:
                self._post(CommitFailed(token, str(error)))
            elif token:
                self._post(Committed(token))

        return done
