"""What the leader on shift instructed, written down in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from central.accounts.models import User
from central.alarms.models import Alarm
from central.registry.models import Gate
from sync.contract.alarms import Level
from tests.central.web.looking import look_at
from tests.central.web.making import GateAtWork
from tests.central.web.test_escalation import allowed, risen


def written_down(page: Page, alarm: str) -> None:
    page.goto(f"/alarms/{alarm}/")
    page.get_by_label("What was instructed, or what was done").fill("shut the gate, wait for the police")
    page.get_by_role("button", name="Write down").click()
    expect(page.get_by_role("cell", name="shut the gate, wait for the police")).to_be_visible()


@pytest.mark.parametrize("width", [1200, 390])
def test_an_instruction_is_written_down(seated: BrowserContext, tmp_path: Path, width: int) -> None:
    gate = GateAtWork()
    gate.visit()
    Gate.objects.update(name="北门 North gate")
    alarm, other = risen(gate), risen(gate, Level.DUTY_ROOM)
    allowed(User.objects.get(username="li"))
    page = seated.new_page()
    page.set_viewport_size({"width": width, "height": 844})
    page.goto("/alarms/")
    expect(page.locator("#alarm-bar")).to_contain_text("No instruction yet")
    look_at(page, width)
    page.screenshot(path=tmp_path / f"alarms-{width}.png", full_page=True)
    written_down(page, alarm)
    expect(page.locator("#alarm-bar")).not_to_contain_text("No instruction yet")
    expect(page.locator("#alarm-bar")).to_contain_text("Duty room told")
    look_at(page, width)
    page.screenshot(path=tmp_path / f"alarm-{width}.png", full_page=True)
    assert not Alarm.objects.get(pk=other).acknowledged
