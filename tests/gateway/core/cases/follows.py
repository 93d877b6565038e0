"""What must follow, in the words of the cases: one sentence, one look at the gate."""

import re
from collections.abc import Callable
from operator import attrgetter
from re import Match

from gateway.core import effects
from sync.contract import records
from sync.contract.alarms import Level
from sync.contract.records import KINDS, AlarmRecord
from tests.gateway.core.acting import measures_again, said
from tests.gateway.core.cases.stage import Stage

Look = Callable[[Stage, Match[str]], None]
LOOKS: list[tuple[re.Pattern[str], Look]] = []
_ACTION = re.compile(r"(?P<action>[a-z]+)( to (?P<level>[a-z-]+))?( by (?P<by>\w+))?( x(?P<count>\d+))?")


def look(pattern: str) -> Callable[[Look], Look]:
    """Declare what a sentence looks at."""

    def declare(looking: Look) -> Look:
        LOOKS.append((re.compile(pattern), looking))
        return looking

    return declare


def see(stage: Stage, sentence: str) -> None:
    """Look whether it is so. Raises AssertionError where it is not, or the sentence is not known here."""
    for pattern, looking in LOOKS:
        if match := pattern.fullmatch(sentence):
            looking(stage, match)
            return
    raise AssertionError(f"nobody knows how to look whether {sentence!r}")


def _words(text: str) -> list[str]:
    return [] if text in ("", "none", "nothing", "nobody") else text.split(", ")


@look(r"(?P<outcome>granted|denied|referred|abandoned)(: (?P<reasons>[a-z, -]+))?")
def _(stage: Stage, match: Match[str]) -> None:
    """The next visit on record that no line has spoken for."""
    assert stage.visits, "no visit has ended"
    visit = stage.visits.pop(0)
    wanted = _words(match["reasons"] or "ok")
    assert (visit.outcome.value, list(visit.reasons)) == (match["outcome"], wanted)


@look(r"no visit has ended")
def _(stage: Stage, _match: Match[str]) -> None:
    assert stage.visits == []


@look(r"door (?P<state>[a-z_]+)")
def _(stage: Stage, match: Match[str]) -> None:
    assert stage.gate.core.status().door == match["state"]


@look(r"lock (?P<state>released|at rest)")
def _(stage: Stage, match: Match[str]) -> None:
    assert stage.gate.released is (match["state"] == "released")


@look(r"lamp (?P<colour>\w+)")
def _(stage: Stage, match: Match[str]) -> None:
    assert stage.gate.lamp.value == match["colour"]


@look(r"says (?P<phrases>.+)")
def _(stage: Stage, match: Match[str]) -> None:
    """All that the last line made it say, in order, each with its values."""
    spoken = [each for each in stage.found if isinstance(each, effects.Say)]
    assert [" ".join([each.phrase, *each.values.values()]) for each in spoken] == _words(match["phrases"])


@look(r"does not say (?P<phrase>\S+)")
def _(stage: Stage, match: Match[str]) -> None:
    assert match["phrase"] not in said(stage.found)


@look(r"measures again")
def _(stage: Stage, _match: Match[str]) -> None:
    assert measures_again(stage.found)


@look(r"(?P<inside>-?\d+) inside")
def _(stage: Stage, match: Match[str]) -> None:
    assert stage.gate.core.status().inside == int(match["inside"])


@look(r"alarm (?P<kind>[a-z-]+)(\((?P<detail>[\w-]+)\))? (?P<actions>.+)")
def _(stage: Stage, match: Match[str]) -> None:
    """What has become of alarms of a kind, in order; no other line has spoken for it."""
    for action in _words(match["actions"]):
        told = _ACTION.fullmatch(action)
        assert told is not None, action
        _claim(stage, match["kind"], match["detail"], told)


def _claim(stage: Stage, kind: str, detail: str | None, told: Match[str]) -> None:
    same = [each for each in stage.alarms if each.alarm.kind == kind and detail in (None, each.alarm.detail)]
    assert same, f"nothing more has become of an alarm {kind}"
    first = same[0]
    stage.alarms.remove(first)
    assert first.action.value == told["action"], first
    assert told["level"] is None or first.alarm.level is Level[told["level"].upper().replace("-", "_")], first
    assert told["by"] is None or first.by == told["by"], first
    assert told["count"] is None or first.alarm.count == int(told["count"]), first


@look(r"no (new )?alarm")
def _(stage: Stage, _match: Match[str]) -> None:
    """Nothing has become of any that no line has spoken for."""
    assert [(each.alarm.kind.value, each.action.value) for each in stage.alarms] == []


@look(r"open alarms (?P<kinds>.+)")
def _(stage: Stage, match: Match[str]) -> None:
    assert sorted(alarm.kind.value for alarm in stage.gate.core.status().alarms) == sorted(_words(match["kinds"]))


@look(r"every alarm was sent before it was written")
def _(stage: Stage, _match: Match[str]) -> None:
    order = [each for each in stage.found if isinstance(each, effects.SendAlarm | effects.Append)]
    for number, each in enumerate(order):
        if isinstance(each, effects.Append) and isinstance(each.body, AlarmRecord):
            sent = order[number - 1]
            assert isinstance(sent, effects.SendAlarm) and sent.alarm == each.body.alarm


@look(r"sounds (?P<tones>.+)")
def _(stage: Stage, match: Match[str]) -> None:
    assert sorted(tone.value for tone in stage.gate.tones) == sorted(_words(match["tones"]))


@look(r"(?P<how>loud|not loud)")
def _(stage: Stage, match: Match[str]) -> None:
    louder = [each.on for each in stage.gate.seen if isinstance(each, effects.SetLoud)]
    assert (louder or [False])[-1] is (match["how"] == "loud")


@look(r"the alarm lamp is (?P<state>on|off)")
def _(stage: Stage, match: Match[str]) -> None:
    lit = [each.on for each in stage.gate.seen if isinstance(each, effects.SetAlarmLamp)]
    assert (lit or [False])[-1] is (match["state"] == "on")


@look(r"volume (?P<percent>\d+)")
def _(stage: Stage, match: Match[str]) -> None:
    told = [each.percent for each in stage.gate.seen if isinstance(each, effects.SetVolume)]
    assert (told or [100])[-1] == int(match["percent"])


@look(r"mode (?P<mode>[a-z-]+)(?P<drill>, a drill)?")
def _(stage: Stage, match: Match[str]) -> None:
    status = stage.gate.core.status()
    assert (status.mode, status.drill) == (match["mode"], bool(match["drill"]))


@look(r"on shift (?P<guard>\w+)")
def _(stage: Stage, match: Match[str]) -> None:
    assert [stage.gate.core.status().guard] == (_words(match["guard"]) or [""])


@look(r"waiting (?P<rounds>.+)")
def _(stage: Stage, match: Match[str]) -> None:
    assert sorted(stage.gate.core.status().rounds) == sorted(_words(match["rounds"]))


@look(r"stages (?P<stages>.+)")
def _(stage: Stage, match: Match[str]) -> None:
    assert [each.value for each in stage.gate.core.status().drill_stages] == _words(match["stages"])


@look(r"lost (?P<devices>.+)")
def _(stage: Stage, match: Match[str]) -> None:
    assert list(stage.gate.core.status().devices_lost) == _words(match["devices"])


@look(r"(?P<number>\d+) records? of (?P<kind>[a-z-]+)")
def _(stage: Stage, match: Match[str]) -> None:
    kind = KINDS[match["kind"]]
    assert sum(isinstance(body, kind) for body in stage.bodies) == int(match["number"])


@look(r"last (?P<kind>[a-z-]+): (?P<fields>.+)")
def _(stage: Stage, match: Match[str]) -> None:
    """The last record of a kind: `field=value`, by dots where it has parts, and empty for what is not there."""
    kind = KINDS[match["kind"]]
    last = [body for body in stage.bodies if isinstance(body, kind)][-1]
    for field in _words(match["fields"]):
        name, _, value = field.partition("=")
        found = attrgetter(name)(last)
        assert str("" if found is None else found) == value, f"{name} is {found!r}"


@look(r"of the last visit")
def _(stage: Stage, _match: Match[str]) -> None:
    """The last record of a vehicle is."""
    visits = [body for body in stage.bodies if isinstance(body, records.Visit)]
    vehicles = [body for body in stage.bodies if isinstance(body, records.Vehicle)]
    assert vehicles[-1].visit == visits[-1].visit


@look(r"the command was (?P<outcome>\w+)(, (?P<reason>[a-z-]+))?")
def _(stage: Stage, match: Match[str]) -> None:
    answer = stage.gate.core.status().commands[-1]
    assert (answer.outcome.value, answer.reason) == (match["outcome"], match["reason"] or "")
