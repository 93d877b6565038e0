"""The roster in a real browser."""

from pathlib import Path

import pytest
from django.utils.timezone import now as office_now
from playwright.sync_api import BrowserContext, expect

from central.accounts.models import User
from central.registry.models import Gate
from sync.contract.records import Shift, ShiftAction
from tests.central.duty.test_window import HOUR, SITE, shift
from tests.central.holders.test_browser import look_at as look_at_admin
from tests.central.web.looking import look_at
from tests.central.web.making import GateAtWork


def a_roster() -> GateAtWork:
    """A gate, and who is on duty."""
    gate = GateAtWork()
    gate.visit()
    Gate.objects.update(site=SITE, name="北门 North gate")
    now = office_now().replace(minute=0)
    shift("李明", now - HOUR, hours=24, role="leader", phone="138 0000 0001").save()
    shift("赵敏", now - HOUR, hours=12, role="duty-room", phone="010-6000 0000").save()
    shift("王五", now - 9 * HOUR, gate="north-gate").save()
    shift("张三", now - HOUR, gate="north-gate", phone="138 0000 0002").save()
    shift("孙七", now + 6 * HOUR, gate="north-gate").save()
    gate.record(Shift(action=ShiftAction.BEGUN, by="zhang"))
    gate.record(Shift(action=ShiftAction.PRESENT, by="zhang"))
    return gate


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("width", [1200, 390])
def test_the_roster(seated: BrowserContext, server: str, tmp_path: Path, width: int, language: str) -> None:
    gate = a_roster()
    User.objects.update(is_staff=True, is_superuser=True)
    page = seated.new_page()
    page.set_viewport_size({"width": width, "height": 844})
    seated.add_cookies([{"name": "django_language", "value": language, "url": server}])
    look_at_admin(page, "/admin/duty/dutyshift/", width)
    look_at_admin(page, "/admin/duty/dutyshift/add/", width)
    page.goto("/duty/")
    expect(page.locator(".duties")).to_contain_text("138 0000 0001")
    look_at(page, width)
    gate.record(Shift(action=ShiftAction.ABSENT, by="zhang"))
    missed = {"en": "presence check not answered", "zh-hans": "在岗检查未应答"}[language]
    expect(page.get_by_role("cell", name=missed, exact=True)).to_be_visible()  # by itself
    page.screenshot(path=tmp_path / f"duty-{width}-{language}.png", full_page=True)
