"""The morning after a night in which people came, in a real browser."""

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from central.accounts.models import User
from central.alarms.models import Alarm
from central.registry.models import Gate
from sync.contract.alarms import AlarmAction, AlarmKind
from tests.central.web.looking import look_at
from tests.central.web.making import GateAtWork
from tests.central.web.test_alarms import EVENING, a_night

SAID = {
    "en": ("Nobody answered", "What was done", "Acknowledge all that are over", "12 alarms acknowledged."),
    "zh-hans": ("无人应答", "处理情况", "确认所有已结束的", "已确认 12 个报警。"),
}


@pytest.mark.parametrize(("width", "language"), [(390, "zh-hans"), (1200, "en")])
def test_the_calls_of_a_night_are_acknowledged_together_and_the_forced_door_is_not(
    seated: BrowserContext, server: str, tmp_path: Path, width: int, language: str
) -> None:
    unanswered, done, button, told = SAID[language]
    gate, south = GateAtWork(), GateAtWork("south-gate")
    a_night(gate, let_in=20, unanswered=12)
    a_night(south, unanswered=2, evening=EVENING + timedelta(days=1))
    forced = gate.alarm(AlarmKind.DOOR_FORCED)
    held = south.alarm(AlarmKind.DOOR_HELD_OPEN)
    south.alarm(AlarmKind.DOOR_HELD_OPEN, AlarmAction.CLEARED, id=held)
    gate.alarm(AlarmKind.CALL)
    Gate.objects.filter(pk="north-gate").update(name="北门 North gate")
    seated.add_cookies([{"name": "django_language", "value": language, "url": server}])
    page = seated.new_page()
    page.set_viewport_size({"width": width, "height": 844})
    page.goto("/entries/")
    bar = page.locator("#alarm-bar")
    expect(bar.locator("li")).to_have_count(4)
    expect(bar.locator("li").last).to_contain_text(unanswered)
    expect(bar.locator("li").first).to_contain_text("forced" if language == "en" else "强行")
    page.screenshot(path=tmp_path / f"bar-{width}.png", full_page=True)
    page.locator("#bar-unanswered").click()
    expect(page.locator("#open-alarms .listed-alarms tbody tr")).to_have_count(3)
    expect(page.locator(".nights tbody tr")).to_have_count(2)
    look_at(page, width)
    page.screenshot(path=tmp_path / f"alarms-{width}.png", full_page=True)
    page.locator("#night-north-gate-20260301").click()
    expect(page.locator("#unanswered .alarm_state-unanswered svg")).to_be_visible()
    expect(page.locator(f"#open-{forced}")).to_have_count(0)
    look_at(page, width)
    page.screenshot(path=tmp_path / f"night-{width}.png", full_page=True)
    page.get_by_label(done).fill("looked at the pictures: deliveries")
    page.get_by_role("button", name=button).click()
    expect(page.get_by_text(told)).to_be_visible()
    page.goto("/alarms/")
    expect(page.locator(".nights tbody tr")).to_have_count(1)
    expect(page.locator(f"#open-{forced} .alarm_state-new")).to_be_visible()
    page.screenshot(path=tmp_path / f"after-{width}.png", full_page=True)
    by = User.objects.get(username="li")
    assert Alarm.objects.filter(office_acknowledged_by=by).count() == 12
    assert not Alarm.objects.get(pk=held).acknowledged
