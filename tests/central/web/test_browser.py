"""The pages in a real browser, from a real server."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # ships none
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django import Settings

from central.accounts.models import User, give_one_time_password
from central.alarms.models import Alarm
from central.registry.models import Gate
from sync.contract.alarms import Alarm as AtGate
from sync.contract.alarms import AlarmKind, DeviceReport
from sync.contract.colours import HealthCode, PassType
from sync.contract.records import CardSeen, Direction, VisitOutcome
from tests.central.web.conftest import PASSWORD
from tests.central.web.looking import look_at
from tests.central.web.making import GateAtWork

DEVICES = "/gates/north-gate/devices/"

pytestmark = pytest.mark.timeout(90)


def busy_day() -> GateAtWork:
    """Something of everything."""
    gate, south = GateAtWork("north-gate"), GateAtWork("south-gate")
    gate.visit(passed=True, holder="h-0101", pass_type=PassType.RESIDENT, object_c=36.5, credential="1")
    gate.visit(passed=True, holder="h-0201", pass_type=PassType.TENANT, object_c=36.4)
    Gate.objects.filter(pk="north-gate").update(name="北门 North gate")
    green: dict[str, Any] = {"health_code": HealthCode.GREEN, "object_c": 36.7}
    kept = {
        "statement": "vaccination",
        "country": "AT",
        "name": "Musterfrau-Gößinger Gabriele",
        "birth-date": "1998-02-26",
    }
    gate.visit(passed=True, holder="h-0301", pass_type=PassType.RETURNEE, credential_kind="eu-certificate", facts=kept,
               **green)  # fmt: skip
    south.visit(holder="h-0401", pass_type=PassType.VISITOR, outcome=VisitOutcome.REFERRED,
                reasons=("ambient-out-of-range", "registration-missing"), **green)  # fmt: skip
    south.visit(direction=Direction.EXIT, holder="h-0401", passed=True)
    gate.visit(outcome=VisitOutcome.DENIED, reasons=("bad-signature",), credential="9c1f0a77b2e4d516")
    gate.visit(outcome=VisitOutcome.DENIED, holder="h-0102", pass_type=PassType.RESIDENT, health_code=HealthCode.RED,
               reasons=("health-code-red",), object_c=36.9)  # fmt: skip
    gate.visit(outcome=VisitOutcome.REFERRED, reasons=("fever",), holder="h-0103", object_c=38.4, clock=False)
    gate.visit(outcome=VisitOutcome.ABANDONED, reasons=("time-out", "temperature-missing"), at_ms=1_700_000_000_000)
    gate.visit(outcome="teleported", at_ms=4_000_000_000_000)
    card: dict[str, Any] = {"portal": "main", "reader": "card-reader", "direction": Direction.ENTRY}
    gate.record(CardSeen(card="9c1f0a77b2e4d516", holder="h-0101", outcome="valid", reason="ok", **card))
    south.record(
        CardSeen(card="0a1b2c3d4e5f6071", outcome="unknown", reason="unknown-card", full=True, **card), clock=False
    )
    told = tuple(
        DeviceReport(name=f"device-{number}", state=state, valid_at_ms=1_700_000_000_000, frames=864_000)
        for number, state in enumerate(("starting", "ok", "stale", "lost"))
    )
    gate.state(door="held_open", inside=12, devices_lost=("thermometer",), devices=told, head=gate.seq + 7)
    south.state(clock_trusted=False, online=True)
    gate.alarm(AlarmKind.FEVER)
    gate.alarm(AlarmKind.DOOR_FORCED, count=3)
    gate.alarm(AlarmKind.DEVICE_LOST, detail="thermometer", acknowledged=True, acknowledged_by="guard")
    south.lose(4)
    GateAtWork("west-gate", admit=False).visit()
    return gate


def test_the_entry_log_fills_by_itself(seated: BrowserContext) -> None:
    page = seated.new_page()
    page.goto("/entries/")
    expect(page.get_by_text("appears here by itself")).to_be_visible()
    gate = GateAtWork()
    gate.visit(holder="h-0101", pass_type=PassType.RESIDENT)
    expect(page.get_by_text("h-0101")).to_be_visible()
    page.keyboard.press("/")
    expect(page.locator("input[name=q]")).to_be_focused()
    page.keyboard.type("h-0")
    gate.visit(holder="h-0102")
    expect(page.get_by_text("h-0102")).to_be_visible()
    expect(page.locator("input[name=q]")).to_be_focused()
    expect(page.locator("input[name=q]")).to_have_value("h-0")
    assert page.locator("tbody tr").first.inner_text().find("h-0102") > 0


def test_an_alarm_comes_to_the_top_and_is_acknowledged_by_keyboard_alone(seated: BrowserContext) -> None:
    page = seated.new_page()
    page.goto("/gates/")
    expect(page.get_by_text("No open alarms")).to_be_visible()
    alarm = GateAtWork().alarm(AlarmKind.DOOR_FORCED)
    expect(page.get_by_text("Door forced").first).to_be_visible()
    page.keyboard.press("a")
    page.wait_for_url(f"**/alarms/{alarm}/")
    expect(page.get_by_label("What was done")).to_be_focused()
    page.keyboard.type("went there, lock was jammed")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 alarm acknowledged.")).to_be_visible()
    expect(page.get_by_role("cell", name="went there, lock was jammed")).to_be_visible()
    expect(page.locator("#alarm-bar")).to_contain_text("Acknowledged, still open")
    assert Alarm.objects.get(pk=alarm).office_note == "went there, lock was jammed"


@pytest.mark.parametrize("width", [768, 390])
@pytest.mark.parametrize("language", ["English", "中文"], ids=["en", "zh"])
def test_on_a_tablet_and_a_phone_nothing_has_to_be_pushed_aside(
    seated: BrowserContext, width: int, language: str
) -> None:
    gate = busy_day()
    alarm = gate.alarm(AlarmKind.DOOR_FORCED)
    row = Alarm.objects.get(pk=alarm)
    held = AtGate(id=alarm, kind=AlarmKind.DOOR_FORCED, portal="main", since_ms=row.since_ms)
    gate.state(alarms=(held,), ended=(alarm,), door="forced")
    page = seated.new_page()
    page.set_viewport_size({"width": width, "height": 1024})
    page.goto("/alarms/")
    page.get_by_role("button", name=language).click()
    for address, part in (
        ("/alarms/", "#open-alarms .scroll"),
        ("/alarms/", "main > .scroll"),
        ("/entries/", "main .scroll"),
    ):
        page.goto(address)
        for each in page.locator(part).all():
            assert each.evaluate("part => part.scrollWidth - part.clientWidth") == 0, (address, part)
        look_at(page, width)
    page.goto("/alarms/")
    expect(page.locator(f"#open-{alarm} .alarm_state-over")).to_be_visible()
    button = page.locator(f"#row-{alarm}")
    button.scroll_into_view_if_needed()
    expect(button).to_be_in_viewport(ratio=1)
    page.goto("/gates/")
    expect(page.locator(".door-forced svg")).to_be_visible()
    look_at(page, width)


def test_the_alarm_list_does_not_take_away_what_is_being_typed(seated: BrowserContext) -> None:
    page, gate = seated.new_page(), GateAtWork()
    page.goto("/alarms/")
    note = page.get_by_label("What was done")
    expect(note).not_to_be_visible()  # there is nothing to acknowledge
    gate.alarm(AlarmKind.FEVER)
    note.fill("both looked at")
    gate.alarm(AlarmKind.CALL)
    expect(page.locator("#open-alarms tbody tr")).to_have_count(2)
    expect(note).to_have_value("both looked at")
    page.get_by_role("button", name="Acknowledge all that are shown").click()
    expect(page.get_by_text("2 alarms acknowledged.")).to_be_visible()


def test_a_gate_that_asks_is_admitted(seated: BrowserContext) -> None:
    page = seated.new_page()
    page.goto("/gates/")
    GateAtWork("west-gate", admit=False).visit()
    page.get_by_role("button", name="Admit west-gate").click()
    expect(page.get_by_text("Gate west-gate is admitted")).to_be_visible()


def test_the_first_login_and_both_languages(window: BrowserContext, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # what the server checks by
    password = give_one_time_password("wang")
    page = window.new_page()
    page.goto("/")
    page.get_by_label("Username").fill("wang")
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Change the password")).to_be_visible()
    page.locator("input[name=old_password]").fill(password)
    for field in ("new_password1", "new_password2"):
        page.locator(f"input[name={field}]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Entry log")).to_be_visible()
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", name="出入记录")).to_be_visible()
    page.get_by_role("link", name="门岗").click()
    expect(page.get_by_role("heading", name="门岗")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Gates")).to_be_visible()


def test_a_page_that_is_not_live_says_so(seated: BrowserContext) -> None:
    page = seated.new_page()
    page.goto("/entries/")
    sign = page.get_by_text("This page is not live")
    expect(sign).to_be_hidden()
    page.route("**/rows/**", lambda route: route.fulfill(status=502))
    expect(sign).to_be_visible()
    page.unroute("**/rows/**")
    expect(sign).to_be_hidden()


def test_a_session_that_has_ended_leads_to_the_login(seated: BrowserContext) -> None:
    page = seated.new_page()
    page.goto("/entries/?q=h-0")
    User.objects.update(is_active=False)
    page.wait_for_url("**/login/?next=%2Fentries%2F%3Fq%3Dh-0")


def test_rows_are_walked_through_and_opened_by_keyboard(seated: BrowserContext) -> None:
    page, gate = seated.new_page(), GateAtWork()
    older, newer = gate.alarm(AlarmKind.FEVER), gate.alarm(AlarmKind.DOOR_FORCED)
    page.goto("/alarms/")
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"#open-{newer}")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"#open-{older}")).to_be_focused()
    gate.alarm(AlarmKind.TAMPER)
    expect(page.locator("#open-alarms tbody tr")).to_have_count(3)
    expect(page.locator(f"#open-{older}")).to_be_focused()  # though the list was drawn anew
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/alarms/{older}/")
    expect(page.get_by_label("What was done")).to_be_focused()
    page.keyboard.press("Escape")  # out of the field
    page.keyboard.press("Escape")
    page.wait_for_url("**/alarms/")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_axe_finds_nothing(seated: BrowserContext, server: str, language: str) -> None:
    busy_day()
    seated.add_cookies([{"name": "django_language", "value": language, "url": server}])
    page = seated.new_page()
    alarm = Alarm.objects.values_list("pk", flat=True)[0]
    addresses = "/entries/", "/cards/", "/alarms/", f"/alarms/{alarm}/", "/gates/", DEVICES, "/password/", "/nowhere/"
    for address in addresses:
        _axe(page, address)
    seated.clear_cookies(name="sessionid")
    _axe(page, "/login/")


def _axe(page: Page, address: str) -> None:
    page.goto(address)
    found = Axe().run(page)
    assert found.violations_count == 0, f"{address}: {found.generate_report()}"


@pytest.mark.parametrize("width", [1280, 768])
def test_nothing_is_wider_than_the_page(seated: BrowserContext, width: int) -> None:
    busy_day()
    page = seated.new_page()
    page.set_viewport_size({"width": width, "height": 900})
    for address in ("/entries/", "/cards/", "/alarms/", "/gates/", DEVICES):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if width >= 1280:
            assert page.evaluate("[...document.querySelectorAll('.scroll')].every(e => e.scrollWidth <= e.clientWidth)")
