"""A visitor from the sign at the gate to the open door: the sign's QR is read, the form filled in on a phone, the guard taps once, and
the pass on the phone's screen is read by the gate's own camera process. Office, broker, ingest, gate and browser are real."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from drivers.camera.decoders import STAGES
from menshen.demo.gate import GATE, SITE
from menshen.demo.processes import Child, free_port, menshen, run_once, wait_for_port
from tests.several_gates import Site

LONG_ENOUGH_MS = 2_100  # the office believes nobody who is quicker
CLERK = """
from central.accounts.models import User
from central.visitors.models import VisitorPolicy
User.objects.create_user("li", password=given["password"], is_staff=True, is_superuser=True)
VisitorPolicy.objects.create(site=given["site"], decides="ask", hours=2, asks_slot=True)
from central.bookings.models import TimeSlot
TimeSlot.objects.create(site=given["site"], begins="00:00", ends="23:59", places=3)
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    key = menshen(
        "office", "visitors", "key", "--from", str(tmp_path / "passes.pem")
    )  # whose public half the gate's list has
    run_once("key", key, made.env)
    made.office_does(CLERK, password="gate-of-two-gods", site=SITE)
    made.set_policy(steps__visitor=["credential", "registration"], capacity__booked="required")
    try:
        made.start("broker")
        made.start("ingest")
        yield made
    finally:
        made.close()


@pytest.fixture
def office(site: Site) -> Iterator[str]:
    """The address of the office's pages."""
    port = free_port()
    child = Child("office", menshen("office", "serve", "--port", str(port)), site.folder / "office.log", env=site.env)
    try:
        wait_for_port(child, "127.0.0.1", port)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.stop()


def desk(chromium: Browser, office: str) -> BrowserContext:
    """The guard's browser, logged in."""
    context = chromium.new_context(base_url=office, locale="en-GB", viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.goto("/login/")
    page.get_by_label("Username").fill("li")
    page.get_by_label("Password").fill("gate-of-two-gods")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/entries/")
    return context


def read_code(page: Page) -> str:
    """The QR on a page, as the gate's decoder reads it."""
    picture = cv2.imdecode(np.frombuffer(page.screenshot(full_page=True), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    (code,) = STAGES[0].load()(picture).codes
    return code.data.decode()


def fill_in(page: Page) -> None:
    page.get_by_label("您的姓名").fill("王小明")
    page.get_by_label("手机号").fill("138 0013 8000")
    page.get_by_label("找谁").fill("3-501")
    page.locator("[name=slot]:enabled").first.check()
    page.locator("[name=consent]").check()
    page.wait_for_timeout(LONG_ENOUGH_MS)
    page.get_by_role("button", name="提交").click()


@pytest.mark.timeout(240)
def test_from_the_sign_to_the_open_door(site: Site, office: str, chromium: Browser) -> None:
    site.start("gate")
    site.hear_until("ready")
    guard = desk(chromium, office)
    sign = guard.new_page()
    sign.goto(f"/visitors/sign/{GATE}/")
    sign.get_by_role("button", name="Make the sign").click()
    address = read_code(sign)
    assert address.startswith(f"{office}/v/{GATE}.")

    phone = chromium.new_context(locale="zh-CN", viewport={"width": 390, "height": 844}, device_scale_factor=2)
    page = phone.new_page()
    page.goto(address)
    fill_in(page)
    expect(page.get_by_text("请稍候")).to_be_visible()

    waiting = guard.new_page()
    waiting.goto("/visitors/")
    waiting.get_by_role("button", name="Let in").click()
    expect(waiting.get_by_text("王小明 has a pass now.")).to_be_visible()
    expect(page.locator(".pass")).to_be_visible(timeout=10_000)  # by itself
    site.wait_for_newest(GATE)
    site.stop("gate")

    screens = site.folder / "screens"
    screens.mkdir()
    page.screenshot(path=screens / "pass.png")
    site._camera = ("folder", screens)  # the phone is held before the camera
    site.configure(visits=0)
    site.start("gate")
    decision = site.hear_until("decision")
    assert decision["outcome"] == "granted", decision
    site.hear_until("door", state="released")
    ((holder,),) = site.ask_office("SELECT reference FROM holders_holder WHERE pass_type = 'visitor'")
    seen = "SELECT CAST(body AS TEXT) FROM records WHERE kind = 'visit'"
    site.wait_until("it is on record", lambda: bool(site.ask_journal(seen)))
    assert holder in site.ask_journal(seen)[0][0] and "王" not in site.ask_journal(seen)[0][0]
    for context in (guard, phone):
        context.close()
