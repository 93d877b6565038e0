"""A visit's evidence and decision in words, for a terminal."""

from collections.abc import Iterable, Iterator

import msgspec

from gateway.core.events import CredentialResolved, Outcome, Presence, Registered, TemperatureMeasured
from gateway.core.findings import READINGS, Circumstance, Decision, Ended, Reading
from gateway.replaying.deciding import Again
from sync.contract.records import Evidence, Step, Visit
from sync.printable import printable, time_words


def in_words(again: Again) -> Iterator[str]:
    """A visit whole: who and when, the recorded decision and the new one, and what both rest on. A line each."""
    visit = again.visit
    yield f"record {again.seq}, visit {visit.visit}: {visit.direction} at {visit.portal}, {time_words(visit.started_ms)}"
    yield f"  recorded:   {_decision(Decision(visit.outcome, visit.reasons))}   (policy {visit.policy_version or 'unnamed'})"
    yield f"  re-decided: {_decided(again)}"
    yield "  evidence:"
    for kept in visit.evidence:
        yield f"    {_offset(kept, visit)}  {printable(_evidence(kept))}"


def _decided(again: Again) -> str:
    if again.decision is not None:
        return _decision(again.decision)
    return f"nothing yet: still asked for {_list(again.missing) or 'presence at the readers'}"


def _decision(decision: Decision) -> str:
    return printable(f"{decision.outcome}: {', '.join(decision.reasons)}")


def _offset(kept: Evidence, visit: Visit) -> str:
    return f"{(kept.mono_ms - visit.evidence[0].mono_ms) / 1000:+8.1f} s"


def _evidence(kept: Evidence) -> str:
    kind = READINGS.get(kept.event)
    try:
        return f"{kept.event!r} of another version" if kind is None else _reading(msgspec.convert(kept.data, kind))
    except msgspec.ValidationError as error:
        return f"{kept.event} that is damaged: {error}"


def _reading(reading: Reading) -> str:
    match reading:
        case Presence(present):
            return "somebody stands at the readers" if present else "nobody stands there any more"
        case CredentialResolved():
            return _credential(reading)
        case TemperatureMeasured():
            return _temperature(reading)
        case Registered(reference, by, instead):
            return (
                f"registered by {by}{f' as {reference}' if reference else ''}{', instead of a pass' if instead else ''}"
            )
        case Circumstance(what):
            return f"circumstance: {what}"
        case Ended(cause):
            return f"ended: {cause}"


def _credential(reading: CredentialResolved) -> str:
    verdict = reading.verdict
    whose = f" of {verdict.holder}" if verdict.holder else ""
    colour = f" ({verdict.pass_type})" if verdict.pass_type else ""
    words = [f"{verdict.kind} {verdict.credential or 'unknown'}{whose}{colour} at {reading.reader}: {verdict.outcome}"]
    words += [verdict.reason] if verdict.outcome is not Outcome.VALID else []
    words += [f"serves {_list(verdict.serves)}"] if verdict.serves else []
    words += [f"health code {verdict.health_code}"] if verdict.health_code else []
    words += ["denied by the site's policy"] if verdict.denied else []
    words += ["to stay at home"] if verdict.stays_home else []
    return ", ".join(words)


def _temperature(reading: TemperatureMeasured) -> str:
    if reading.object_c is None:
        return f"temperature at {reading.thermometer}: no reading ({reading.reason})"
    around = "unknown" if reading.ambient_c is None else f"{reading.ambient_c:.1f} °C"
    return f"temperature at {reading.thermometer}: {reading.object_c:.2f} °C as measured, surroundings {around}"


def _list(steps: Iterable[Step]) -> str:
    return ", ".join(step for step in Step if step in set(steps))
