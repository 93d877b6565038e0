"""The infrared voice prompter (红外语音提示器): what is said to whoever comes near or leaves, before and beside the readers.

Theory of operation. A person or a vehicle at the approach is told to register and be measured, or what applies before that (a lockdown), not again within `again_s`, and not
while somebody's steps go on at the readers: who stands there is told by the visit. In a fire they are told nothing but to leave, at
any hour. A second person inside the one-metre line
is told to keep away while somebody is at the readers. Slogans are played as people pass, one after the other, when nothing else
is to be heard. In quiet hours with a volume of 0 none of it is said. At night whoever is at the approach wakes the guard.

The way out often ends in front of the sensor. Who is first seen there within `leaver_s` of somebody's going out is taken for them, and is
neither told anything nor a call for the guard: until they are out of sight (a blink of `presence_lost_s` is none), or that time is over and they
are still there. Who was there before is nobody who has gone out.
"""

from gateway.core import speech
from gateway.core.effects import Priority, Say
from gateway.core.moment import Moment
from gateway.core.phrases import Phrase
from gateway.core.policy import Policy, between
from gateway.core.tables import seconds


class Prompter:
    """Says what. `busy`: somebody's steps go on; `sounding`: an alarm does."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.person = False
        self.vehicle = False
        self._said_ms: dict[str, int] = {}
        self._slogan = 0
        self._went_out_ms: int | None = None  # when somebody last did
        self._walked_off_ms: int | None = None  # when they were out of sight
        self._leaver_until_ms: int | None = None  # until then the person may be who has gone out

    def adopt(self, policy: Policy) -> None:
        """Go by this from now on."""
        self._policy = policy

    @property
    def anybody(self) -> bool:
        """Whether anybody has come to the approach; who has just gone out has not."""
        return (self.person and self._leaver_until_ms is None) or self.vehicle

    def went_out(self, now: Moment) -> None:
        """Somebody goes out, and may be seen at the approach next."""
        self._went_out_ms, self._walked_off_ms = now.mono_ms, None

    def deadline(self) -> int | None:
        """When whoever may be who has gone out has stayed too long for that."""
        return self._leaver_until_ms

    def due(self, now: Moment, *, busy: bool, first: Phrase | None = None) -> list[Say]:
        """Whoever is still there has come, and is told so."""
        if self._leaver_until_ms is None or now.mono_ms < self._leaver_until_ms:
            return []
        self._leaver_until_ms = None
        return self._comes(now, vehicle=False, busy=busy, first=first)

    def lost(self, *, vehicle: bool) -> None:
        """The sensor is lost: what it last said is no longer known."""
        if vehicle:
            self.vehicle = False
        else:
            self.person, self._leaver_until_ms = False, None

    def approach(
        self, now: Moment, *, active: bool, vehicle: bool, busy: bool, first: Phrase | None = None
    ) -> list[Say]:
        """The sensor at the approach. `first`: what applies here before any step, and is said instead."""
        before = self.vehicle if vehicle else self.person
        if vehicle:
            self.vehicle = active
        else:
            self.person = active
            self._look_for_leaver(now, came=active and not before)
        if not active or before or (self._leaver_until_ms is not None and not vehicle and first is not Phrase.FIRE):
            return []
        return self._comes(now, vehicle=vehicle, busy=busy, first=first)

    def _look_for_leaver(self, now: Moment, *, came: bool) -> None:
        if came:
            self._leaver_until_ms = self._leaver_until(now)
        elif not self.person and self._leaver_until_ms is not None:
            self._walked_off_ms, self._leaver_until_ms = now.mono_ms, None

    def _leaver_until(self, now: Moment) -> int | None:
        """Until when whoever comes now may be who has gone out; None where they are not."""
        if self._went_out_ms is None:
            return None
        until_ms = self._went_out_ms + seconds(self._policy.prompter.leaver_s)
        blink_ms = seconds(self._policy.visit.presence_lost_s)
        gone = self._walked_off_ms is not None and now.mono_ms - self._walked_off_ms >= blink_ms
        return until_ms if now.mono_ms < until_ms and not gone else None

    def _comes(self, now: Moment, *, vehicle: bool, busy: bool, first: Phrase | None) -> list[Say]:
        what = first or (Phrase.VEHICLE if vehicle else Phrase.APPROACH)
        if what is not Phrase.FIRE and (busy or self._is_hushed(now)):
            return []
        if not self._may(what, self._policy.prompter.again_s, now):
            return []
        said = [speech.notice(what)]
        if what is Phrase.VEHICLE:
            said += self._bay(Priority.CHIME)  # nobody may sit on the page to say that it is a delivery
        if self._policy.prompter.mask and not vehicle and first is None:
            said.append(Say(Phrase.MASK, Priority.CHIME))
        return said

    def too_close(self, now: Moment, *, active: bool, busy: bool) -> list[Say]:
        """The sensor at the one-metre line."""
        if not active or not busy or self._is_hushed(now):
            return []
        if not self._may(Phrase.ONE_METRE, self._policy.prompter.distance_s, now):
            return []
        return [Say(Phrase.ONE_METRE, Priority.PROMPT)]

    def passing(self, now: Moment, *, busy: bool, sounding: bool) -> list[Say]:
        """Somebody goes by: the next slogan."""
        slogans = self._policy.prompter.slogans
        if not slogans or busy or sounding or self._is_hushed(now):
            return []
        if not self._may("slogan", self._policy.prompter.slogan_s, now):
            return []
        self._slogan = (self._slogan + 1) % len(slogans)
        return [Say(slogans[self._slogan - 1], Priority.SLOGAN)]

    def delivery(self) -> list[Say]:
        """Somebody brings something."""
        return self._bay(Priority.PROMPT)

    def _bay(self, priority: Priority) -> list[Say]:
        bay = self._policy.prompter.bay
        return [Say(Phrase.DELIVERY, priority, {"bay": bay})] if bay else []

    def volume(self, now: Moment) -> int:
        """So loud is what is said but for alarms, in per cent."""
        percent = self._policy.quiet.volume_percent
        return (percent or QUIETEST) if self._is_quiet(now) else 100

    def _is_quiet(self, now: Moment) -> bool:
        quiet = self._policy.quiet
        return quiet.begins != quiet.ends and between(quiet.begins, quiet.ends, self._policy.time_of_day(now))

    def _is_hushed(self, now: Moment) -> bool:
        return self._policy.quiet.volume_percent == 0 and self._is_quiet(now)

    def _may(self, what: str, again_s: float, now: Moment) -> bool:
        last = self._said_ms.get(what)
        if last is not None and now.mono_ms - last < seconds(again_s):
            return False
        self._said_ms[what] = now.mono_ms
        return True


QUIETEST = 20  # per cent: whoever stands at the readers is still to hear what to do
