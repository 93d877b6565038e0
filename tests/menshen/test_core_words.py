"""Every machine word that the core brings about has words for people, in both languages: those of its lists, and those that come
out when all written cases are played."""

import re
from collections.abc import Iterator

import pytest
from django.utils import translation

from central.web.words import TABLES
from central.web.words import word as office_word
from gateway.core.capacity import REACHED, WARNING
from gateway.core.door import DoorState
from gateway.core.effects import Say, Show
from gateway.core.events import SCARCE
from gateway.core.findings import DENYING
from gateway.core.phrases import Phrase
from gateway.core.policy import Mode
from gateway.core.portal import CREDENTIAL_NEEDED
from gateway.voice.packs import SHIPPED, load_packs
from gateway.words import word as terminal_word
from sync.contract.alarms import AlarmAction, AlarmKind
from sync.contract.records import AlarmRecord, Refused, Step, Visit, VisitOutcome
from tests.gateway.core.cases.stage import Stage
from tests.gateway.core.cases.test_cases import CASES

CHINESE = re.compile(r"[\u4e00-\u9fff]")
Word = tuple[str, str]  # the office's table, the machine word
LISTS: dict[str, set[str]] = {
    "reason": {*DENYING, CREDENTIAL_NEEDED, "part", "row", "policy"},
    "alarm": set(AlarmKind),
    "action": set(AlarmAction),
    "alarm_detail": {"referred", WARNING, REACHED, *SCARCE},
    "door": set(DoorState),
    "mode": {*Mode, "drill"},
    "outcome": set(VisitOutcome),
}
TOLD = {
    "step": ("step", "result", "reason"),
    "decision": ("outcome", "reason"),
    "door": ("state",),
    "alarm": ("kind", "action"),
}
"""What of each line of live progress the terminal puts into words."""


@pytest.fixture(scope="module")
def stages() -> list[Stage]:
    """All cases, played."""
    return [case.play() for _, case in CASES]


def _recorded(stage: Stage) -> Iterator[Word]:
    for body in stage.bodies:
        match body:
            case Visit():
                yield from (("reason", reason) for reason in (*body.reasons, *(step.reason for step in body.steps)))
                yield from (("mode", body.mode), ("outcome", body.outcome), ("credential_kind", body.credential_kind))
            case AlarmRecord(action=action, alarm=alarm):
                yield from (("alarm", alarm.kind), ("action", action))
            case Refused(reason=reason):
                yield "reason", reason


def _shown(stage: Stage) -> Iterator[str]:
    for each in stage.brought(Show):
        for name in TOLD.get(each.what, ()):
            yield from (word for word in each.values[name].split(",") if word)


def _translated(table: str, machine: str) -> bool:
    with translation.override("zh-hans"):
        return bool(CHINESE.search(office_word(table, machine)))


def test_the_office_has_words_for_all_that_the_core_can_put_on_record(stages: list[Stage]) -> None:
    listed = {(table, word) for table, words in LISTS.items() for word in words}
    recorded = {word for stage in stages for word in _recorded(stage) if word[1]}
    assert len(recorded) > 80, "the cases say less than they did"
    wordless = {(table, word) for table, word in listed | recorded if word not in TABLES[table]}
    assert wordless == set(), "give them words in central/web/words.py"
    assert {word for word in listed | recorded if not _translated(*word)} == set()


def test_the_terminal_has_words_for_all_that_the_core_shows(stages: list[Stage]) -> None:
    shown = {word for stage in stages for word in _shown(stage)} | {*Step, *DoorState, *AlarmKind, *AlarmAction}
    assert {word for word in shown if not CHINESE.search(terminal_word("zh", word))} == set()


def test_the_voice_has_words_for_all_that_the_core_says(stages: list[Stage]) -> None:
    packs = load_packs(SHIPPED, ("zh", "en"))
    said = {each.phrase for stage in stages for each in stage.brought(Say)}
    for lang in ("zh", "en"):
        known = {*Phrase, *packs.slogans(lang)}
        assert said - known == set()
        for phrase in said:
            assert packs.words(phrase, dict.fromkeys(("celsius", "number", "bay"), "1"), lang)
    assert len(set(Phrase) & said) > 40, "the cases say less than they did"
