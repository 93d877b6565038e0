"""A drill in a real browser: ordered, stamped, live, ended, and its report on one page."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from playwright.sync_api import BrowserContext, Page, expect

from central.accounts.models import User
from central.drills.models import Drill, DrillGate
from central.registry.models import Gate
from sync.contract.alarms import AlarmKind
from sync.contract.records import Drill as Told
from sync.contract.records import DrillStage as Stage
from tests.central.drills.test_conduct import SITE, planned
from tests.central.drills.test_pages import ALL
from tests.central.web.looking import look_at
from tests.central.web.making import GateAtWork


def gates() -> GateAtWork:
    """The north gate at work, and two others."""
    gate = GateAtWork()
    gate.visit()
    for name, said in (
        ("north-gate", "北门 North gate"),
        ("west-gate", "西门 West gate"),
        ("building-3", "3 号楼 Building 3"),
    ):
        Gate.objects.update_or_create(pk=name, defaults={"site": SITE, "admitted": True, "name": said})
    return gate


def in_mode(gate: GateAtWork) -> None:
    """The gate does what the drill orders."""
    order = DrillGate.objects.get(gate=gate.gate).order
    for stage in (Stage.ORDERED, Stage.IN_MODE):
        gate.record(Told(stage=stage, mode="lockdown", by="li", order=order))


def plan_and_order(page: Page) -> None:
    """By the proposal, with two gates more."""
    page.goto("/drills/")
    page.get_by_role("link", name="Plan this one").click()
    expect(page.get_by_label("Scenario")).to_have_value("lock-down")
    for name in ("North gate", "West gate", "Building 3"):
        page.get_by_label(name).check()
    page.get_by_label("Building or place").fill("3 号楼")
    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_text("Nobody is let in")).to_be_visible()
    page.get_by_role("button", name="Order it now").click()
    expect(page.locator("#drill-timeline")).to_contain_text("Running")


@pytest.mark.parametrize("width", [1200, 390])
def test_a_drill_from_the_proposal_to_the_report(seated: BrowserContext, tmp_path: Path, width: int) -> None:
    gate = gates()
    User.objects.get().user_permissions.add(*Permission.objects.filter(codename__in=ALL))
    page = seated.new_page()
    page.set_viewport_size({"width": width, "height": 844})
    plan_and_order(page)
    timeline = page.locator("svg.timeline")
    expect(timeline.get_by_text("not yet")).to_have_count(7)
    in_mode(gate)
    expect(timeline.get_by_text("not yet")).to_have_count(6)  # by itself
    page.get_by_role("button", name="Stamp: Supplies ready").click()
    expect(page.get_by_text("Stamped.")).to_be_visible()
    gate.alarm(AlarmKind.CALL)
    expect(page.locator("#alarm-bar")).to_contain_text("Drill")
    look_at(page, width)
    page.screenshot(path=tmp_path / f"running-{width}.png", full_page=True)
    page.get_by_role("button", name="End the drill").click()
    expect(page.locator("#drill-timeline")).to_contain_text("Over")
    assert Drill.objects.get().state == "over"
    page.get_by_role("link", name="Report to be printed").click()
    expect(page.get_by_role("heading", name="Report of the drill")).to_be_visible()
    look_at(page, width)
    page.screenshot(path=tmp_path / f"report-{width}.png", full_page=True)
    for address in ("/drills/", "/drills/plan/"):
        page.goto(address)
        look_at(page, width)
        page.screenshot(path=tmp_path / f"{address.strip('/').replace('/', '-')}-{width}.png", full_page=True)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_report_is_one_page_however_many_gates(
    seated: BrowserContext, server: str, tmp_path: Path, language: str
) -> None:
    user = User.objects.get()
    drill = planned(user, *(f"gate-{each:02}" for each in range(30)), note="全体门岗、物业、志愿者 " * 20)
    user.user_permissions.add(*Permission.objects.filter(codename__in=ALL))
    page = seated.new_page()
    page.goto(f"/drills/{drill.pk}/")
    page.get_by_role("button", name="Order it now").click()
    seated.add_cookies([{"name": "django_language", "value": language, "url": server}])
    page.goto(f"/drills/{drill.pk}/report/")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 688, "height": 1017})  # A4 within its margins
    page.screenshot(path=tmp_path / f"printed-{language}.png", full_page=True)
    printed = page.pdf(path=tmp_path / f"report-{language}.pdf", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
