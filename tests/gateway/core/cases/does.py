"""What may happen at a gate, in the words of the cases: one sentence, one or more events."""

import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from re import Match

from drivers.readings import Hint
from gateway.core import events
from gateway.core.policy import Mode
from sync.contract.alarms import AlarmKind
from sync.contract.colours import HealthCode, PassType
from sync.contract.commands import Acknowledge, Command, Release, Say
from sync.contract.directory import CountOrder, ModeOrder
from sync.contract.records import AlarmRecord, Direction, DrillStage, ShiftAction, Step
from tests.gateway.core.acting import CARD, bad, card, health
from tests.gateway.core.cases.stage import ZONE, Stage

Deed = Callable[[Stage, Match[str]], None]
VERBS: list[tuple[re.Pattern[str], Deed]] = []
ALL = frozenset({*CARD, Step.HEALTH_CODE})
REFUSED: dict[str, tuple[events.Outcome, str, str, bool]] = {
    "unknown card": (events.Outcome.UNKNOWN, "unknown-card", "card", False),
    "card of nobody": (events.Outcome.UNKNOWN, "not-registered", "card", True),
    "lost card": (events.Outcome.REVOKED, "lost-card", "card", True),
    "unknown code": (events.Outcome.UNKNOWN, "unknown-code", "text", False),
    "forged pass": (events.Outcome.INVALID, "bad-signature", "pass", False),
    "expired pass": (events.Outcome.EXPIRED, "expired", "pass", True),
    "withdrawn pass": (events.Outcome.REVOKED, "revoked", "pass", True),
    "pass of another site": (events.Outcome.INVALID, "wrong-site", "pass", True),
    "picture of a phone": (events.Outcome.INVALID, "screenshot", "pass", False),
    "phone with a fast clock": (events.Outcome.INVALID, "phone-clock", "pass", False),
    "old health code": (events.Outcome.EXPIRED, "expired", "health-code", True),
    "old certificate": (events.Outcome.EXPIRED, "test-too-old", "eu-certificate", True),
    "certificate not taken": (events.Outcome.INVALID, "vaccine-not-accepted", "eu-certificate", True),
    "code without an answer": (events.Outcome.NEEDS_ONLINE, "no-answer", "health-code", False),
    "card without a directory": (events.Outcome.UNCHECKED, "directory-empty", "card", False),
}
"""What is refused, in people's words: outcome, reason, kind, whether it is what it claims to be."""


def verb(pattern: str) -> Callable[[Deed], Deed]:
    """Declare what a sentence does. Groups are handed over; `*` ends a sentence with whatever follows."""

    def declare(deed: Deed) -> Deed:
        VERBS.append((re.compile(pattern), deed))
        return deed

    return declare


def do(stage: Stage, sentence: str) -> None:
    """Let happen what the sentence says. Raises AssertionError for one that is not known here."""
    for pattern, deed in VERBS:
        if match := pattern.fullmatch(sentence):
            deed(stage, match)
            return
    raise AssertionError(f"nobody knows how to do {sentence!r}")


def simply(pattern: str, *sent: events.Event) -> None:
    """Declare a sentence that is always the same events."""
    verb(pattern)(lambda stage, _match: stage.send(*sent))


simply("steps up", events.Presence(True))
simply("steps away", events.Presence(False))
simply("door opens", events.DoorContact(True))
simply("door shuts", events.DoorContact(False))
simply("bolt back", events.LatchMonitor(True))
simply("bolt falls", events.LatchMonitor(False))
simply("passes", events.Crossing(None))
simply("passes in", events.Crossing(Direction.ENTRY))
simply("passes out", events.Crossing(Direction.EXIT))
simply("exit button", events.ExitRequested())
simply("call button", events.CallPressed())
simply("fire alarm", events.FireInput(True))
simply("fire over", events.FireInput(False))
simply("cover opened", events.TamperInput(True))
simply("cover shut", events.TamperInput(False))
simply("somebody comes near", events.Approach(True))
simply("nobody near", events.Approach(False))
simply("vehicle comes near", events.Approach(True, vehicle=True))
simply("no vehicle near", events.Approach(False, vehicle=True))
simply("second one too close", events.TooClose(True))
simply("second one keeps away", events.TooClose(False))
simply("acknowledge button", events.Acknowledge("button"))
simply("journal works", events.JournalWorks())
simply("journal was replaced", events.JournalReplaced("damaged"))
simply("office not heard", events.Heard("office", False))
simply("office heard", events.Heard("office", True))
simply("post not heard", events.Heard("post", False))
simply("post heard", events.Heard("post", True))
simply("room on the disk", events.DiskScarce(""))
simply("disk nearly full", events.DiskScarce("disk-nearly-full"))


for hint in Hint:
    for leaving, direction in (("", Direction.ENTRY), ("leaving, ", Direction.EXIT)):
        simply(f"{leaving}code unread: {hint}", events.CodeUnread(hint.value, "camera", direction))


@verb("nothing happens")
def _(_stage: Stage, _match: Match[str]) -> None:
    """Time alone passes."""


@verb("goes in")
def _(stage: Stage, _match: Match[str]) -> None:
    stage.send(events.DoorContact(True))
    stage.wait(1)
    stage.send(events.Crossing(None))
    stage.wait(1)
    stage.send(events.DoorContact(False))


# cards, codes, passes


def read(stage: Stage, verdict: events.Verdict, reader: str, *, leaving: bool = False, age_s: float = 0) -> None:
    """A card or code is read."""
    direction = Direction.EXIT if leaving else Direction.ENTRY
    read_ms = stage.gate.now.mono_ms - round(age_s * 1000)
    stage.send(events.CredentialResolved(verdict, reader, direction, read_ms))


def _at(stage: Stage, hhmm: str) -> int:
    local = datetime.fromtimestamp(stage.gate.now.at_ms / 1000, ZONE)
    return int(local.replace(hour=int(hhmm[:2]), minute=int(hhmm[3:]), second=0, microsecond=0).timestamp())


def _with(stage: Stage, verdict: events.Verdict, said: str) -> events.Verdict:
    match said.split():
        case ["not", "registered"]:
            return replace(verdict, serves=verdict.serves - {Step.REGISTRATION})
        case ["needs", "time"]:
            return replace(verdict, extended=True)
        case ["to", "stay", "home"]:
            return replace(verdict, stays_home=True)
        case ["booked", begins, "to", ends]:
            return replace(verdict, booked=((_at(stage, begins), _at(stage, ends)),))
        case ["code", number]:
            return replace(verdict, counter=int(number))
        case ["with", colour, "code"]:
            return replace(verdict, serves=ALL, health_code=HealthCode(colour))
    raise AssertionError(f"nobody knows a card that is {said!r}")


@verb(rf"(?P<leaving>leaving, )?(?P<what>{'|'.join(REFUSED)})(?P<number> \d+)?(?P<denied>, denied by policy)?")
def _(stage: Stage, match: Match[str]) -> None:
    outcome, reason, kind, genuine = REFUSED[match["what"]]
    verdict = bad(
        outcome, reason, f"{kind}{match['number'] or ''}", kind, genuine=genuine, denied=bool(match["denied"])
    )
    read(stage, verdict, "exit-reader" if match["leaving"] else "entry-reader", leaving=bool(match["leaving"]))


@verb(
    r"(?P<leaving>leaving, )?(?P<kind>card|pass) of (?P<colour>\w+) (?P<who>\S+?)(?P<more>(, [^,]+)*?)(?P<side> at the side)?"
)
def _(stage: Stage, match: Match[str]) -> None:
    colour = None if match["colour"] == "somebody" else PassType(match["colour"])
    verdict = card(match["who"], colour, kind=match["kind"], credential=f"{match['kind']}-{match['who']}")
    for said in match["more"].split(", ")[1:]:
        verdict = _with(stage, verdict, said)
    reader = "side-reader" if match["side"] else "entry-reader"
    read(stage, verdict, "exit-reader" if match["leaving"] else reader, leaving=bool(match["leaving"]))


@verb(r"(?P<leaving>leaving, )?(?P<colour>green|yellow|red|unclear) (?P<kind>code|certificate)( of (?P<who>\S+))?")
def _(stage: Stage, match: Match[str]) -> None:
    colour = None if match["colour"] == "unclear" else HealthCode(match["colour"])
    who = match["who"] or ""
    verdict = health(colour, f"{match['colour']}-{match['kind']}-{who}", who)
    if match["kind"] == "certificate":
        verdict = replace(verdict, kind="eu-certificate", facts={"statement": "vaccination"})
    read(stage, verdict, "exit-reader" if match["leaving"] else "entry-reader", leaving=bool(match["leaving"]))


# temperature


@verb(r"forehead (?P<object>[\d.]+)( in (?P<ambient>-?[\d.]+))?(, (?P<age>[\d.]+)s ago)?")
def _(stage: Stage, match: Match[str]) -> None:
    _measured(stage, float(match["object"]), float(match["ambient"] or 24), "ok", float(match["age"] or 0))


@verb(r"forehead (?P<object>[\d.]+), surroundings not known")
def _(stage: Stage, match: Match[str]) -> None:
    _measured(stage, float(match["object"]), None, "ok")


@verb(r"no temperature: (?P<reason>\S+)")
def _(stage: Stage, match: Match[str]) -> None:
    _measured(stage, None, 24.0, match["reason"])


def _measured(stage: Stage, object_c: float | None, ambient_c: float | None, reason: str, age_s: float = 0) -> None:
    stage.send(
        events.TemperatureMeasured(
            thermometer="thermometer",
            object_c=object_c,
            ambient_c=ambient_c,
            samples=5,
            reason=reason,
            read_mono_ms=stage.gate.now.mono_ms - round(age_s * 1000),
        )
    )


# the guard


@verb(r"(?P<by>\w+) registers them(?P<instead>, who have no pass)?")
def _(stage: Stage, match: Match[str]) -> None:
    stage.send(events.Registered("entry-1", match["by"], bool(match["instead"])))


@verb(r"(?P<by>\w+) opens(: (?P<why>.+))?")
def _(stage: Stage, match: Match[str]) -> None:
    stage.send(events.GuardRelease(match["by"], match["why"] or ""))


@verb(r"(?P<by>\w+) orders (?P<mode>[a-z-]+)(?P<drill> as a drill)?")
def _(stage: Stage, match: Match[str]) -> None:
    stage.send(events.ModeOrdered(Mode(match["mode"]), match["by"], bool(match["drill"])))


@verb(r"(?P<by>\w+) counts (?P<inside>-?\d+)")
def _(stage: Stage, match: Match[str]) -> None:
    stage.send(events.CountCorrected(int(match["inside"]), match["by"]))


@verb(r"(?P<by>\w+) acknowledges( (?P<kind>[a-z-]+))?(: (?P<note>.+))?")
def _(stage: Stage, match: Match[str]) -> None:
    chosen = _alarm(stage, match["kind"]) if match["kind"] else ""
    stage.send(events.Acknowledge(match["by"], chosen, match["note"] or ""))


@verb(r"(?P<by>\w+) stops the siren")
def _(stage: Stage, match: Match[str]) -> None:
    stage.send(events.SirenStopped(match["by"]))


@verb(r"(?P<by>\w+) (?P<what>instructs|did) on (?P<kind>[a-z-]+): (?P<note>.+)")
def _(stage: Stage, match: Match[str]) -> None:
    what = "instruction" if match["what"] == "instructs" else "done"
    stage.send(events.AlarmNoted(_alarm(stage, match["kind"]), match["by"], what, match["note"]))


def _alarm(stage: Stage, kind: str) -> str:
    """The id of the last alarm of this kind, open or not."""
    known = [each.alarm.id for each in stage.gate.bodies(AlarmRecord) if each.alarm.kind is AlarmKind(kind)]
    known += [alarm.id for alarm in stage.gate.core.status().alarms if alarm.kind is AlarmKind(kind)]
    return known[-1]


@verb(r"(?P<by>\w+) begins the shift")
def _(stage: Stage, match: Match[str]) -> None:
    stage.send(events.ShiftChanged(ShiftAction.BEGUN, match["by"]))


@verb(r"(?P<by>\w+) hands over to (?P<to>\w+)(: (?P<note>.+))?")
def _(stage: Stage, match: Match[str]) -> None:
    stage.send(events.ShiftChanged(ShiftAction.HANDED_OVER, match["by"], match["to"], match["note"] or ""))


@verb(r"(?P<by>\w+) ends the shift")
def _(stage: Stage, match: Match[str]) -> None:
    stage.send(events.ShiftChanged(ShiftAction.ENDED, match["by"]))


@verb(r"(?P<by>\w+) confirms (?P<round>\S+)")
def _(stage: Stage, match: Match[str]) -> None:
    stage.send(events.RoundConfirmed(match["round"], match["by"]))


@verb(r"(?P<by>\w+) stamps (?P<stage>[a-z-]+)")
def _(stage: Stage, match: Match[str]) -> None:
    stage.send(events.DrillStamped(DrillStage(match["stage"]), match["by"]))


@verb(r"(?P<by>\w+) notes the plate (?P<plate>\S+?)(?P<delivery>, a delivery)?")
def _(stage: Stage, match: Match[str]) -> None:
    stage.send(events.VehicleNoted(match["plate"], match["by"], bool(match["delivery"])))


# the office


@verb(r"office commands (?P<what>release|say \S+|acknowledge \S+)(?P<number> \d+)?")
def _(stage: Stage, match: Match[str]) -> None:
    number = int(match["number"] or 1)
    stage.send(events.Commanded(_command(stage, match["what"], f"{number:032x}")))


def _command(stage: Stage, what: str, name: str) -> Command:
    until = stage.gate.now.mono_ms + 5_000
    match what.split():
        case ["say", phrase]:
            return Say(gate="main", id=name, boot="0" * 32, not_after_mono=until, by="office", phrase=phrase)
        case ["acknowledge", kind]:
            alarm = _alarm(stage, kind)
            return Acknowledge(gate="main", id=name, boot="0" * 32, not_after_mono=until, by="office", alarm=alarm)
    return Release(gate="main", id=name, boot="0" * 32, not_after_mono=until, by="office", reason="asked by phone")


@verb(r"office wants (?P<mode>[a-z-]+)(?P<drill> as a drill)? here, order (?P<order>\w+)")
def _(stage: Stage, match: Match[str]) -> None:
    order = ModeOrder(
        id=match["order"] * 32,
        mode=match["mode"],
        by="chief",
        at_ms=stage.gate.now.at_ms,
        drill=bool(match["drill"]),
    )
    stage.send(events.Desired({"main": order}))


@verb(r"office counts (?P<inside>\d+), order (?P<order>\w+)")
def _(stage: Stage, match: Match[str]) -> None:
    order = CountOrder(id=match["order"] * 32, inside=int(match["inside"]), by="chief", at_ms=stage.gate.now.at_ms)
    stage.send(events.Desired({}, order))


@verb(r"office tells (?P<elsewhere>-?\d+) came in elsewhere")
def _(stage: Stage, match: Match[str]) -> None:
    stage.send(events.SiteCount(int(match["elsewhere"]), stage.gate.now.at_ms))


@verb(r"policy becomes (?P<toml>.+)")
def _(stage: Stage, match: Match[str]) -> None:
    stage.becomes(tomllib.loads(match["toml"].replace(" and ", "\n")))


# the machine


@verb(r"(?P<device>[a-z-]+) (?P<state>lost|stale|back)")
def _(stage: Stage, match: Match[str]) -> None:
    state = "ok" if match["state"] == "back" else match["state"]
    stage.send(events.DeviceChanged(match["device"], state, "unplugged" if state == "lost" else ""))


@verb(r"journal is slow")
def _(stage: Stage, _match: Match[str]) -> None:
    stage.gate.answers = False


@verb(r"journal has it")
def _(stage: Stage, _match: Match[str]) -> None:
    stage.answer(events.Committed)


@verb(r"journal cannot write it")
def _(stage: Stage, _match: Match[str]) -> None:
    stage.answer(events.CommitFailed, "disk full")


@verb(r"clock steps by (?P<seconds>-?\d+)s")
def _(stage: Stage, match: Match[str]) -> None:
    step_ms = int(match["seconds"]) * 1000
    stage.gate.now = replace(stage.gate.now, at_ms=stage.gate.now.at_ms + step_ms)
    stage.send(events.ClockStepped(step_ms, True))


@verb(r"power cut for (?P<number>\d+)(?P<unit>s|min|h)")
def _(stage: Stage, match: Match[str]) -> None:
    stage.restart(int(match["number"]) * {"s": 1, "min": 60, "h": 3600}[match["unit"]])
