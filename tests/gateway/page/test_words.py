"""Whatever the page can say, it says in both languages."""

import re
import tomllib

import msgspec
import pytest

from central.web.shapes import _CIRCLE, _DIAMOND, _SQUARE, _TRIANGLE, shape
from drivers.readings import DeviceState
from gateway.core.door import DoorState
from gateway.core.policy import Mode
from gateway.page.messages import Person
from gateway.page.view import _BY_DOOR, HERE, REASONS, View, lane
from gateway.page.words import FOLDER, LANGUAGES, Words, instructions
from gateway.words import word
from sync.contract.alarms import AlarmKind, Level
from sync.contract.colours import HealthCode, PassType
from sync.contract.directory import DutyRole
from sync.contract.records import Direction, DrillStage, Step, VisitOutcome
from tests.gateway.page.asking import SETUP, snapshot

TABLES = tomllib.loads((FOLDER / "words.toml").read_text("utf-8"))
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_both_languages_have_the_same_words() -> None:
    assert set(TABLES) == set(LANGUAGES)
    assert set(TABLES["en"]) == set(TABLES["zh"])


def test_a_pass_has_the_shape_that_it_has_at_the_office_and_on_a_phone() -> None:
    macros = (HERE / "templates" / "macros.html").read_text("utf-8")
    corners = {"circle": _CIRCLE, "rect": _SQUARE, "l11 20": _TRIANGLE, "l11 11-11 11": _DIAMOND}
    for kind in PassType:
        drawn = re.search(rf'kind == "{kind.value}" %}}(.*)', macros)
        assert drawn is not None
        shapes = [shape_of for mark, shape_of in corners.items() if mark in drawn[1]]
        assert shapes == [shape("pass_type", kind.value)], kind


@pytest.mark.parametrize("locks", [True, False])
def test_a_gate_without_a_lock_is_not_said_to_be_locked(*, locks: bool) -> None:
    view = View(msgspec.structs.replace(SETUP, locks=locks), "1")
    calm = snapshot(alarms=(), visiting=False)
    for language in LANGUAGES:
        words = view.words(language)
        shown = view.page(language, "", Person(name="Li", leader=False), calm, lost=False, said="")
        assert (words("lane-ready-hint") in shown) is locks
        assert (words("lane-ready-no-lock") in shown) is not locks


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_alarm_has_its_instruction(language: str) -> None:
    assert {kind.partition(".")[0] for kind in instructions()} == {kind.value for kind in AlarmKind}
    for kind, each in instructions().items():
        assert each.call in ("", *DutyRole), kind
        assert each.text[language].strip(), kind
        assert bool(CHINESE.search(each.text[language])) is (language == "zh"), kind
        assert len(each.text[language]) <= 140, "short: it is read at a glance"


@pytest.mark.parametrize("part", ["policy", "directory", "directory-age", "trust-list"])
def test_a_part_of_the_gate_that_has_no_plug_is_not_looked_for_at_its_plug(part: str) -> None:
    plug = {"en": "plug and cable", "zh": "检查插头"}
    for language in LANGUAGES:
        words = Words(language)
        assert plug[language] in words.to_do("device-lost", "scanner")
        assert plug[language] not in words.to_do("device-lost", part)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_that_a_template_asks_for_is_there(language: str) -> None:
    words = Words(language)
    asked = {
        key
        for path in (HERE / "templates").glob("*.html")
        for key in re.findall(r't\("([a-z0-9-]+)"\)', path.read_text("utf-8"))
    }
    made = {
        *(f"mode-{mode.value}" for mode in Mode), *(f"stage-{stage.value}" for stage in DrillStage),
        *(f"role-{role.value}" for role in DutyRole), *(f"code-{code.value}" for code in HealthCode),
        *(f"reason-{each}" for each in REASONS), *(f"level-{level.value}" for level in Level if level),
        *(each.value for each in Direction), *(each.value for each in PassType),
        *(f"lane-{each.key}{hint}" for each in _BY_DOOR.values() for hint in ("", "-hint")),
        *(f"device-{state.value}" for state in DeviceState),
        "lane-fire", "lane-fire-hint", "lane-ready", "lane-ready-hint", "lane-somebody", "lane-somebody-hint",
        "lane-vehicle", "lane-vehicle-hint",
    }  # fmt: skip
    assert {key for key in asked | made if not words.has(key)} == set()


def test_every_reason_that_the_desk_gives_is_said() -> None:
    sources = [*(HERE.glob("*.py"))]
    given = {reason for path in sources for reason in re.findall(r'reason="([a-z-]+)"', path.read_text("utf-8"))} | {
        "leader-only",
        "nothing-to-acknowledge",
        "nobody-there",
        "no-drill",
        "not-due",
        "no-name",
        "unknown-action",
        "too-fast",
    }
    assert {each for each in given if f"said-{each}" not in TABLES["en"]} == set()


def test_machine_words_of_alarms_steps_and_outcomes_are_known() -> None:
    for each in (*AlarmKind, *Step, *VisitOutcome):
        assert CHINESE.search(word("zh", each.value)), each


@pytest.mark.parametrize("door", list(DoorState))
@pytest.mark.parametrize("visiting", [True, False])
def test_each_state_of_the_door_is_a_state_of_the_lane(door: DoorState, visiting: bool) -> None:
    found = lane(snapshot(door=door.value, visiting=visiting, alarms=()))
    assert found.tone in ("go", "wait", "stop", "alarm", "rest")
    assert f"lane-{found.key}" in TABLES["en"]
    if door is not DoorState.LOCKED:
        assert found.key not in ("ready", "somebody")


def test_a_vehicle_that_waits_is_told_unless_somebody_is_at_the_readers() -> None:
    assert lane(snapshot(alarms=(), visiting=False, vehicle=True)).key == "vehicle"
    assert lane(snapshot(alarms=(), visiting=True, vehicle=True)).key == "somebody"
    assert lane(snapshot(alarms=(), visiting=False)).key == "ready"


def test_a_fire_outranks_everything() -> None:
    assert lane(snapshot(door="locked_down")).key == "fire"
