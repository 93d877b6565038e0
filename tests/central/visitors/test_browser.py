"""The visitors' pages on a phone and on a desk, in a real browser."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # ships none
from django.utils.timezone import now as office_now
from playwright.sync_api import BrowserContext, Page, expect

from central.bookings.models import TimeSlot
from central.registry.models import Gate
from central.visitors.deciding import approve, refuse
from central.visitors.models import Registration, VisitorPolicy
from central.visitors.signs import renew, token_of
from drivers.camera.decoders import STAGES
from tests.central.visitors.conftest import SITE

pytestmark = pytest.mark.timeout(120)
LONG_ENOUGH_MS = 2_100  # the served office believes nobody who is quicker


def site() -> str:
    """A site with everything; the address of its form."""
    VisitorPolicy.objects.create(
        site=SITE, shown_name="花园小区 Garden Court", decides="ask", asks_slot=True, bays="A1 A2 B1"
    )
    TimeSlot.objects.create(site=SITE, begins="00:00", ends="12:00", places=20)
    TimeSlot.objects.create(site=SITE, begins="12:00", ends="23:59", places=1)
    gate = Gate.objects.create(pk="north-gate", name="北门 North gate", admitted=True, site=SITE)
    return f"/v/{token_of(renew(gate, office_now()))}/"


def look_at(page: Page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
    small = page.evaluate(
        "[...document.querySelectorAll('button, input:not([type=hidden]):not([name=more]), select')].filter(each => each.offsetParent)"
        ".filter(each => (each.closest('label.choice') || each).getBoundingClientRect().height < 40).map(each => each.outerHTML)"
    )
    assert small == [] or page.locator("header.top").count(), "a thumb must hit them"
    found = Axe().run(page)
    assert found.violations_count == 0, f"{page.url}: {found.generate_report()}"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("width", [390, 1200])
def test_everything_can_be_read_by_everybody(
    window: BrowserContext, server: str, key: Path, language: str, width: int
) -> None:
    address = site()
    window.add_cookies([{"name": "django_language", "value": language, "url": server}])
    page = window.new_page()
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(address)
    look_at(page, width)
    page.locator("input[value=delivery]").check()
    expect(page.locator("[name=goods]")).to_be_visible()
    page.locator("input[value=visit]").check()
    expect(page.locator("[name=goods]")).to_be_hidden()
    page.locator("[name=phone]").fill("abc")
    page.wait_for_timeout(LONG_ENOUGH_MS)
    page.locator(".send").click()
    expect(page.locator(".wrong")).to_have_count(6)  # at the top, and beside five fields
    look_at(page, width)
    page.locator("[name=name]").fill("王小明")
    page.locator("[name=phone]").fill("13800138000")
    page.locator("[name=whom]").fill("李四 3-501")
    page.locator("input[value=delivery]").check()
    page.locator("[name=goods]").fill("冰箱 fridge")
    page.locator("[name=bay]").select_option("A2")
    page.locator("[name=slot]:enabled").last.check()
    page.locator("[name=consent]").check()
    page.wait_for_timeout(LONG_ENOUGH_MS)
    page.locator(".send").click()
    expect(page.locator(".answer.wait")).to_be_visible()
    look_at(page, width)
    kept = Registration.objects.get()
    Registration.objects.update(slot_begins=None, slot_ends=None)
    approve(kept.pk, None, office_now())
    expect(page.locator(".pass")).to_be_visible()
    look_at(page, width)
    Registration.objects.update(ends=office_now())
    page.reload()
    expect(page.locator(".answer.no")).to_be_visible()
    look_at(page, width)


def test_the_pass_is_read_from_the_phones_screen_as_the_gate_reads(window: BrowserContext, key: Path) -> None:
    import cv2
    import numpy as np

    address = site()
    gate = Gate.objects.get()
    kept = Registration.objects.create(
        form="1", site=SITE, gate=gate, name="王", phone="138001", whom="x", made_at=office_now()
    )
    approve(kept.pk, None, office_now())
    kept.refresh_from_db()
    page = window.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/v/pass/{kept.token}/")
    picture = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert [seen.data for seen in STAGES[0].load()(picture).codes] == [kept.pass_text.encode()]
    assert address


def test_the_language_is_switched_on_the_phone_and_what_was_refused_is_told(
    window: BrowserContext, server: str
) -> None:
    page = window.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(site())
    expect(page.get_by_role("heading", name="Visitors register here")).to_be_visible()
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", name="访客登记")).to_be_visible()
    gate = Gate.objects.get()
    kept = Registration.objects.create(
        form="1", site=SITE, gate=gate, name="王", phone="138001", whom="x", made_at=office_now()
    )
    page.goto(f"/v/pass/{kept.token}/")
    expect(page.locator(".answer.wait")).to_be_visible()
    refuse(kept.pk, None, office_now())
    expect(page.locator(".answer.no")).to_be_visible()
    look_at(page, 390)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("width", [390, 1200])
def test_the_clerks_pages(seated: BrowserContext, server: str, key: Path, language: str, width: int) -> None:
    site()
    gate = Gate.objects.get()
    for number in range(3):
        Registration.objects.create(
            form=str(number), site=SITE, gate=gate, name=f"王小明 {number}", phone="13800138000", whom="李四 3-501",
            purpose="delivery", goods="冰箱 fridge", bay="A2", plate="京A12345", made_at=office_now(),
        )  # fmt: skip
    seated.add_cookies([{"name": "django_language", "value": language, "url": server}])
    page = seated.new_page()
    page.set_viewport_size({"width": width, "height": 844})
    page.goto("/visitors/")
    page.locator("button[name=approve]").first.click()
    expect(page.locator(".message.success")).to_be_visible()
    expect(page.locator("button[name=approve]")).to_have_count(2)
    page.locator("button[name=refuse]").first.click()
    expect(page.locator(".visitor")).to_have_count(1)
    look_at(page, 1200 if width == 1200 else width)
    page.goto("/visitors/sign/north-gate/")
    expect(page.locator(".sign .qr")).to_be_visible()
    look_at(page, 1200 if width == 1200 else width)
    page.emulate_media(media="print")
    expect(page.locator(".top")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
