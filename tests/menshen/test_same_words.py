"""What guard and office call the same thing, in Chinese: one word for each."""

import tomllib
from pathlib import Path

import polib  # type: ignore[import-untyped]  # ships none
import pytest

from sync.contract.records import DrillStage

ROOT = Path(__file__).resolve().parents[2]
PAGE = tomllib.loads((ROOT / "config" / "guard-page" / "words.toml").read_text("utf-8"))
OFFICE = {
    entry.msgid: entry.msgstr
    for entry in polib.pofile(str(ROOT / "central" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"))
    if not entry.msgctxt
}


@pytest.mark.parametrize(
    ("stage", "english"), [(DrillStage.ASSEMBLED, "People assembled"), (DrillStage.SUPPLIES_READY, "Supplies ready")]
)
def test_a_drills_stages_are_called_the_same(stage: DrillStage, english: str) -> None:
    assert PAGE["zh"][f"stage-{stage}"] == OFFICE[english]


def test_an_alarm_that_is_over_does_not_stand_under_one_that_is_not() -> None:
    over, heading, word = OFFICE["Over, not acknowledged yet"], OFFICE["Open"], PAGE["zh"]["over"]
    assert over.startswith(word) and PAGE["zh"]["over-unanswered"].startswith(word) and OFFICE["over"] == word
    assert word not in heading and OFFICE["Closed"] != word
    assert heading in OFFICE["Open alarms"] and heading in OFFICE["No open alarms"]
